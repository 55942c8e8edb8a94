package templates

import "github.com/a-h/templ"

// The icons: strokes on a grid of 24 units, in the colour of the text beside
// them, hidden from assistive technology because that text says the same.
const (
	iconOpen  = `<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">`
	iconClose = `</svg>`

	iconMark   = `<svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false"><path class="mark-page" d="M16 8.5C12.6 6 8.4 5.2 3.5 5.5v17c4.9-.3 9.1.5 12.5 3 3.4-2.5 7.6-3.3 12.5-3v-17C23.6 5.2 19.4 6 16 8.5z"/><path class="mark-line" d="M16 8.5v17M7.5 10.5c1.9.1 3.5.5 5 1.2M7.5 14.7c1.9.1 3.5.5 5 1.2M24.5 10.5c-1.9.1-3.5.5-5 1.2"/></svg>`
	iconSearch = iconOpen + `<circle cx="10.5" cy="10.5" r="6.5"/><path d="m20 20-4.8-4.8"/>` + iconClose
	iconCheck  = iconOpen + `<path d="m5 12.5 4.5 4.5L19 7.5"/>` + iconClose
	iconLock   = iconOpen + `<rect x="5.5" y="11" width="13" height="8.5" rx="2"/><path d="M8.5 11V8a3.5 3.5 0 0 1 7 0v3"/>` + iconClose
	iconPrev   = iconOpen + `<path d="M19 12H5m6-6-6 6 6 6"/>` + iconClose
	iconNext   = iconOpen + `<path d="M5 12h14m-6-6 6 6-6 6"/>` + iconClose
	iconList   = iconOpen + `<path d="M4 6.5h16M4 12h16M4 17.5h10"/>` + iconClose
	iconDown   = iconOpen + `<path d="m7 10 5 5 5-5"/>` + iconClose
)

// icon writes one of the constants above; these are ours, so they need no
// escaping.
func icon(svg string) templ.Component { return templ.Raw(svg) }
