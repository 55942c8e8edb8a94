// Package bench measures Lectern against what one would take instead. Each
// benchmark reports ratios of things measured in turns in one run, since
// machines differ and are noisy; absolute figures are notes.
//
//	go test ./bench -run '^$' -bench Engine   the sandbox: what being pristine costs
//	go test ./bench -run '^$' -bench HTTP     a page over HTTP against native net/http
package bench
