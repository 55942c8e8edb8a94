package debug

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"

	"github.com/lectern-lms/lectern/host/transaction"
)

// Guard answers 403 instead of the endpoint while debugging is off, in the
// words of NOW LMS, whose run-book looks for them.
func Guard(enabled bool, next http.Handler) http.Handler {
	if enabled {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusForbidden, map[string]string{
			"error": "Debug endpoints are not enabled", "help": "Set LMS_DEBUG_ENDPOINTS=1",
		})
	})
}

// worker says which process answered.
type worker struct {
	PID     int     `json:"pid"`
	Index   int     `json:"index"`
	Workers *string `json:"workers_env"`
	Threads *string `json:"threads_env"`
}

// currentUser is who is signed in, under NOW LMS's names.
type currentUser struct {
	ID      string `json:"id"`
	Usuario string `json:"usuario"`
	Tipo    string `json:"tipo"`
	Activo  bool   `json:"activo"`
}

// sessionReport is the answer of /debug/session.
type sessionReport struct {
	Worker        worker            `json:"worker"`
	Backend       string            `json:"session_backend"`
	Interface     string            `json:"session_interface"`
	Data          map[string]string `json:"session_data"`
	CurrentUser   *currentUser      `json:"current_user"`
	Authenticated bool              `json:"authenticated"`
}

// hidden stands for values that are shown to nobody.
const hidden = "[hidden]"

// shownPrefix marks the session values that handlers set; the host's own are
// listed without their content.
const shownPrefix = "v."

// Session answers which worker this is and whom it takes the asker for.
func Session(world transaction.World, backend string, index int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookies := world.Sessions.Cookies(r)
		account, err := world.Begin(transaction.Scope{Cookies: cookies, Safe: true}).Account(r.Context())
		if err != nil {
			storeTrouble(w)
			return
		}
		s, err := world.Sessions.Load(r.Context(), cookies)
		if err != nil {
			storeTrouble(w)
			return
		}
		report := sessionReport{
			Worker:  worker{PID: os.Getpid(), Index: index, Workers: variable("WORKERS"), Threads: variable("THREADS")},
			Backend: backend, Interface: "kv/session", Data: map[string]string{},
		}
		if account == nil && s.User() != "" {
			s.Drop() // Its values are nobody's any more.
		}
		for _, name := range s.Names() {
			value, _ := s.Get(name)
			if shown, ok := strings.CutPrefix(name, shownPrefix); ok {
				report.Data[shown] = value
			} else {
				report.Data["_"+name] = hidden
			}
		}
		if account != nil {
			report.Data["_user_id"] = hidden
			report.Authenticated = true
			report.CurrentUser = &currentUser{ID: account.ID, Usuario: account.Login, Tipo: account.Role, Activo: account.Active}
		}
		writeJSON(w, http.StatusOK, report)
	})
}

// storeTrouble answers when nobody can say who is signed in.
func storeTrouble(w http.ResponseWriter) {
	writeJSON(w, http.StatusServiceUnavailable, map[string]string{
		"error": "The session store does not answer", "help": "See /readyz and the log",
	})
}

// variable is an LMS_ variable under either name, nil if it is not set.
func variable(name string) *string {
	for _, full := range []string{"LMS_" + name, "NOW_LMS_" + name} {
		if v, ok := os.LookupEnv(full); ok {
			return &v
		}
	}
	return nil
}

// writeJSON answers in JSON that no cache may keep.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the asker may have gone
}
