package sdk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/sdk"
)

// The routes of this package's tests stand in for a handler's.
func init() {
	sdk.Handle("GET /echo/{name}", echo)
	sdk.Handle("POST /form", form)
	sdk.Handle("POST /write/{how}", write)
	sdk.Handle("GET /write", func(_ *sdk.Response, r *sdk.Request) error { return r.Put("a/b", nil) })
	sdk.Handle("GET /scan", scan)
	sdk.Handle("GET /error/{kind}", fail)
	sdk.Handle("GET /next", next)
	sdk.Handle("GET /who", who)
	sdk.Handle("POST /session", session)
	sdk.Handle("POST /in", func(w *sdk.Response, r *sdk.Request) error {
		outcome, _, err := r.SignIn("login", "password")
		return told(w)(outcome, err)
	})
	sdk.Handle("POST /up", func(w *sdk.Response, r *sdk.Request) error {
		outcome, id, err := r.SignUp("login", "email", "password", "student")
		w.Header("Id", id)
		return told(w)(outcome, err)
	})
	sdk.Handle("POST /out", func(_ *sdk.Response, r *sdk.Request) error { return r.SignOut() })
	sdk.Handle("POST /setup", func(w *sdk.Response, r *sdk.Request) error {
		outcome, _, err := r.CreateAccount("root", "", "long enough", "admin")
		return told(w)(outcome, err)
	})
	sdk.Handle("GET /admin", func(w *sdk.Response, _ *sdk.Request) error { w.Text(200, "secret"); return nil })
	sdk.Handle("GET /page", func(w *sdk.Response, _ *sdk.Request) error { return w.Page(201, paragraph{}) })
	sdk.Handle("GET /broken", func(w *sdk.Response, _ *sdk.Request) error { return w.Page(200, paragraph{errors.New("no paper")}) })
	sdk.HandleErrors(func(w *sdk.Response, r *sdk.Request) error {
		w.Text(200, "sorry: "+strconv.Itoa(r.ErrorStatus())+" "+r.ID())
		return nil
	})
}

// paragraph is a Component.
type paragraph struct{ fault error }

// Render implements sdk.Component.
func (p paragraph) Render(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, "<p>hello</p>")
	return errors.Join(err, p.fault)
}

// told answers with the number of an outcome.
func told(w *sdk.Response) func(abi.Outcome, error) error {
	return func(o abi.Outcome, err error) error {
		w.Text(200, strconv.Itoa(int(o)))
		return err
	}
}

// echo answers with all that a request says of itself.
func echo(w *sdk.Response, r *sdk.Request) error {
	if r.PathValue("none") != "" || r.ErrorStatus() != 0 {
		return errors.New("a wildcard that the pattern does not have")
	}
	w.Header("X-Now", r.Now().Format(time.RFC3339))
	w.Header("X-Random", strconv.Itoa(len(r.Random(5))))
	w.Text(200, strings.Join([]string{
		r.Method(), r.PathValue("name"), r.Path(), r.URI(), r.Query("q"), r.Header("X-Thing"), r.Header("Cookie"),
		r.Language([]string{"en", "es"}), r.Setting(abi.SettingSiteName),
	}, "|"))
	return nil
}

// form answers with the posted fields and body.
func form(w *sdk.Response, r *sdk.Request) error {
	fmt.Fprintf(w, "%q %t %t %d", r.Form("a"), r.HasForm("a"), r.HasForm("b"), len(r.Body()))
	return nil
}

// write changes everything there is to change, and ends as its route says.
func write(w *sdk.Response, r *sdk.Request) error {
	w.Text(202, "written")
	err := errors.Join(
		r.Put("a/put", []byte("new")), r.Delete("a/gone"), r.PutTTL("a/short", nil, time.Second),
		r.SetSessionValue("lang", "es"), r.Notify("done"))
	if err != nil {
		return err
	}
	if value, found, err := r.Get("a/put"); err != nil || !found || string(value) != "new" {
		return fmt.Errorf("own write is not read back: %q %t %w", value, found, err)
	}
	switch r.PathValue("how") {
	case "error":
		return errors.New("after all that")
	case "missing":
		return fmt.Errorf("looked everywhere: %w", sdk.ErrNotFound)
	}
	return nil
}

// scan lists records as the query says.
func scan(w *sdk.Response, r *sdk.Request) error {
	limit, _ := strconv.Atoi(r.Query("limit"))
	records, err := r.Scan(r.Query("prefix"), r.Query("after"), limit)
	if err != nil {
		return err
	}
	for _, rec := range records {
		fmt.Fprintf(w, "%s=%s\n", rec.Key, bytes.ToUpper(rec.Value))
	}
	return nil
}

// fail returns an error of the kind that the route names.
func fail(_ *sdk.Response, r *sdk.Request) error {
	switch r.PathValue("kind") {
	case "down":
		_, _, err := r.Get("a/b")
		return err
	case "status":
		return fmt.Errorf("wrapped: %w", sdk.StatusError(418))
	}
	return map[string]error{"forbidden": sdk.ErrForbidden, "bad": sdk.ErrBadRequest}[r.PathValue("kind")]
}

// next redirects to where the query says, if that is here.
func next(w *sdk.Response, r *sdk.Request) error {
	w.Redirect(sdk.LocalPath(r.Query("to"), "/home"))
	return nil
}

// who answers with the reader and what waits for them.
func who(w *sdk.Response, r *sdk.Request) error {
	u := r.User()
	fmt.Fprintf(w, "%t %s %s %s %s %q %q", r.SignedIn(), u.ID, u.Login, u.Email, r.Role(), r.SessionValue("lang"), r.Notices())
	return nil
}

// session sets or, without a value, deletes a session value.
func session(_ *sdk.Response, r *sdk.Request) error {
	if r.HasForm("value") {
		return r.SetSessionValue(r.Form("name"), r.Form("value"))
	}
	return r.DeleteSessionValue(r.Form("name"))
}
