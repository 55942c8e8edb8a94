// Command setup is the handler that fills an empty store with the demo site:
// its courses and two people to try them as. No visitor can reach it; the
// host asks it once, at the first start in development.
package main

import (
	"fmt"

	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
	"github.com/lectern-lms/lectern/guest/store"
)

// init registers the one route of the manifest.
func init() { sdk.Handle("POST /setup", setup) }

// main is never run: the host calls the functions that init registers.
func main() {}

// person is somebody of the demo site. The password is public knowledge, which
// is why the host never runs this handler in production.
type person struct {
	login, password, email, name, bio string
	role                              lms.Role
}

// people are the demo site's, beside the administrator whom the host makes.
var people = []person{
	{"student", "lms-student", "student@example.org", "Amina Okafor", "Learning in the evenings.", lms.RoleStudent},
	{"instructor", "lms-instructor", "instructor@example.org", "Tomás Herrera", "Teaches and edits.", lms.RoleInstructor},
}

// setup writes everything in one transaction: the site has all of it or none.
func setup(w *sdk.Response, r *sdk.Request) error {
	courses, texts, err := loadCourses()
	if err != nil {
		return err
	}
	now := r.Now()
	for _, c := range courses {
		if err := store.PutCourse(r, c); err != nil {
			return err
		}
		for id, text := range texts[c.Code] {
			if err := store.PutLessonText(r, c.Code, id, text); err != nil {
				return err
			}
		}
	}
	for _, p := range people {
		outcome, id, err := r.CreateAccount(p.login, p.email, p.password, string(p.role))
		if err != nil {
			return err
		}
		if outcome != sdk.OutcomeOK {
			return fmt.Errorf("setup: the account %s could not be made: outcome %d", p.login, outcome)
		}
		if err := store.PutProfile(r, id, lms.Profile{Name: p.name, Bio: p.bio, Joined: now}); err != nil {
			return err
		}
	}
	w.Text(200, fmt.Sprintf("%d courses", len(courses)))
	return nil
}
