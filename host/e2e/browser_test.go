//go:build unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

const (
	// browserLimit is how long one test of pages may take.
	browserLimit = 90 * time.Second
	// stepLimit is how long one step in the browser may take.
	stepLimit = 15 * time.Second
)

// browser is the one browser of all tests, started when it is first needed.
var browser struct {
	once  sync.Once
	ctx   context.Context
	close []context.CancelFunc
	err   error
}

// browserNames are the programs that will do, in the order of preference.
var browserNames = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"}

// findBrowser gives the path of a browser.
func findBrowser() (string, error) {
	for _, name := range browserNames {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no browser found (looked for %v in PATH): install Debian's package chromium", browserNames)
}

// startBrowser starts the browser. It talks to nobody but the tests' sites.
func startBrowser() {
	path, err := findBrowser()
	if err != nil {
		browser.err = err
		return
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-default-apps", true),
		chromedp.Flag("disable-extensions", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-features", "Translate,MediaRouter,OptimizationHints,AutofillServerCommunication"),
		chromedp.Flag("metrics-recording-only", true), chromedp.Flag("password-store", "basic"),
		chromedp.Flag("use-mock-keychain", true), chromedp.Flag("force-color-profile", "srgb"),
		// A tab that is not in front must not be slowed down.
		chromedp.Flag("disable-renderer-backgrounding", true), chromedp.Flag("disable-background-timer-throttling", true),
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	browser.close = append(browser.close, stop)
	ctx, cancel := chromedp.NewContext(allocator)
	browser.close = append(browser.close, cancel)
	browser.ctx, browser.err = ctx, chromedp.Do(ctx)
}

// closeBrowser ends the browser, if there is one.
func closeBrowser() {
	for i := len(browser.close) - 1; i >= 0; i-- {
		browser.close[i]()
	}
}

// tab is one tab with cookies of its own, which shows pages of one site.
type tab struct {
	t    *testing.T
	site *site
	ctx  context.Context
	// messages reads what the browser reported about the pages.
	messages func() []string
}

// openTab opens a tab as wide as a desktop's, for a reader of English.
func openTab(t *testing.T, s *site) *tab {
	t.Helper()
	browser.once.Do(startBrowser)
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	ctx, cancel := chromedp.NewContext(browser.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, browserLimit)
	t.Cleanup(stop)
	b := &tab{t: t, site: s, ctx: ctx}
	b.watch()
	b.language("en")
	// Without this only one tab of the browser would have the focus.
	if _, err := chromedp.Call(b.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	b.resize(1280, 900)
	b.scheme("light")
	return b
}

// watch collects what goes to the console: errors of scripts, refused by the
// content security policy, failed loads.
func (b *tab) watch() {
	var mu sync.Mutex
	var found []string
	messages := chromedp.Console(b.ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return // the tab is closed
			}
			if m.Type == "error" || m.Type == "warning" || m.IsException() {
				mu.Lock()
				found = append(found, fmt.Sprintf("%s: %s (%s)", m.Type, m.Text, m.URL))
				mu.Unlock()
			}
		}
	}()
	b.messages = func() []string {
		mu.Lock()
		defer mu.Unlock()
		taken := found
		found = nil
		return taken
	}
}

// language sets what the browser asks for.
func (b *tab) language(tag string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": tag}})
	if err != nil {
		b.t.Fatal(err)
	}
}

// resize gives the page another size, in CSS pixels; narrow ones are phones.
func (b *tab) resize(width, height int64) {
	b.t.Helper()
	options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(1)}
	if width < 600 {
		options = append(options, chromedp.EmulateMobile)
	}
	b.do(chromedp.EmulateViewport(width, height, options...))
}

// scheme chooses light or dark. Nothing moves, so that each look at a page
// finds it as it stays.
func (b *tab) scheme(name string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	if err != nil {
		b.t.Fatal(err)
	}
}

// withoutScripts makes the tab run no script of any page.
func (b *tab) withoutScripts() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	if err != nil {
		b.t.Fatal(err)
	}
}

// do carries out steps that stay on the page.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepLimit)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("at %s: %v", b.path(), err)
	}
}

// leave carries out steps that lead to another page, waits for it and gives
// its status.
func (b *tab) leave(steps ...chromedp.Action[chromedp.Void]) int {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepLimit)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, steps...)
	if err == nil && response == nil {
		err = errors.New("the step has led to no page")
	}
	if err != nil {
		b.t.Fatalf("at %s: %v", b.path(), err)
	}
	return int(response.Status)
}

// open goes to a path of the site and gives the status.
func (b *tab) open(path string) int {
	b.t.Helper()
	return b.leave(chromedp.Navigate(b.site.url(path)))
}

// path is the path and query of the page on show.
func (b *tab) path() string {
	return eval[string](b, `location.pathname + location.search`)
}

// heading is the text of the page's main heading.
func (b *tab) heading() string {
	b.t.Helper()
	return eval[string](b, `document.querySelector("h1").innerText`)
}

// isAt fails the test if the page on show is another.
func (b *tab) isAt(path string) {
	b.t.Helper()
	if got := b.path(); got != path {
		b.t.Fatalf("the page on show is %s, expected %s", got, path)
	}
}

// shows fails the test if the page does not show a text.
func (b *tab) shows(text string) {
	b.t.Helper()
	if page := eval[string](b, `document.body.innerText`); !containsFold(page, text) {
		b.t.Errorf("%s does not show %q", b.path(), text)
	}
}

// eval computes an expression in the page, also where its scripts may not run.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepLimit)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%.60s: %v", expression, err)
	}
	return v
}
