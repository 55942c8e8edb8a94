module github.com/lectern-lms/lectern/host/e2e/tck

go 1.26.0

require github.com/http-wasm/http-wasm-host-go v0.7.0
