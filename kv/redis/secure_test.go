package redis_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// certificate makes one for the loopback address that signs itself, and
// returns the paths of its files and a pool that trusts it.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	if err := errors.Join(os.WriteFile(certFile, certPEM, 0o600), os.WriteFile(keyFile, keyPEM, 0o600)); err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, pool
}

// TestTLS uses a server that speaks TLS alone, and refuses one whose
// certificate nobody vouches for.
func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key, pool := certificate(t)
	srv := redistest.StartTLS(t, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no")
	url := "rediss://" + srv.Addr()
	c, err := redis.Connect(within(t, 10*time.Second), redis.Options{URL: url, TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	s := open(t, c, redis.Bucket{})
	f := watch(t, s, put(t, s, "a", "1"))
	put(t, s, "a", "2")
	next(t, f, "a")
	_, err = redis.Connect(within(t, 10*time.Second), redis.Options{URL: url})
	if !errors.Is(err, kv.ErrUnavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	_, err = redis.Connect(within(t, 10*time.Second), redis.Options{URL: "redis://" + srv.Addr()})
	fails(t, "without TLS", err, kv.ErrUnavailable)
}

// TestUser uses the least user that the documentation gives, and sees what is
// said when that user lacks something.
func TestUser(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	setUser := append([]string{"ACL", "SETUSER", "lectern", "on", ">p@ss/word"}, strings.Fields(redis.UserRules)...)
	srv.Do(setUser...)
	srv.Do("ACL", "SETUSER", "default", "off", "resetpass")
	c := connect(t, "redis://lectern:p%40ss%2Fword@"+srv.Addr())
	s := open(t, c, redis.Bucket{})
	f := watch(t, s, put(t, s, "a", "1"))
	if _, err := s.Commit(t.Context(), []kv.Check{kv.PrefixUnchanged("", 0)}, nil); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("a check: %v", err)
	}
	if _, err := s.Commit(t.Context(), nil, []kv.Write{kv.PutTTL("a", nil, time.Second), kv.Delete("b")}); err != nil {
		t.Error(err)
	}
	page, err := s.Scan(t.Context(), kv.Range{})
	if err != nil || len(page.Entries) != 1 {
		t.Errorf("Scan: %+v, %v", page, err)
	}
	if _, err := s.Commit(t.Context(), []kv.Check{kv.PrefixUnchanged("x/", page.Revision)}, []kv.Write{kv.Put("c/d", nil)}); err != nil {
		t.Errorf("a check on a prefix: %v", err)
	}
	for _, key := range []string{"a", "b", "c/d", "a"} {
		next(t, f, key)
	}
	r, err := c.Inspect(t.Context())
	if err != nil || r.Snapshots != "" {
		t.Errorf("Inspect: %+v, %v", r, err)
	}
}

// TestUserMayTooLittle takes rights from the user while it works.
func TestUserMayTooLittle(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	srv.Do("ACL", "SETUSER", "lectern", "on", ">secret", "~*", "&*", "+@all")
	c := connect(t, "redis://lectern:secret@"+srv.Addr())
	s := open(t, c, redis.Bucket{})
	put(t, s, "a", "1")
	srv.Do("ACL", "SETUSER", "lectern", "-config", "resetkeys", "~other:*")
	_, err := s.Get(within(t, time.Second), "a")
	fails(t, "without the keys", err, redis.ErrRefused)
	if r, err := c.Inspect(t.Context()); err != nil || r.Snapshots != "unknown" || r.MinReplicas != -1 {
		t.Errorf("without CONFIG: %+v, %v", r, err)
	}
	srv.Do("ACL", "SETUSER", "lectern", "-evalsha", "~*")
	_, err = s.Commit(within(t, time.Second), nil, []kv.Write{kv.Put("a", nil)})
	fails(t, "without scripts", err, redis.ErrRefused)
	srv.Do("ACL", "SETUSER", "lectern", "+evalsha")
	wants(t, s, "a", "1")
}

// TestSocket uses a socket in the file system, and another database.
func TestSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "redis.sock")
	srv := redistest.Start(t, "--unixsocket", path)
	put(t, open(t, connect(t, "unix://"+path), redis.Bucket{Name: "b"}), "a", "0")
	one := open(t, connect(t, srv.URL()+"/1"), redis.Bucket{Name: "b"})
	put(t, one, "a", "1")
	wants(t, one, "a", "1")
	wants(t, open(t, connect(t, srv.URL()+"/0"), redis.Bucket{Name: "b"}), "a", "0")
}

// TestUserIsDocumented compares the rules in the operators' manual with those
// that are tested.
func TestUserIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "ACL SETUSER lectern on >PASSWORD "+redis.UserRules+"\n") {
		t.Errorf("deploy/README.md gives the user other rules than: %s", redis.UserRules)
	}
}
