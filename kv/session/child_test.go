//go:build unix

package session

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/lectern-lms/lectern/kv/near"
)

// childEnv makes this test binary one process of a site: the store, whose
// directory it holds, or a node, with the store's address and token.
const childEnv = "LECTERN_SESSION_TEST_CHILD"

// childConfig is what is in the variable.
type childConfig struct{ Dir, URL, Token string }

// TestMain runs the tests, or is such a process.
func TestMain(m *testing.M) {
	text := os.Getenv(childEnv)
	if text == "" {
		os.Exit(m.Run())
	}
	var c childConfig
	err := json.Unmarshal([]byte(text), &c)
	if err == nil && c.Dir != "" {
		err = runStore(c.Dir)
	} else if err == nil {
		err = runNode(c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runStore serves a store until the test ends.
func runStore(dir string) error {
	server, err := jetstream.StartServer(jetstream.ServerOptions{Dir: dir, Name: "store", Listen: true, Logger: quiet})
	if err != nil {
		return err
	}
	defer server.Shutdown()
	if err := json.NewEncoder(os.Stdout).Encode(childConfig{URL: server.URL(), Token: server.Token()}); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// question is what a test asks a node: what to do with a session.
type question struct {
	ID      int
	Do      string // "load", "sign in", "sign out", "change" or "revoke all"
	Cookies Cookies
}

// reply is what the node answers: who the session is, or why nobody knows.
type reply struct {
	ID          int
	User, Fault string
	Cookies     Cookies
}

// runNode answers questions until its input ends.
func runNode(c childConfig) error {
	nc, err := jetstream.Dial(c.URL, c.Token, "node")
	if err != nil {
		return err
	}
	store, err := jetstream.Open(context.Background(), nc, jetstream.Bucket{Name: "sessions", Logger: quiet})
	if err != nil {
		return err
	}
	m, err := NewManager(near.New(store, near.Options{Logger: quiet}), Config{Keys: [][]byte{testKey}, Limit: maxLimit, Logger: quiet})
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for in := json.NewDecoder(bufio.NewReader(os.Stdin)); ; {
		var q question
		if err := in.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := out.Encode(answer(m, q)); err != nil {
			return err
		}
	}
}

// answer does what a question asks for, as a request would.
func answer(m *Manager, q question) reply {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	r := reply{ID: q.ID, Cookies: q.Cookies}
	s, err := m.Load(ctx, q.Cookies)
	if err != nil {
		r.Fault = err.Error()
		return r
	}
	r.User = s.User()
	switch q.Do {
	case "sign in":
		s.SignIn("ann", 0)
	case "sign out":
		s.SignOut()
	case "change":
		err = s.Update("count", increment)
	case "revoke all":
		err = m.RevokeUser(ctx, "ann", "")
	}
	if err == nil && q.Do != "load" && q.Do != "revoke all" {
		list, saveErr := m.Save(ctx, s)
		if err = saveErr; err == nil && q.Do == "sign in" {
			r.User, r.Cookies = s.User(), Cookies{Session: list[0].Value}
		}
	}
	if err != nil {
		r.Fault = err.Error()
	}
	return r
}

// child is such a process, seen by its test.
type child struct {
	t    testing.TB
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	mu   sync.Mutex
	last int
}

// startChild starts one.
func startChild(t testing.TB, c childConfig) *child {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	p := &child{t: t, cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// startStore starts the store of a directory and tells where it is.
func startStore(t testing.TB, dir string) (*child, childConfig) {
	t.Helper()
	p := startChild(t, childConfig{Dir: dir})
	var c childConfig
	line, err := p.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &c)
	}
	if err != nil {
		t.Fatalf("the store did not start: %v", err)
	}
	return p, c
}

// kill ends the process as kill -9 does; more than one call is no error.
func (p *child) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.cmd.Wait()         // says that it was killed
}

// signal sends one to the process.
func (p *child) signal(s syscall.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Errorf("signal %v: %v", s, err)
	}
}

// ask asks and waits for the answer; a process that has died gives a fault.
func (p *child) ask(do string, c Cookies) reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	text, err := json.Marshal(question{ID: p.last, Do: do, Cookies: c})
	if err == nil {
		_, err = p.in.Write(append(text, '\n'))
	}
	if err != nil {
		return reply{Fault: gone + ": " + err.Error()}
	}
	line, err := p.out.ReadBytes('\n')
	var r reply
	if err == nil {
		err = json.Unmarshal(line, &r)
	}
	if err != nil || r.ID != p.last {
		return reply{Fault: fmt.Sprintf("%s: %.100s, %v", gone, strings.TrimSpace(string(line)), err)}
	}
	return r
}

// gone is what the fault of a process begins with that has died.
const gone = "the node is gone"

// must is ask until it works: on a busy machine a node's cache may refuse to
// answer for a moment.
func (p *child) must(do string, c Cookies) reply {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r := p.ask(do, c)
		if r.Fault == "" {
			return r
		}
		if strings.HasPrefix(r.Fault, gone) || time.Now().After(end) {
			p.t.Fatalf("%s: %s", do, r.Fault)
		}
	}
}
