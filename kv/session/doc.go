// Package session keeps visitors' sessions in any [kv.Store], behind a signed
// cookie. It needs nothing else of Lectern.
//
//	m, err := session.NewManager(store, session.Config{Keys: [][]byte{key}})
//	...
//	s, err := m.Load(ctx, cookieValue) // err: the store is away, answer 503
//	err = s.Set("lang", "es")
//	cookie, err := m.Save(ctx, s) // set the cookie unless it is nil
//
// # The cookie
//
// It is named "session", or "__Host-session" when secure. Its value is always
// 98 characters of base64url without padding, in one spelling, for 73 bytes:
//
//	 1  version, 1
//	32  id, random
//	 8  revision of the record, big-endian
//	32  HMAC-SHA256 of the cookie's name, a zero byte and the bytes above
//
// The HMAC key is HMAC-SHA256(secret, "lectern session cookie v1"), so that the
// same secret may serve other uses. The first key signs, all verify; a cookie
// that an older key signed is replaced at the next Save. There is no key id:
// nothing in the cookie can choose how it is checked. The revision lets a
// process see that its own copy of the record is too old.
//
// # The record
//
// It lies under "s/" and a hash of the id, so that whoever reads the store
// cannot make a cookie. Under "u/", a hash of the user and the hash of the id
// is an index entry per signed-in session, for [Manager.List] and
// [Manager.RevokeUser]; it may outlive its record and proves nothing. A record
// of another version, or a damaged one, is no session; it is left in place
// and a warning is logged, so a roll-back of the program loses nothing.
//
// # Lifetimes
//
// A session ends when it has been idle for [Config.Idle] or has existed for
// [Config.Absolute] since it began or was last signed in to, both 24 hours
// unless set. Each Load checks both by the record, the times to live in the
// store only clean up, two minutes later. The idle time is written at most
// every tenth of it and at most once a minute. A user may have any number of
// sessions at once.
//
// # Changes
//
// Nothing is stored until something is set or somebody signs in. Each write is
// a compare-and-swap on the record; after a conflict the request's own changes
// are made again on the newest record, name by name. So two tabs never lose
// each other's changes, and a request that is slower than a sign-out cannot
// bring the session back: Save returns [ErrEnded] and no cookie. It does not
// clear the cookie either, since after a sign-in in another tab the browser
// holds a newer one. For the same reason Load never clears the cookie of a
// dead session; only SignOut does.
//
// # Requirements
//
// The requirements of OWASP ASVS 5.0 (chapters 7 and 3.3 to 3.5) and of its
// Session Management Cheat Sheet, and what shows that they are met. "Caller"
// marks what a cookie library cannot do: it is for the server or the pages.
//
//	7.1.1   lifetimes documented            this page, TestDefaultsAreADay
//	7.1.2   parallel sessions documented    this page (no limit so far)
//	7.1.3   federated lifetimes             no federation so far
//	7.2.1   verified by the back end        TestVerifyRefusesEveryTamperedBit, TestForeignIDsAreNeverAdopted
//	7.2.2   dynamic tokens                  TestTokenHasAFreshID
//	7.2.3   random, 128 bits or more        TestTokenHasAFreshID (256)
//	7.2.4   new token at sign-in            TestSignInChangesTheID, TestSigningInAgainChangesTheIDAndKeepsValues
//	7.3.1   inactivity time-out             TestIdleTimeout, TestNothingIsWrittenAfterTheEnd
//	7.3.2   absolute lifetime               TestAbsoluteTimeout
//	7.4.1   sign-out ends the session       TestSignOutDestroysTheRecord, TestEndedStaysEnded, TestSignOutRacesSlowRequests
//	7.4.2   disabling ends all sessions     TestRevokeUserEndsAllButOne; caller
//	7.4.3   end others after a change       TestRevokeUserEndsAllButOne; caller
//	7.4.4   sign-out visible on each page   caller
//	7.4.5   administrators end sessions     TestRevokeUserEndsAllButOne; of all users by a new key, TestVerifyTakesAnOlderKey
//	7.5.1   password before changes         caller
//	7.5.2   users see their sessions        TestListShowsAUsersLiveSessions; caller
//	7.5.3   second check                    caller
//	7.6.1   provider's lifetimes            no federation so far
//	7.6.2   no session without an action    TestAnonymousVisitorsAreNotStored
//	3.3.1   Secure, prefixed name           TestCookieAttributes
//	3.3.2   SameSite                        TestCookieAttributes
//	3.3.3   __Host-                         TestCookieAttributes
//	3.3.4   HttpOnly                        TestCookieAttributes
//	3.3.5   at most 4096 bytes              TestTokenIsReadBack
//	3.4     security headers                caller
//	3.5.1   cross-site requests             caller
//	3.5.3   no change by GET                caller
//
//	generic cookie name                     TestCookieAttributes
//	id without meaning                      TestTokenHasAFreshID
//	only cookies, never URLs                caller
//	unknown ids are not adopted, logged     TestForeignIDsAreNeverAdopted
//	id checked before any look-up           TestForgedCookiesCostNoStoreAccess, FuzzVerify
//	renewal at a change of privilege        TestSigningInAgainChangesTheIDAndKeepsValues; caller
//	no Domain, minimal path                 TestCookieAttributes
//	not persistent                          TestCookieAttributes
//	never switches between TLS and not      TestVerifyRefusesWhatWasNotSigned
//	ids before and after sign-in apart      TestSignInChangesTheID
//	no-store, Clear-Site-Data               caller
//	life cycle logged with a salted hash    TestNothingSecretIsStoredOrLogged
//	reuse of a retired id                   logged as refused; no alarm so far
package session
