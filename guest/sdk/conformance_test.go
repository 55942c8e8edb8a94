package sdk

import (
	"net/http"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi/abitest"
)

// TestFakeAnswersAsAHostMust runs the suite that host/transaction runs too.
func TestFakeAnswersAsAHostMust(t *testing.T) {
	t.Parallel()
	abitest.Run(t, func(_ *testing.T, site abitest.Site) abitest.Host {
		ada := FakeAccount{
			User:     User{ID: abitest.Ada.ID, Login: abitest.Ada.Login, Email: abitest.Ada.Email},
			Password: abitest.Ada.Password, Role: abitest.Ada.Role,
		}
		f := NewFake()
		f.Manifest, f.Records, f.Settings, f.Setup = site.Manifest, site.Records, site.Settings, site.Setup
		f.AcceptLanguage, f.Accounts = site.AcceptLanguage, []FakeAccount{ada}
		if site.SignedIn {
			f.SignIn(ada.User.Login)
		}
		method := http.MethodPost
		if site.Safe {
			method = http.MethodGet
		}
		tx := f.begin(&http.Request{Method: method}, site.Pattern)
		tx.values, tx.form = site.Values, site.Form
		return tx.call
	})
}
