package templates

import (
	"reflect"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"github.com/lectern-lms/lectern/guest/lms"
)

// hostile are texts that break out of something if they are not escaped.
var hostile = []string{
	`"><script>evil()</script><img src=x onerror=evil()>`,
	`'><svg onload=evil()>{0}`,
	`javascript:evil()`,
	`//evil.example/`,
	`/\evil.example/`,
	"</textarea></title></option>\x00<evil>",
}

// trusted are the fields that hold HTML which was sanitised before.
var trusted = map[string]bool{"Description": true, "HTML": true}

// poison sets every text inside a value to s and every switch to on. Maps get
// the entries that the pages look for, too.
func poison(v reflect.Value, s string, on bool) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		v.SetBool(on)
	case reflect.Int:
		v.SetInt(3)
	case reflect.Struct:
		if v.Type().PkgPath() == "time" {
			v.Set(reflect.ValueOf(day))
			return
		}
		for i := range v.NumField() {
			if !trusted[v.Type().Field(i).Name] {
				poison(v.Field(i), s, on)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			poison(v.Index(i), s, on)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		poison(value, s, on)
		for _, key := range []string{"", s, "usuario", "acceso", "nombre", "bio", "language", "correo_electronico"} {
			v.SetMapIndex(reflect.ValueOf(key), value)
		}
	}
}

// poisoned is a value of a type with s in every text.
func poisoned[T any](s string, on bool) T {
	var v T
	poison(reflect.ValueOf(&v).Elem(), s, on)
	return v
}

// TestHostileTextIsEscaped puts hostile texts into every field of every view
// and looks for anything of them that became part of the page's structure.
func TestHostileTextIsEscaped(t *testing.T) {
	t.Parallel()
	for _, s := range hostile {
		for _, on := range []bool{true, false} {
			p := poisoned[Page](s, on)
			course := poisoned[CourseView](s, on)
			open := course
			open.Course.State, open.Course.Motif, open.Course.Public = lms.StateOpen, "orbit", true
			lesson := poisoned[LessonView](s, on)
			done := lesson
			done.IsDone = !on
			pages := map[string]templ.Component{
				"home": Home(p, poisoned[HomeView](s, on)), "explore": Explore(p, poisoned[ExploreView](s, on)),
				"course": Course(p, course), "course open": Course(p, open), "take": Take(p, course),
				"lesson": Lesson(p, lesson), "lesson done": Lesson(p, done), "panel": Panel(p, poisoned[PanelView](s, on)),
				"profile": Profile(p, poisoned[ProfileView](s, on)), "sign in": SignIn(p, poisoned[SignInView](s, on)),
				"sign up": SignUp(p, poisoned[SignUpView](s, on)), "error": Error(p, poisoned[ErrorView](s, on)),
				"plain": PlainError(s, 500, s, s, s),
			}
			for name, page := range pages {
				t.Run(name, func(t *testing.T) { checkHarmless(t, render(t, page), s) })
			}
		}
	}
}

// checkHarmless fails if a page has a script, an element, a handler or an
// address that its templates did not write.
func checkHarmless(t *testing.T, source, s string) {
	root := parse(t, source)
	if !strings.Contains(root.LastChild.Data, "html") || !strings.Contains(source, "evil") {
		t.Fatal("the hostile text is not on the page, so this test proves nothing")
	}
	for _, n := range elements(root) {
		if n.Data == "evil" || n.Data == "img" || n.Data == "script" && n.FirstChild != nil {
			t.Errorf("%q became a <%s>", s, n.Data)
		}
		checkAttributes(t, n, s)
	}
}

// checkAttributes fails if an element has a handler or leads away.
func checkAttributes(t *testing.T, n *html.Node, s string) {
	for _, a := range n.Attr {
		switch {
		case strings.HasPrefix(a.Key, "on"):
			t.Errorf("%q became the attribute %s of <%s>", s, a.Key, n.Data)
		case a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "formaction":
			if !local(a.Val) {
				t.Errorf("%q made <%s %s=%q>", s, n.Data, a.Key, a.Val)
			}
		}
	}
}

// TestTrustedHTMLIsKept shows that the two fields of sanitised HTML, and only
// these, reach the page as they are.
func TestTrustedHTMLIsKept(t *testing.T) {
	t.Parallel()
	const text = `<p id="kept">As <em>written</em>.</p>`
	course := CourseView{Course: lms.Course{Description: text}}
	if !strings.Contains(render(t, Course(Page{Lang: "en"}, course)), text) {
		t.Error("the description of a course was changed")
	}
	if !strings.Contains(render(t, Lesson(Page{Lang: "en"}, LessonView{HTML: text})), text) {
		t.Error("the text of a lesson was changed")
	}
}
