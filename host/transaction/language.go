package transaction

import (
	"context"
	"strings"
	"sync"

	"github.com/lectern-lms/lectern/guest/abi"
	"golang.org/x/text/language"
)

// maxMatchers is how many offers of languages are kept ready. Each handler
// makes one or two, always the same.
const maxMatchers = 64

// matchers keeps the matcher of each offer, since to make one takes 50 us.
var matchers = struct {
	sync.RWMutex
	byTags map[string]language.Matcher
}{byTags: map[string]language.Matcher{}}

// matcherOf gives the matcher of an offer. A tag that is no language tag is
// the handler's fault.
func matcherOf(tags []string) (language.Matcher, error) {
	if len(tags) == 0 {
		return nil, refuse(abi.StatusInvalid, "no language to choose from")
	}
	key := strings.Join(tags, " ")
	matchers.RLock()
	m := matchers.byTags[key]
	matchers.RUnlock()
	if m != nil {
		return m, nil
	}
	offer := make([]language.Tag, len(tags))
	for i, s := range tags {
		tag, err := language.Parse(s)
		if err != nil {
			return nil, refuse(abi.StatusInvalid, "%.40q is not a language tag", s)
		}
		offer[i] = tag
	}
	m = language.NewMatcher(offer)
	matchers.Lock()
	defer matchers.Unlock()
	if len(matchers.byTags) < maxMatchers {
		matchers.byTags[key] = m
	}
	return m, nil
}

// language picks the tag that suits the reader best; the first one if none
// does.
func (t *Tx) language(_ context.Context, in *abi.Reader) (abi.Writer, error) {
	tags := in.Strings()
	if err := in.Done(); err != nil {
		return nil, err
	}
	m, err := matcherOf(tags)
	if err != nil {
		return nil, err
	}
	wanted, _, err := language.ParseAcceptLanguage(t.scope.AcceptLanguage)
	if err != nil {
		wanted = nil
	}
	_, i, _ := m.Match(wanted...)
	return abi.Writer(nil).String(tags[i]), nil
}
