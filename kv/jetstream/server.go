// Package jetstream is the kv adapter on NATS JetStream, with the server
// embedded in the process: no port, no other program, files in one directory.
//
// [StartServer] runs the server; [Server.Connect] and [Dial] make connections
// (give each subsystem its own: a connection that the server closes then takes
// nothing else with it); [Open] opens a bucket as a [Store].
//
// # How a bucket is stored
//
// A bucket is a stream KV_<name> that keeps one message for each subject. A
// key is the subject $KV.<name>.<encoded key> (see key.go), its revision the
// message's sequence, its value the payload behind a short envelope with the
// exact expiry time (see record.go). A deletion is a purge marker that removes
// itself after ten minutes, an expiry a marker that the server writes.
// Messages are republished to a core subject, from which feeds are made.
//
// # Clusters
//
// With [ServerOptions.Cluster] three servers or more hold a bucket of three or
// five replicas. [Server.AwaitQuorum] waits until they can work. A commit is
// acknowledged when more than half of the replicas have it. One whose answer
// does not come, since the leader died or stepped down, is sent again under an
// id by which it happens once; if its outcome stays unknown, that is what the
// error says. Until a new leader is elected (4 to 9 s after a death without a
// word, hundredths of a second after [Server.Shutdown]) calls wait, up to their
// deadline. What a Get promises when the network is cut is said there.
package jetstream

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Defaults of [ServerOptions].
const (
	// defaultSyncInterval bounds what a power cut can lose; NATS's own default
	// is two minutes. Measured, it costs nothing.
	defaultSyncInterval = 100 * time.Millisecond
	// defaultReadyTimeout is how long StartServer waits; rebuilding the index
	// of a million keys takes about two seconds.
	defaultReadyTimeout = 30 * time.Second
	// defaultMaxMemory limits buckets that are kept in memory, in bytes.
	defaultMaxMemory = 256 << 20
	// maxPayload is the largest message in bytes, NATS's default made explicit
	// because kv.MaxValue is derived from it.
	maxPayload = 1 << 20
	// maxPending is how many bytes may wait for one slow connection.
	maxPending = 64 << 20
)

// ServerOptions configure the embedded server. Only Dir is required.
type ServerOptions struct {
	// Dir holds the streams. It is made if it does not exist, and locked.
	Dir string
	// Name is the server's name, unique in a cluster; "lectern" if empty.
	Name string
	// SyncInterval is how often written data are forced to the disk; 100 ms if
	// zero. SyncAlways forces each write before it is acknowledged.
	SyncInterval time.Duration
	SyncAlways   bool
	// Listen opens a listener on the loopback interface, on a port that the
	// system chooses, for the worker processes of this node. It takes only
	// connections with [Server.Token].
	Listen bool
	// MaxStore and MaxMemory limit JetStream's files and memory in bytes. Zero
	// means three quarters of the free disk, and 256 MiB.
	MaxStore, MaxMemory int64
	// Cluster makes the server a node of a cluster; nil means that it is alone.
	Cluster *Cluster
	// ReadyTimeout is the longest wait for the server to start; 30 s if zero.
	ReadyTimeout time.Duration
	// Logger takes the server's log; slog.Default if nil.
	Logger *slog.Logger
}

// Server is an embedded NATS server with JetStream.
type Server struct {
	nats   *server.Server
	dir    string
	name   string
	token  string
	listen bool
	log    *slog.Logger
	lock   *os.File
	// of a cluster, else nil
	cluster *Cluster
	routes  *routeTLS
	formed  bool // was part of a working cluster before

	mu     sync.Mutex
	closed bool
	conns  []*nats.Conn // given out by Connect
}

// StartServer starts the server and waits until it is ready. It fails if the
// directory cannot be used, another process holds it, or JetStream cannot
// start on what is in it.
func StartServer(o ServerOptions) (*Server, error) {
	if o.Cluster != nil {
		if err := o.Cluster.check(o.Name); err != nil {
			return nil, err
		}
	}
	o = o.withDefaults()
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: o.Dir, name: o.Name, token: rand.Text(), listen: o.Listen, log: o.Logger, lock: lock, cluster: o.Cluster}
	if err := s.setUp(o); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	logger := &serverLog{log: o.Logger, fatal: make(chan string, 1)}
	s.nats.SetLoggerV2(logger, false, false, false)
	go s.nats.Start()
	if err := s.awaitReady(logger, o); err != nil {
		s.Shutdown()
		return nil, err
	}
	return s, nil
}

