package jetstream

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// routeTLS is how the nodes of a cluster know one another: by mutual TLS, with
// no certificates to hand around. The cluster's secret gives, on each node,
// the same key of a certificate authority; with it a node signs its own
// certificate, new at each start, and checks those of the others. Who does not
// know the secret cannot join, nor read what the nodes send.
type routeTLS struct {
	node, cluster string
	own           tls.Certificate
	roots         *x509.CertPool

	mu     sync.Mutex
	faults map[string]time.Time // what was wrong with others, and when last
}

// Parts of the derived certificates.
const (
	// routeKeyUse keeps this key apart from others made of the same secret.
	routeKeyUse = "lectern cluster routes v1"
	// routeAuthority is the name of each authority.
	routeAuthority = "lectern cluster"
	// faultAge is for how long a fault is worth telling: a node that had it
	// tries again every second or so.
	faultAge = 15 * time.Second
)

// The certificates hold at any time that a clock may show: it is the secret
// that ends, and a node whose clock jumps must not be shut out.
var (
	routeFrom = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	routeTo   = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// newRouteTLS makes this node's certificate.
func newRouteTLS(node string, c *Cluster) (*routeTLS, error) {
	r := &routeTLS{node: node, cluster: c.Name, roots: x509.NewCertPool(), faults: map[string]time.Time{}}
	var signer ed25519.PrivateKey
	var authority *x509.Certificate
	for i, secret := range c.Secrets {
		key, cert, err := deriveAuthority(secret)
		if err != nil {
			return nil, fmt.Errorf("jetstream: derive the cluster's key: %w", err)
		}
		if i == 0 {
			signer, authority = key, cert
		}
		r.roots.AddCert(cert)
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("jetstream: make the node's key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("jetstream: make the node's certificate: %w", err)
	}
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: node, Organization: []string{c.Name}},
		NotBefore: routeFrom, NotAfter: routeTo, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}, authority, public, signer)
	if err != nil {
		return nil, fmt.Errorf("jetstream: make the node's certificate: %w", err)
	}
	r.own = tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: private}
	return r, nil
}

// deriveAuthority makes the authority of a secret, the same on each node.
func deriveAuthority(secret string) (ed25519.PrivateKey, *x509.Certificate, error) {
	seed, err := hkdf.Key(sha256.New, []byte(secret), nil, routeKeyUse, ed25519.SeedSize)
	if err != nil {
		return nil, nil, err
	}
	key := ed25519.NewKeyFromSeed(seed)
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: routeAuthority},
		NotBefore: routeFrom, NotAfter: routeTo, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, &x509.Certificate{Subject: pkix.Name{CommonName: routeAuthority}}, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(raw)
	return key, cert, err
}

// config is the TLS configuration of both ends of a route. The standard check
// of the other's certificate is replaced by verify, which is stricter where it
// counts and can say what is wrong; host names mean nothing here.
func (r *routeTLS) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{r.own},
		ClientAuth: tls.RequireAnyClientCert, InsecureSkipVerify: true, VerifyConnection: r.verify,
	}
}

// verify takes another node if it knows one of the secrets, is of the same
// cluster and has a name of its own. A node may reach itself: its address is
// among those that it tries.
func (r *routeTLS) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the other end shows no certificate")
	}
	cert := state.PeerCertificates[0]
	name := cert.Subject.CommonName
	_, err := cert.Verify(x509.VerifyOptions{Roots: r.roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	switch {
	case err != nil:
		return r.fault(fmt.Sprintf("node %.64q has another SECRET_KEY than this one; set the same on all nodes", name))
	case len(cert.Subject.Organization) != 1 || cert.Subject.Organization[0] != r.cluster:
		return r.fault(fmt.Sprintf("node %.64q belongs to cluster %.64q and not to %q; set the same name on all nodes", name, cert.Subject.Organization, r.cluster))
	case name == r.node && !bytes.Equal(cert.Raw, r.own.Certificate[0]):
		return r.fault(fmt.Sprintf("another node has the name %q of this one too; give each its own", name))
	}
	return nil
}

// fault remembers what is wrong with another node, for AwaitQuorum.
func (r *routeTLS) fault(text string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults[text] = time.Now()
	return errors.New(text)
}

// found are the faults of the last while.
func (r *routeTLS) found() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var texts []string
	for text, at := range r.faults {
		if time.Since(at) > faultAge {
			delete(r.faults, text)
			continue
		}
		texts = append(texts, text)
	}
	return texts
}
