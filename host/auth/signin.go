package auth

import (
	"context"
	"errors"
	"hash/maphash"
	"net/netip"
	"time"
)

// signInSlots is how many people can sign in side by side in one process, as
// far as they do not share a slot by chance.
const signInSlots = 256

// Attempt is one try to sign in.
type Attempt struct {
	// Login is a login or an e-mail address as it was typed.
	Login, Password string
	// Address is the client's, behind trusted proxies.
	Address netip.Addr
	// Device is the value of the cookie that KnownDevice gave, "" if none.
	Device string
}

// SignIn is Check for people: it refuses with a Throttled, without looking at
// the password, who has failed too often; see the limits. Names that do not
// exist are counted like others, so that nothing can be learnt from it. A
// success costs no write unless failures came before it.
func (a *Auth) SignIn(ctx context.Context, t Attempt) (Account, error) {
	rec, _, err := a.find(ctx, t.Login)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return Account{}, err
	}
	who := "id " + rec.ID
	if err != nil {
		who = "name " + normal(t.Login[:min(len(t.Login), maxEmail)])
	}
	return a.limited(ctx, who, rec.Account, t, func() (Account, error) { return a.Check(ctx, t.Login, t.Password) })
}

// limited runs a check of a password unless one of the limits for it is used
// up, and counts its failure. Attempts on one account take turns within this
// process, so that many at once are not all let in before the first of them
// has failed.
func (a *Auth) limited(ctx context.Context, who string, account Account, t Attempt, check func() (Account, error)) (Account, error) {
	end, err := a.takeTurn(ctx, who)
	if err != nil {
		return Account{}, err
	}
	defer end()
	counters := a.counters(who, account, t)
	for _, c := range counters {
		if err := a.readCounter(ctx, c); err != nil {
			return Account{}, err
		}
		if wait := c.wait(time.Now()); wait > 0 {
			a.log.WarnContext(ctx, "an attempt to sign in was refused", "limit", c.kind, "wait", wait.Round(time.Second))
			return Account{}, Throttled{Wait: wait, Kind: c.kind}
		}
	}
	account, err = check()
	if errors.Is(err, ErrWrong) {
		for _, c := range counters {
			if err := a.countFailure(ctx, c); err != nil {
				return Account{}, err
			}
		}
	}
	if err == nil {
		err = a.forgive(ctx, counters[0])
	}
	if err != nil {
		return Account{}, err
	}
	return account, nil
}

// counters are those that an attempt counts against, the narrowest first.
func (a *Auth) counters(who string, account Account, t Attempt) []*counter {
	if nonce, known := a.knows(t.Device, account); known {
		return []*counter{newCounter(deviceLimit, who, nonce)}
	}
	from := network(t.Address)
	return []*counter{newCounter(pairLimit, who, from), newCounter(accountLimit, who), newCounter(addressLimit, from)}
}

// takeTurn waits until no other attempt on the same account is under way in
// this process, and gives the function that ends the turn.
func (a *Auth) takeTurn(ctx context.Context, who string) (end func(), err error) {
	slot := a.slots[maphash.String(a.seed, who)%signInSlots]
	select {
	case slot <- struct{}{}:
		return func() { <-slot }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
