package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestRequestContext compares the context of a request with that of the
// standard library, asked in every order.
func TestRequestContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	steps := map[string]func(i *requestInfo, gone context.CancelFunc) error{
		"nothing": func(*requestInfo, context.CancelFunc) error { return nil },
		"deadline": func(*requestInfo, context.CancelFunc) error {
			time.Sleep(2 * time.Second)
			return context.DeadlineExceeded
		},
		"client goes":        func(_ *requestInfo, gone context.CancelFunc) error { gone(); return context.Canceled },
		"answered":           func(i *requestInfo, _ context.CancelFunc) error { i.end(); return context.Canceled },
		"answered too late":  func(i *requestInfo, _ context.CancelFunc) error { time.Sleep(2 * time.Second); i.end(); return nil },
		"gone after the end": func(i *requestInfo, gone context.CancelFunc) error { i.end(); gone(); return context.Canceled },
	}
	for name, step := range steps {
		for _, early := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				parent, gone := context.WithCancel(context.WithValue(context.Background(), key{}, "below"))
				defer gone()
				i := &requestInfo{parent: parent, deadline: time.Now().Add(time.Second)}
				defer i.end()
				var child context.Context = i
				if early {
					made, cancel := context.WithCancel(i)
					defer cancel()
					child = made
				}
				want := step(i, gone)
				synctest.Wait()
				if err := child.Err(); want != nil && !errors.Is(err, want) || want == nil && name == "nothing" && err != nil {
					t.Errorf("%s, early %t: error %v, want %v", name, early, err, want)
				}
				select {
				case <-i.Done():
					if name == "nothing" {
						t.Errorf("%s, early %t: done", name, early)
					}
				default:
					if name != "nothing" {
						t.Errorf("%s, early %t: not done", name, early)
					}
				}
				if child.Value(key{}) != "below" || child.Value(infoKey{}) != i {
					t.Errorf("%s, early %t: values are lost", name, early)
				}
				if d, ok := child.Deadline(); !ok || !d.Equal(i.deadline) {
					t.Errorf("%s: the deadline is %v", name, d)
				}
			})
		}
	}
}
