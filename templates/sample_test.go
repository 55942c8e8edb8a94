package templates

import (
	"time"

	"github.com/a-h/templ"

	"github.com/lectern-lms/lectern/guest/lms"
)

// named is a page of the sample, ready to render.
type named struct {
	name string
	page templ.Component
}

// day is a fixed date for the sample.
var day = time.Date(2025, time.November, 3, 10, 0, 0, 0, time.UTC)

// sampleCourse is a course with three sections and nine lessons.
func sampleCourse(code, title, summary, motif, category string) lms.Course {
	lesson := func(id, title string, minutes int, preview, required bool) lms.Lesson {
		return lms.Lesson{ID: id, Title: title, Kind: "text", Minutes: minutes, Preview: preview, Required: required}
	}
	return lms.Course{
		Code: code, Title: title, Summary: summary, Motif: motif, Category: category, Language: "en",
		Description: sampleDescription, Level: lms.LevelBeginner, State: lms.StateOpen, Public: true, Capacity: 40,
		Tags: []string{"observation", "history", "mathematics"}, Teachers: []string{"Inés Aguirre", "Tom Halloran"}, Updated: day,
		Sections: []lms.Section{
			{Title: "Finding your way", Summary: "What can be seen without any instrument at all.", Lessons: []lms.Lesson{
				lesson("the-turning-sky", "The turning sky", 8, true, true),
				lesson("names-of-the-stars", "How the stars got their names", 11, false, true),
				lesson("a-first-map", "A first map of your own", 14, false, true),
			}},
			{Title: "Measuring", Summary: "Angles, hours and a stick in the ground.", Lessons: []lms.Lesson{
				lesson("degrees", "Degrees, and why there are 360 of them", 9, false, true),
				lesson("shadow", "The length of a shadow", 12, false, true),
				lesson("moon-distances", "An aside on lunar distances", 16, false, false),
			}},
			{Title: "Explaining", Lessons: []lms.Lesson{
				lesson("ellipses", "Ellipses", 18, false, true),
				lesson("three-laws", "Three laws and one table of Tycho's numbers", 21, false, true),
				lesson("what-next", "What to read next", 6, false, false),
			}},
		},
	}
}

// sampleDescription is a course's text as the seed writes it.
const sampleDescription = `<p>For most of history people could tell the hour, the season and their latitude by looking up. This course rebuilds that skill, one clear night at a time.</p><p>You will keep a small notebook, measure three angles, and end by deriving a planet's orbit from four-hundred-year-old observations.</p><h3>You will need</h3><ul><li>a place from which you can see the southern horizon,</li><li>a protractor, a length of string and a nut to weigh it down,</li><li>some patience with clouds.</li></ul>`

// sampleLesson uses each element that the prose styles set.
const sampleLesson = `<p>Stand still for twenty minutes under a dark sky and it moves. Stars rise in the east, cross the south and set in the west, and they do it <em>together</em>, as if painted on the inside of a bowl. The Greeks took the bowl seriously. We do not, but it remains the best instrument for finding things.</p><p>In this lesson you will find the one point that does not move, and use it to read your latitude to within a degree. All that you need is a <a href="https://example.org/quadrant">quadrant</a>, which you can make in five minutes.</p><h2>The point that stays</h2><p>Photograph the northern sky for an hour and each star draws an arc. All arcs share one centre.</p><blockquote><p>The pole is the hinge of the heavens; who has found it has found the door.</p></blockquote><p>Its height above the horizon equals your latitude:</p><figure><img src="/static/favicon.svg" alt="An open book" width="120" height="120"><figcaption>Figure 1. The angle between horizon and pole is the observer's latitude.</figcaption></figure><h3>Making the quadrant</h3><ol><li>Tape the string to the centre of the protractor's straight edge.</li><li>Hang the nut on the other end.<ul><li>A key will do.</li><li>A washer is better.</li></ul></li><li>Look along the edge and let somebody read the angle.</li></ol><aside><p><strong>Never</strong> point anything you look through at the sun.</p></aside><h2>How good is it?</h2><p>Ten readings by three observers on one night in Lisbon (true latitude 38.7°):</p><table><thead><tr><th scope="col">Observer</th><th scope="col">Mean</th><th scope="col">Spread</th><th scope="col">Error</th></tr></thead><tbody><tr><td>Marta</td><td>38.4°</td><td>1.1°</td><td>−0.3°</td></tr><tr><td>João</td><td>39.6°</td><td>2.0°</td><td>+0.9°</td></tr><tr><td>Ada</td><td>38.9°</td><td>0.7°</td><td>+0.2°</td></tr></tbody></table><p>The mean of all thirty is 38.97°. The function <code>mean(readings)</code> below does the same for your own notebook; press <kbd>Enter</kbd> after each number.</p><pre><code>def mean(readings):
    """Average of a list of angles in degrees; all of them on one side of zero, please."""
    return sum(readings) / len(readings)

print(mean([38.4, 39.6, 38.9]))  # 38.97</code></pre><h2>Try it tonight</h2><ul><li>Find the Plough and follow its pointers to Polaris.</li><li>Take ten readings and write all of them down, also the bad ones.</li><li>Compare their mean with the latitude on a map.</li></ul><hr><p>Next we give the brighter stars their names.</p>`

