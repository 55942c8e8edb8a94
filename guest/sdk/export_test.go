package sdk

import (
	"net/http"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
)

// spy is a Fake's request that tells of each call.
type spy struct {
	*fakeTx
	tell func(abi.Op, []byte)
}

// call tells and passes on.
func (s spy) call(op abi.Op, message []byte) (abi.Status, []byte) {
	s.tell(op, message)
	return s.fakeTx.call(op, message)
}

// Spy runs f in a request and tells of the bytes of each call that it makes.
func Spy(method string, tell func(op abi.Op, message []byte), f func(*Request)) {
	turn.Lock()
	defer turn.Unlock()
	r, err := http.NewRequest(method, "/spy", nil)
	if err != nil {
		panic(err)
	}
	tx := NewFake().begin(r, method+" /spy")
	tx.request = r
	before := current
	current = spy{tx, tell}
	defer func() { current = before }()
	f(newRequest())
}

// NoHost is what handlers meet outside a Fake.
func NoHost() { noHost{}.call(abi.OpNow, nil) }

// ServeSpy runs the function of a route that changes things, tells of each
// call, and gives what is left to commit.
func ServeSpy(tell func(op abi.Op, message []byte), pattern, path string) (left int) {
	turn.Lock()
	defer turn.Unlock()
	method, _, _ := strings.Cut(pattern, " ")
	r, err := http.NewRequest(method, path, nil)
	if err != nil {
		panic(err)
	}
	var tx *fakeTx
	mux := http.NewServeMux()
	mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) {
		tx = NewFake().begin(r, pattern)
		tx.request = r
	})
	mux.ServeHTTP(nil, r)
	before := current
	current = spy{tx, tell}
	defer func() { current = before }()
	serve()
	return len(tx.writes) + len(tx.session)
}
