package main

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"github.com/lectern-lms/lectern/guest/lms"
)

// markdown turns content into HTML. Raw HTML is off, and cells of tables are
// aligned by attributes, since the site's Content-Security-Policy forbids
// styles in the page. Straight quotes become the ones of print.
var markdown = goldmark.New(
	goldmark.WithExtensions(
		extension.Strikethrough,
		extension.Typographer,
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
	),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()),
)

// html returns the body as HTML that is safe to put into a page under an h1.
func (d *document) html() (string, error) {
	source := []byte(d.body)
	ids := headingIDs{}
	tree := markdown.Parser().Parse(text.NewReader(source), parser.WithContext(parser.NewContext(parser.WithIDs(ids))))
	if err := d.check(tree); err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := markdown.Renderer().Render(&out, source, tree); err != nil {
		return "", d.errorf(d.bodyLine, "making HTML: %v", err)
	}
	return out.String(), nil
}

// check refuses what must not be in a page: raw HTML, images (their files have
// no place yet), links to other schemes than https, and headings that break
// the order of the page's outline.
func (d *document) check(tree ast.Node) error {
	level := 1
	return ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.HTMLBlock, *ast.RawHTML:
			return ast.WalkStop, d.errorf(d.lineOf(n), "HTML; write Markdown, or put code between backquotes")
		case *ast.Image:
			return ast.WalkStop, d.errorf(d.lineOf(n), "an image; content is text alone so far")
		case *ast.Heading:
			if n.Level == 1 || n.Level > level+1 {
				return ast.WalkStop, d.errorf(d.lineOf(n), "heading of level %d after level %d; the title is level 1, go down one at a time from 2", n.Level, level)
			}
			level = n.Level
		case *ast.Link:
			return d.checkLink(n, string(n.Destination))
		case *ast.AutoLink:
			to := string(n.URL([]byte(d.body)))
			if n.AutoLinkType == ast.AutoLinkEmail {
				to = "mailto:" + to
			}
			return d.checkLink(n, to)
		}
		return ast.WalkContinue, nil
	})
}

// checkLink allows https addresses with a host, and relative ones.
func (d *document) checkLink(n ast.Node, to string) (ast.WalkStatus, error) {
	u, err := url.Parse(to)
	switch {
	case err == nil && to != "" && !strings.Contains(to, `\`) &&
		(u.Scheme == "https" && u.Host != "" || u.Scheme == "" && !strings.HasPrefix(to, "//")):
		return ast.WalkContinue, nil
	default:
		return ast.WalkStop, d.errorf(d.lineOf(n), "link to %q; use an https address or a relative one", to)
	}
}

// lineOf returns the line of a file on which a node starts; for a node that
// does not know its place, that of what it is in.
func (d *document) lineOf(n ast.Node) int {
	for ; n != nil; n = n.Parent() {
		if at := n.Pos(); at >= 0 && n.Kind() != ast.KindDocument {
			return d.bodyLine + strings.Count(d.body[:min(at, len(d.body))], "\n")
		}
	}
	return d.bodyLine
}

// headingIDs makes the ids of one text's headings: "h-" (so that none can
// clash with an id of the page's own) and the heading in plain letters.
type headingIDs map[string]bool

// Generate returns an id that is not in use yet.
func (used headingIDs) Generate(heading []byte, _ ast.NodeKind) []byte {
	words := strings.FieldsFunc(lms.Fold(string(heading)), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	base := "h-" + strings.Join(words, "-")
	id := base
	for n := 2; used[id]; n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	used[id] = true
	return []byte(id)
}

// Put marks an id as in use.
func (used headingIDs) Put(id []byte) {
	used[string(id)] = true
}
