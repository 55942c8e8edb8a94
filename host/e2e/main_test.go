//go:build unix

package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What TestMain makes for all tests.
var (
	// binary is the path of the built program.
	binary string
	// golden is a data directory after its first start, which no site uses.
	golden string
	// sites bounds the sites that run at once: two keep two cores busy.
	sites = make(chan struct{}, 2)
	// screenshots is where TestScreenshots writes its pictures; "" for nowhere.
	screenshots = flag.String("screenshots", "", "write pictures of the pages to this `folder`")
)

// root is the top of the repository, as seen from this package.
const root = "../.."

// TestMain prepares what the tests share before the first of them.
func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

// run prepares what the tests share, runs them and cleans up.
func run(m *testing.M) int {
	work, err := os.MkdirTemp("", "lectern-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(work)
	if err := prepare(work); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer closeBrowser()
	return m.Run()
}

// prepare builds the binary and the golden data directory in work.
func prepare(work string) error {
	if err := checkHandlers(); err != nil {
		return err
	}
	binary = filepath.Join(work, "lectern")
	build := exec.Command("go", "build", "-o", binary, "./host/cmd/lectern")
	build.Dir = root
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("the binary cannot be built: %w\n%s", err, text)
	}
	golden = filepath.Join(work, "golden")
	return setUp(golden)
}

// checkHandlers reports whether each handler with a manifest was compiled.
func checkHandlers() error {
	manifests, err := filepath.Glob(root + "/guest/handlers/*/manifest.json")
	if err != nil || len(manifests) == 0 {
		return errors.New("no handlers found: these tests belong into the repository")
	}
	for _, m := range manifests {
		name := filepath.Base(filepath.Dir(m))
		if _, err := os.Stat(root + "/guest/handlers/dist/" + name + ".wasm"); err != nil {
			return fmt.Errorf("handler %s is not built: run `task guests` first", name)
		}
	}
	return nil
}

// setUp makes the first start in dir and stops the site again. It takes the
// time of compiling the handlers, whose code then lies in dir's cache.
func setUp(dir string) error {
	p := newProcess(dir)
	if err := p.start(); err != nil {
		return err
	}
	if _, ok := p.log.await(isServing, time.Minute, p.ended); !ok {
		p.kill()
		return fmt.Errorf("the first start did not succeed:\n%s", p.log.tail(20))
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	if status := p.stop(ctx); status != 0 {
		return fmt.Errorf("the first start ended with status %d:\n%s", status, p.log.tail(20))
	}
	return nil
}

// copyGolden makes a data directory for one site. The compiled handlers are
// shared, since they are large and are only read.
func copyGolden(dir string) error {
	if err := os.Symlink(filepath.Join(golden, "cache"), filepath.Join(dir, "cache")); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(dir, "store"), os.DirFS(filepath.Join(golden, "store"))); err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(golden, "secret.key"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "secret.key"), key, 0o600)
}

// cleanEnvironment is this process's environment without what would configure
// a site.
func cleanEnvironment() []string {
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch {
		case name == "PORT", strings.Contains(name, "LMS_"), strings.HasPrefix(name, "SECRET_KEY"),
			strings.HasPrefix(name, "ADMIN_"), strings.HasPrefix(name, "SESSION_"), strings.HasPrefix(name, "LECTERN_"),
			strings.HasSuffix(name, "REDIS_URL"):
		default:
			env = append(env, v)
		}
	}
	return env
}
