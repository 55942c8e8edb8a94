package server

import (
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// contentPolicy lets a page load from this site alone: no inline script or
// style, no frames around it, forms only to itself.
const contentPolicy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// hsts tells browsers to use HTTPS alone for two years.
var hsts = []string{"max-age=63072000; includeSubDomains"}

// securityHeaders are those of every response. All share their values, to
// which nothing may be assigned.
var securityHeaders = []struct {
	name   string
	values []string
}{
	{"Content-Security-Policy", []string{contentPolicy}},
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"X-Frame-Options", []string{"DENY"}},
	{"Referrer-Policy", []string{"same-origin"}},
	{"Cross-Origin-Opener-Policy", []string{"same-origin"}},
}

// infoOf gives the requestInfo; an empty one outside the middleware.
func infoOf(r *http.Request) *requestInfo {
	info, ok := r.Context().Value(infoKey{}).(*requestInfo)
	if !ok {
		return &requestInfo{}
	}
	return info
}

// middleware wraps the routes in what every request passes, outermost first.
func (s *Server) middleware(routes http.Handler) http.Handler {
	h := s.crossOrigin(routes)
	h = s.secure(h)
	h = s.recovered(h)
	return s.observed(h)
}

// observed gives the request its id, finds out who asks, and writes one line
// to the log when it is answered.
func (s *Server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		info := &requestInfo{parent: r.Context(), deadline: begin.Add(s.options.Timeout), id: newRequestID(), route: "unmatched"}
		defer info.end()
		info.client, info.https = s.clientOf(r)
		w.Header()["X-Request-Id"] = []string{info.id}
		rec := &recorder{ResponseWriter: w}
		defer func() {
			took := time.Since(begin)
			s.options.Logger.LogAttrs(info, slog.LevelInfo, "request",
				slog.String("request_id", info.id), slog.String("method", r.Method), slog.String("route", info.route),
				slog.Int("status", rec.code()), slog.Int("bytes", rec.bytes), slog.Duration("took", took))
			if s.options.Observe != nil {
				s.options.Observe(info.route, rec.code(), took)
			}
		}()
		next.ServeHTTP(rec, r.WithContext(info))
	})
}

// newRequestID draws 64 bits: enough to find one request in a log. It is no
// secret, so it need not cost a system call.
func newRequestID() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], rand.Uint64())
	return hex.EncodeToString(b[:])
}

// recovered turns a panic of the host into the page 500.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.options.Logger.Error("the host panicked", "request_id", infoOf(r).id, "panic", p, "stack", string(debug.Stack()))
			if rec, ok := w.(*recorder); ok && rec.status != 0 {
				panic(http.ErrAbortHandler) // half an answer is sent: a cut connection says so
			}
			s.plainError(w, r, http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// secure sets the security headers and, if asked for, insists on HTTPS.
func (s *Server) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for _, fixed := range securityHeaders {
			h[fixed.name] = fixed.values
		}
		if !s.options.ForceHTTPS || isProbe(r) {
			next.ServeHTTP(w, r)
			return
		}
		if !infoOf(r).https {
			http.Redirect(w, r, "https://"+r.Host+r.URL.RequestURI(), http.StatusPermanentRedirect)
			return
		}
		h["Strict-Transport-Security"] = hsts
		next.ServeHTTP(w, r)
	})
}

// isProbe is true of what orchestrators ask directly, by plain HTTP.
func isProbe(r *http.Request) bool {
	return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" || r.URL.Path == "/metrics"
}

// crossOrigin refuses forms that another site's page sends: by the browser's
// Sec-Fetch-Site header, or else by Origin. Clients that send neither, such
// as curl, are no browser and carry no reader's cookie unasked.
func (s *Server) crossOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.options.Logger.Warn("a request from another site was refused", "request_id", infoOf(r).id, "method", r.Method)
		s.plainError(w, r, http.StatusForbidden) // nobody's session is touched
	}))
	return protection.Handler(next)
}

// clientOf finds the client's address and whether it came by HTTPS. The
// headers of a proxy count only as far as a chain of trusted proxies wrote
// them: read from the right, the first address that is no trusted proxy.
func (s *Server) clientOf(r *http.Request) (netip.Addr, bool) {
	https := r.TLS != nil
	port, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, https
	}
	client := port.Addr().Unmap()
	if !s.trusted(client) {
		return client, https
	}
	https = https || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(chain) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if client = addr.Unmap(); !s.trusted(client) {
			break
		}
	}
	return client, https
}

// trusted reports whether an address is that of a trusted proxy.
func (s *Server) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(s.options.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// recorder notes the status and length of a response for the log.
type recorder struct {
	http.ResponseWriter
	status, bytes int
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// code is the status that was sent; 200 if the handler sent nothing.
func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}