// sampleCards are five courses, two of them enrolled.
func sampleCards() []Card {
	first := sampleCourse("naked-eye-sky", "The sky without a telescope", "Read the hour, the season and your latitude from the stars, and learn how people first explained them.", "orbit", "Science")
	second := sampleCourse("reading-buildings", "Reading buildings", "Why old streets look the way they do: proportion, load, light and money.", "grid", "Design")
	third := sampleCourse("tides", "Tides and how to predict them", "From beach notes to harmonic analysis in nine short lessons.", "waves", "Science")
	fourth := sampleCourse("kitchen-garden", "Un huerto en el balcón", "Suelo, agua y calendario para cosechar todo el año en dos metros cuadrados.", "leaves", "Home")
	fourth.Language = "es"
	fifth := sampleCourse("go-by-hand", "Writing programs by hand", "Slow down: think first, type later.", "", "Computing")
	fifth.State = lms.StateClosed
	return []Card{
		{Course: first, Enrolled: true, Percent: 43, Resume: "/course/naked-eye-sky/resource/text/degrees"},
		{Course: second}, {Course: third}, {Course: fourth}, {Course: fifth},
	}
}

// sampleView is a course with three of nine lessons completed.
func sampleView() CourseView {
	return CourseView{
		Course: sampleCards()[0].Course, Enrolled: true, Percent: 43, SeatsLeft: 11,
		Done:   map[string]bool{"the-turning-sky": true, "names-of-the-stars": true, "a-first-map": true},
		Resume: "/course/naked-eye-sky/resource/text/degrees",
	}
}

// sampleLessonView is one of its lessons on show.
func sampleLessonView() LessonView {
	v := sampleView()
	return LessonView{
		CourseView: v, Section: v.Course.Sections[1], Lesson: v.Course.Sections[1].Lessons[0], HTML: sampleLesson,
		Previous: "/course/naked-eye-sky/resource/text/a-first-map", Next: "/course/naked-eye-sky/resource/text/shadow",
		Position: 4, Of: 9,
	}
}

// sampleDevices are four devices, the reader's own first.
func sampleDevices() DevicesView {
	return DevicesView{Now: day, Devices: []Device{
		{ID: "a", Browser: "Firefox", System: "Windows", Place: "203.0.113.x", Created: day.Add(-50 * time.Hour), Seen: day, Remembered: true, Current: true},
		{ID: "b", Browser: "Samsung Internet", System: "Android", Place: "2001:db8:1f0::x", Created: day.Add(-900 * time.Hour), Seen: day.Add(-time.Hour), Remembered: true},
		{ID: "c", System: "Linux", Created: day.Add(-30 * time.Hour), Seen: day.Add(-26 * time.Hour)},
		{ID: "d", Browser: "curl", Created: day.Add(-90 * time.Hour), Seen: day.Add(-80 * time.Hour)},
		{ID: "e", Created: day, Seen: day},
	}}
}

