//go:build !wasip1

package sdk

import (
	"bytes"
	"io"
	"net/http"
)

// FakeAnswer is what the handlers behind one under test answer. A status from
// 400 on without a body stands for the site's error page.
type FakeAnswer struct {
	Status int
	Header http.Header
	Body   string
}

// passOn lets Fake.Next answer, as the host does with a next handler.
func (tx *fakeTx) passOn() {
	answer := FakeAnswer{Status: http.StatusNotFound}
	if tx.fake.Next != nil {
		r := tx.request.Clone(tx.request.Context())
		r.Header, r.Body, r.ContentLength = tx.requestHeader.Clone(), io.NopCloser(bytes.NewReader(tx.input)), int64(len(tx.input))
		answer = tx.fake.Next(r)
	}
	tx.status = answer.Status
	for name, values := range answer.Header {
		tx.answerHeader[http.CanonicalHeaderKey(name)] = values
	}
	tx.output.Reset()
	tx.output.WriteString(answer.Body)
	if answer.Status >= http.StatusBadRequest && answer.Body == "" {
		tx.answerHeader.Set(ErrorHeader, "1")
		tx.abandon()
		tx.spoilt = true
	}
	tx.passed = true
}

// setMethod implements host.
func (tx *fakeTx) setMethod(method string) { tx.request.Method = method }

// setURI implements host. What is no encoded path stops the handler.
func (tx *fakeTx) setURI(uri string) {
	u, err := tx.request.URL.Parse(uri)
	if err != nil || uri == "" || uri[0] != '/' {
		panic("sdk: the URI " + uri + " is not an encoded path")
	}
	tx.request.URL, tx.request.RequestURI = u, uri
}

// setRequestHeader implements host.
func (tx *fakeTx) setRequestHeader(name, value string) { tx.requestHeader.Set(name, value) }

// getStatus implements host.
func (tx *fakeTx) getStatus() int { return tx.status }

// answerHeader implements host.
func (tx *fakeTx) getAnswerHeader(name string) string { return tx.answerHeader.Get(name) }

// answerBody implements host.
func (tx *fakeTx) answerBody() []byte { return bytes.Clone(tx.output.Bytes()) }

// replaceHeader implements host.
func (tx *fakeTx) replaceHeader(name, value string) { tx.answerHeader.Set(name, value) }

// removeHeader implements host.
func (tx *fakeTx) removeHeader(name string) { tx.answerHeader.Del(name) }
