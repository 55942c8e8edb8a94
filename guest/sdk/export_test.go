package sdk

import (
	"net/http"

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