// setUp makes the server without starting it.
func (s *Server) setUp(o ServerOptions) error {
	var err error
	if s.formed, err = checkMarker(o); err != nil {
		return err
	}
	if err := verifyStore(o.Dir); err != nil {
		return damageRemedy(err, o)
	}
	opts := o.nats(s.token)
	if o.Cluster != nil {
		if s.routes, err = newRouteTLS(o.Name, o.Cluster); err != nil {
			return err
		}
		if err := o.Cluster.apply(opts, s.routes); err != nil {
			return err
		}
	}
	if s.nats, err = server.NewServer(opts); err != nil {
		return fmt.Errorf("jetstream: set up the embedded server: %w", err)
	}
	return nil
}

// awaitReady waits until clients can connect, the server reports a fatal
// error, or the time is over.
func (s *Server) awaitReady(logger *serverLog, o ServerOptions) error {
	deadline := time.Now().Add(o.ReadyTimeout)
	for {
		ready := s.nats.ReadyForConnections(20 * time.Millisecond)
		select {
		case msg := <-logger.fatal:
			return fmt.Errorf("jetstream: the embedded server cannot use %s: %s; restore the directory from a backup or move it away", o.Dir, msg)
		default:
		}
		switch {
		case ready && s.nats.JetStreamEnabled():
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("jetstream: the embedded server on %s was not ready within %v; look at its log", o.Dir, o.ReadyTimeout)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// withDefaults fills in what was left out.
func (o ServerOptions) withDefaults() ServerOptions {
	if o.Name == "" {
		o.Name = "lectern"
	}
	if o.SyncInterval <= 0 {
		o.SyncInterval = defaultSyncInterval
	}
	if o.ReadyTimeout <= 0 {
		o.ReadyTimeout = defaultReadyTimeout
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = defaultMaxMemory
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// nats returns the options in the server's own form.
func (o ServerOptions) nats(token string) *server.Options {
	opts := &server.Options{
		ServerName:             o.Name,
		Host:                   "127.0.0.1",
		Port:                   server.RANDOM_PORT,
		DontListen:             !o.Listen,
		Authorization:          token,
		NoSigs:                 true,
		MaxPayload:             maxPayload,
		MaxPending:             maxPending,
		JetStream:              true,
		StoreDir:               o.Dir,
		JetStreamMaxMemory:     o.MaxMemory,
		JetStreamMaxStore:      o.MaxStore,
		SyncInterval:           o.SyncInterval,
		SyncAlways:             o.SyncAlways,
		DisableJetStreamBanner: true,
	}
	return opts
}

// Connect makes an in-process connection for one subsystem, named for logs.
// Shutdown closes it if its owner did not.
func (s *Server) Connect(name string) (*nats.Conn, error) {
	nc, err := connect("", s.token, name, s.log, nats.InProcessServer(s.nats))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		nc.Close()
		return nil, errors.New("jetstream: the embedded server was shut down")
	}
	s.conns = append(s.conns, nc)
	return nc, nil
}

// URL is where workers connect, or "" without a listener.
func (s *Server) URL() string {
	if !s.listen {
		return ""
	}
	return s.nats.ClientURL()
}

// Token is the secret that the listener asks for, new at each start. Hand it
// to workers through their environment or a pipe, never a command line or log.
func (s *Server) Token() string { return s.token }

// Shutdown closes the connections that Connect gave out, stops the server and
// waits until its files are closed. More than one call is no error.
func (s *Server) Shutdown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	for _, nc := range s.conns {
		nc.Close()
	}
	if s.cluster != nil {
		s.nats.LameDuckShutdown() // moves the leaders away first
	}
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
	if err := s.lock.Close(); err != nil {
		s.log.Warn("cannot release the lock on the store", "error", err)
	}
}

// lockDir makes the directory and holds a lock on a file in it, so that two
// processes never write the same streams.
func lockDir(dir string) (*os.File, error) {
	if dir == "" {
		return nil, errors.New("jetstream: ServerOptions.Dir is empty; name a directory for the streams")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("jetstream: make the store directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lectern.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("jetstream: the store directory must be writable: %w", err)
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("jetstream: %s is in use by another process; stop it or choose another directory: %w", dir, err), f.Close())
	}
	return f, nil
}
