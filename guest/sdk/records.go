package sdk

import (
	"fmt"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
)

// Get reads a record. The value is the handler's own copy.
func (r *Request) Get(key string) (value []byte, found bool, err error) {
	a, err := ask(abi.OpGet, abi.Writer(nil).String(key))
	if err != nil {
		return nil, false, err
	}
	found = a.Bool()
	value = append([]byte(nil), a.Bytes()...)
	return value, found, a.Done()
}

// Scan lists the records whose keys begin with prefix, in the order of their
// keys, after a key and at most limit of them (0: as many as there are).
func (r *Request) Scan(prefix, after string, limit int) ([]abi.Record, error) {
	var all []abi.Record
	for {
		left := 0
		if limit > 0 {
			left = limit - len(all)
		}
		a, err := ask(abi.OpScan, abi.Writer(nil).String(prefix).String(after).Uint(uint64(left)))
		if err != nil {
			return nil, err
		}
		more := a.Bool()
		page := a.Records()
		if err := a.Done(); err != nil {
			return nil, err
		}
		for i := range page {
			page[i].Value = append([]byte(nil), page[i].Value...)
		}
		all = append(all, page...)
		if !more || len(page) == 0 || (limit > 0 && len(all) >= limit) {
			return all, nil
		}
		after = page[len(page)-1].Key
	}
}

// Put writes a record when the request commits.
func (r *Request) Put(key string, value []byte) error { return r.PutTTL(key, value, 0) }

// PutTTL writes a record that vanishes after ttl, rounded up to whole seconds;
// 0 means that it stays.
func (r *Request) PutTTL(key string, value []byte, ttl time.Duration) error {
	if ttl < 0 {
		return fmt.Errorf("%w: the time to live of %s is negative", ErrCall, key)
	}
	seconds := ttl / time.Second
	if ttl%time.Second > 0 {
		seconds++
	}
	_, err := ask(abi.OpPut, abi.Writer(nil).String(key).Bytes(value).Uint(uint64(seconds)))
	return err
}

// Delete removes a record when the request commits.
func (r *Request) Delete(key string) error {
	_, err := ask(abi.OpDelete, abi.Writer(nil).String(key))
	return err
}