// samplePages are all pages in a language, signed in or not, in the states
// that look different.
func samplePages(lang string) []named {
	page := func(title, path string) Page {
		return Page{Title: title, Description: "A page.", Path: path, Lang: lang, Site: "Lectern"}
	}
	in := func(p Page) Page {
		p.Viewer = Viewer{SignedIn: true, Name: "Nadia Ferreira", Role: lms.RoleStudent}
		return p
	}
	noted := func(p Page, kind, key string) Page {
		p.Notices = append(p.Notices, Notice{Kind: kind, Message: key})
		return p
	}
	cards := sampleCards()
	view := sampleView()
	out, full, closed, draft, done := view, view, view, view, view
	out.Enrolled, out.Done, out.Percent = false, nil, 0
	full, closed, draft = out, out, out
	full.SeatsLeft = 0
	closed.Course.State, draft.Course.State = lms.StateFinalized, lms.StateDraft
	draft.Course.Sections = nil
	closed.Course.Sections = append(closed.Course.Sections[:2:2], lms.Section{Title: "Still empty"})
	done.Percent, done.Completed = 100, day
	lesson := sampleLessonView()
	preview, doneLesson := lesson, lesson
	preview.CourseView, preview.Previous = out, "/course/naked-eye-sky/resource/text/the-turning-sky"
	doneLesson.IsDone, doneLesson.Next = true, ""
	explore := ExploreView{
		Query: "sky", Level: "1", Categories: []string{"Design", "Science"}, Tags: []string{"history", "observation"},
		Tag: "history", Cards: cards, Total: 1204, Page: 5, Pages: 12,
	}
	profile := ProfileView{
		Login: "nadia", Email: "nadia@example.org", Courses: 3,
		Profile: lms.Profile{Name: "Nadia Ferreira", Bio: "Reads on trains.", Language: lang, Joined: day},
	}
	wrong := profile
	wrong.Form = Form{Values: map[string]string{"nombre": "", "bio": "x"}, Errors: map[string]string{"nombre": "form.required", "language": "form.unknown_language"}}
	return []named{
		{"home", Home(page("", "/home"), HomeView{Featured: cards[1:], Courses: 4, Lessons: 57})},
		{"home-in", Home(noted(in(page("", "/home")), "success", "notice.signed_in"), HomeView{Featured: cards[:4], Courses: 4, Lessons: 57})},
		{"explore", Explore(page("Courses", "/course/explore"), ExploreView{Categories: []string{"Design", "Science"}, Tags: []string{"tides"}, Cards: cards, Total: 5, Page: 1, Pages: 1})},
		{"explore-search", Explore(in(page("Courses", "/course/explore?q=sky&page=5")), explore)},
		{"explore-none", Explore(page("Courses", "/course/explore?q=zzz"), ExploreView{Query: "zzz"})},
		{"course", Course(page("The sky", "/course/naked-eye-sky/view"), out)},
		{"course-open", Course(in(page("The sky", "/course/naked-eye-sky/view")), out)},
		{"course-in", Course(noted(in(page("The sky", "/course/naked-eye-sky/view")), "info", "notice.already_enrolled"), view)},
		{"course-full", Course(noted(in(page("The sky", "/course/naked-eye-sky/view")), "error", "notice.course_full"), full)},
		{"course-closed", Course(page("The sky", "/course/naked-eye-sky/view"), closed)},
		{"course-draft", Course(in(page("The sky", "/course/naked-eye-sky/view")), draft)},
		{"take", Take(in(page("The sky", "/course/naked-eye-sky/take")), view)},
		{"take-done", Take(noted(in(page("The sky", "/course/naked-eye-sky/take")), "success", "notice.course_completed"), done)},
		{"lesson", Lesson(in(page("Degrees", "/course/naked-eye-sky/resource/text/degrees")), lesson)},
		{"lesson-preview", Lesson(page("Degrees", "/course/naked-eye-sky/resource/text/degrees"), preview)},
		{"lesson-done", Lesson(in(page("Degrees", "/course/naked-eye-sky/resource/text/degrees")), doneLesson)},
		{"panel", Panel(in(page("My courses", "/home/panel")), PanelView{Current: cards[:1], Completed: []Card{{Course: cards[2].Course, Enrolled: true, Percent: 100}}})},
		{"panel-done", Panel(in(page("My courses", "/home/panel")), PanelView{Completed: []Card{{Course: cards[2].Course, Enrolled: true, Percent: 100}}})},
		{"panel-empty", Panel(in(page("My courses", "/home/panel")), PanelView{})},
		{"profile", Profile(in(page("Profile", "/perfil")), profile)},
		{"profile-wrong", Profile(in(page("Profile", "/perfil")), wrong)},
		{"sign-in", SignIn(page("Sign in", "/user/login?next=%2Fhome%2Fpanel"), SignInView{Next: "/home/panel"})},
		{"sign-in-remember", SignIn(page("Sign in", "/user/login"), SignInView{RememberDays: 30, Form: Form{Wait: 25, Values: map[string]string{"remember": "1"}, Errors: map[string]string{"": "error.429_text"}}})},
		{"password", Password(in(page("Password", "/user/password")), PasswordView{Login: "nadia"})},
		{"password-wrong", Password(in(page("Password", "/user/password")), PasswordView{Login: "nadia", Form: Form{Errors: map[string]string{"acceso": "form.wrong_password", "acceso_nuevo": "form.password_short"}}})},
		{"devices", Devices(noted(in(page("Devices", "/user/devices")), "success", "notice.password_changed"), sampleDevices())},
		{"sign-in-wrong", SignIn(page("Sign in", "/user/login"), SignInView{Form: Form{Values: map[string]string{"usuario": "nadia"}, Errors: map[string]string{"": "form.wrong_credentials"}}})},
		{"sign-up", SignUp(page("Create account", "/user/logon"), SignUpView{})},
		{"sign-up-wrong", SignUp(page("Create account", "/user/logon"), SignUpView{Form: Form{Values: map[string]string{"usuario": "n"}, Errors: map[string]string{"usuario": "form.login_invalid", "acceso": "form.password_short"}}})},
		{"error-404", Error(page("Not found", "/nowhere"), ErrorView{Status: 404, RequestID: "01KAMZ5D7Q"})},
		{"error-403", Error(page("Forbidden", "/home/panel"), ErrorView{Status: 403})},
		{"error-500", Error(in(page("Error", "/home")), ErrorView{Status: 500, RequestID: "01KAMZ5D7Q"})},
		{"plain-503", PlainError(lang, 503, "", "", "01KAMZ5D7Q")},
	}
}
