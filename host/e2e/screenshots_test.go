//go:build unix

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// pictured are the pages of which TestScreenshots takes pictures.
var pictured = []string{"home", "explore", "course", "sign-in", "sign-up", "error", "panel", "profile", "devices", "password", "take", "lesson"}

// TestScreenshots takes pictures of the pages on a telephone and a desktop,
// light and dark. It checks that something is on them and that dark is darker;
// with -screenshots it also writes them to files to be looked at by a person,
// in their full length.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	if *screenshots != "" {
		if err := os.MkdirAll(*screenshots, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b := openTab(t, startSite(t))
	b.eachPage(func(p shownPage) {
		if !slices.Contains(pictured, p.name) {
			return
		}
		for _, width := range []int64{1280, 390} {
			b.resize(width, 844)
			light, dark := b.picture(p, width, "light"), b.picture(p, width, "dark")
			if light < 128 || dark > 96 || dark >= light {
				t.Errorf("%s at %d px: brightness %d in light, %d in dark", p.name, width, light, dark)
			}
		}
	})
}

// picture takes and checks a picture, writes it if asked to, and gives its
// brightness from 0 to 255.
func (b *tab) picture(p shownPage, width int64, scheme string) int {
	b.t.Helper()
	b.scheme(scheme)
	take := chromedp.CaptureScreenshot()
	if *screenshots != "" {
		take = chromedp.FullScreenshot(100)
	}
	ctx, cancel := context.WithTimeout(b.ctx, stepLimit)
	defer cancel()
	data, err := chromedp.Run(ctx, take)
	if err != nil {
		b.t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		b.t.Fatal(err)
	}
	if got := picture.Bounds().Dx(); int64(got) != width {
		b.t.Errorf("%s: the picture is %d px wide, expected %d", p.name, got, width)
	}
	colours, brightness := survey(picture)
	if colours < 12 {
		b.t.Errorf("%s at %d px, %s: %d colours, so there is nothing on it", p.name, width, scheme, colours)
	}
	if *screenshots != "" {
		name := filepath.Join(*screenshots, fmt.Sprintf("%s-%d-%s.png", p.name, width, scheme))
		if err := os.WriteFile(name, data, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	return brightness
}

// survey looks at every seventh pixel of a picture: how many colours there
// are, and how bright it is on average.
func survey(picture image.Image) (colours, brightness int) {
	seen := map[color.Color]bool{}
	sum, n := 0, 0
	r := picture.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y += 7 {
		for x := r.Min.X; x < r.Max.X; x += 7 {
			c := picture.At(x, y)
			seen[c] = true
			sum += int(color.GrayModel.Convert(c).(color.Gray).Y)
			n++
		}
	}
	return len(seen), sum / max(n, 1)
}
