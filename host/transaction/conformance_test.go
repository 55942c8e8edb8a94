package transaction

import (
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/abi/abitest"
)

// TestAnswersAsAHostMust runs the suite that the SDK's Fake runs too.
func TestAnswersAsAHostMust(t *testing.T) {
	t.Parallel()
	abitest.Run(t, func(t *testing.T, site abitest.Site) abitest.Host {
		w := newWorld(t)
		for key, value := range site.Records {
			w.put(key, string(value))
		}
		w.Settings = site.Settings
		scope := Scope{
			Manifest: site.Manifest, Pattern: site.Pattern, Values: site.Values, RequestID: "r1", Safe: site.Safe,
			Setup: site.Setup, AcceptLanguage: site.AcceptLanguage, Form: site.Form,
		}
		if site.SignedIn {
			scope.Cookies = w.signedIn()
		}
		tx := w.Begin(scope)
		return func(op abi.Op, message []byte) (abi.Status, []byte) { return tx.Call(t.Context(), op, message) }
	})
}
