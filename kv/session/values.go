package session

import (
	"fmt"
	"maps"
	"slices"
)

// base returns the stored values that are still visible.
func (s *Session) base() map[string]string {
	if s.forget {
		return nil
	}
	return s.rec.values
}

// Get returns a value, this request's own change before the stored one.
func (s *Session) Get(name string) (string, bool) {
	old, ok := s.base()[name]
	if c := s.changes[name]; c != nil {
		return c(old, ok)
	}
	return old, ok
}

// Set gives a value a name. Any bytes are allowed. It changes nothing and
// returns [ErrTooLarge] if the session would go over a limit; Save returns the
// same if another request's changes and these are too much together.
func (s *Session) Set(name, value string) error {
	return s.Update(name, func(string, bool) (string, bool) { return value, true })
}

// Update makes a value of the old one, if there is one (ok), or removes it if
// f does not keep it. If another request changes the same value before Save
// has written, f is called again with what that one made of it, so no change is
// lost: f must depend on nothing but the old value. The error is that of Set.
func (s *Session) Update(name string, f func(old string, ok bool) (value string, keep bool)) error {
	before, next := s.changes[name], change(f)
	if before != nil {
		next = func(old string, ok bool) (string, bool) { return f(before(old, ok)) }
	}
	merged := s.merged()
	had, ok := s.base()[name]
	value, keep := next(had, ok)
	if keep {
		merged[name] = value
	} else {
		delete(merged, name)
	}
	if err := checkValues(merged); err != nil && keep {
		return err
	}
	if keep == ok && value == had {
		// The request undoes its own change, so it need not be written.
		delete(s.changes, name)
		return nil
	}
	if s.changes == nil {
		s.changes = make(map[string]change)
	}
	s.changes[name] = next
	return nil
}

// Delete removes a value; removing an absent one is no change.
func (s *Session) Delete(name string) {
	_ = s.Update(name, func(string, bool) (string, bool) { return "", false }) // It only makes the session smaller.
}

// Names lists the names of all values in ascending order.
func (s *Session) Names() []string { return slices.Sorted(maps.Keys(s.merged())) }

// merged returns the stored values with this request's changes on top; the
// caller owns the map.
func (s *Session) merged() map[string]string {
	values := make(map[string]string, len(s.base())+len(s.changes))
	maps.Copy(values, s.base())
	for name, c := range s.changes {
		old, ok := s.base()[name]
		if value, keep := c(old, ok); keep {
			values[name] = value
		} else {
			delete(values, name)
		}
	}
	return values
}

// forgetValues hides the stored values and drops changes that only deleted
// some of them.
func (s *Session) forgetValues() {
	s.forget = true
	maps.DeleteFunc(s.changes, func(_ string, c change) bool {
		_, keep := c("", false)
		return !keep
	})
}

// checkValues reports the first limit that values exceed.
func checkValues(values map[string]string) error {
	if len(values) > maxNames {
		return fmt.Errorf("%w: %d values, the most is %d", ErrTooLarge, len(values), maxNames)
	}
	for name := range values {
		if name == "" || len(name) > maxName {
			return fmt.Errorf("%w: a name has %d bytes, 1 to %d are allowed", ErrTooLarge, len(name), maxName)
		}
	}
	if n := valuesSize(values); n > maxValues {
		return fmt.Errorf("%w: names and values have %d bytes, the most is %d", ErrTooLarge, n, maxValues)
	}
	return nil
}
