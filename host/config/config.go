// Package config turns the process's environment into one checked [Config].
// It is the only importer of the env package, so that the rest of the host
// takes plain Go values and knows nothing of variables.
//
// [Load] reports every fault at once; each names the variable, what is wrong
// with it and what to do. A secret's value is never part of a message: secrets
// are of type [Secret], which prints masked whatever prints it.
//
// A variable LMS_X may also be written NOW_LMS_X, so that the environment
// files of NOW LMS sites stay of use. A variable that is set to nothing counts
// as not set. Names that start with LMS_ or NOW_LMS_ and mean nothing to this
// build are never passed over in silence: they give a fault if leaving them
// out would change where data live, otherwise a warning.
package config

import (
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Config is the whole configuration of a process. The tags are read by [Load]
// and [Help]: env and envDefault name the variable and its default, alias one
// more name that is looked at last, shown the default as a person should read
// it where it depends on something, want what a value must look like, group
// and help the place and the text in the table.
type Config struct {
	Env         Environment `env:"LMS_ENV" envDefault:"development" group:"Site" want:"development or production" help:"What the site is for. development seeds a demo site, makes its own secret and listens on loopback; production asks for real secrets and passwords."`
	SiteName    string      `env:"LMS_SITE_NAME" envDefault:"Lectern" group:"Site" want:"1 to 80 characters on one line" help:"The name in the header and title of every page."`
	DataDir     string      `env:"LMS_DATA_DIR" envDefault:"./data" group:"Site" want:"a path" help:"The directory that holds everything the site keeps. One process at a time; made with mode 0700 if it is missing."`
	HandlersDir string      `env:"LMS_HANDLERS_DIR" shown:"none" group:"Site" want:"the path of a folder" help:"A folder of handlers that the site runs besides its own: NAME.wasm files, with NAME.json beside those that carry no manifest. Read at the start; whatever is wrong in it stops the start. guest/README.md describes manifests."`

	RedisURL        RedisURL `env:"REDIS_URL" shown:"none" group:"Store" want:"an address such as redis://user:password@host:6379/0" help:"A Redis of version 7 or later that keeps records, pages and sessions in place of the embedded store: redis://, rediss:// (TLS) or unix://. A Redis that cannot be reached stops the start."`
	SessionRedisURL RedisURL `env:"SESSION_REDIS_URL" shown:"REDIS_URL" group:"Store" want:"an address such as redis://user:password@host:6379/0" help:"The same for the sessions alone."`

	Bind    string `env:"LMS_BIND" shown:"by LMS_ENV" group:"Network" want:"an IP address, localhost, or * for all interfaces" help:"The address to listen on: 127.0.0.1 in development, all interfaces (*) in production."`
	Port    int    `env:"LMS_PORT" envDefault:"8080" alias:"PORT" group:"Network" want:"a whole number from 0 to 65535" help:"The TCP port to listen on; 0 lets the system choose one. PORT is read when LMS_PORT is not set."`
	Workers Count  `env:"LMS_WORKERS" envDefault:"1" alias:"WORKERS" group:"Network" want:"a whole number from 1 to 64, or the word auto" help:"How many processes serve requests. With more than one, a supervisor holds the listener and the store and replaces a worker that dies. auto chooses by processors and memory; lectern config says why. One is the fastest."`

	ForceHTTPS   bool           `env:"LMS_FORCE_HTTPS" envDefault:"false" group:"Network" want:"1, true, yes or on, or else 0, false, no or off" help:"Redirect plain HTTP to HTTPS and send HSTS. The proxy in front must be named in LMS_TRUSTED_PROXY."`
	TrustedProxy []netip.Prefix `env:"LMS_TRUSTED_PROXY" shown:"nobody" group:"Network" want:"addresses or CIDR ranges with commas between them, such as 127.0.0.1,10.0.0.0/8" help:"Whose X-Forwarded-For and X-Forwarded-Proto headers are believed."`

	SecretKey          Secret   `env:"SECRET_KEY" shown:"by LMS_ENV" group:"Sign-in" want:"32 or more random characters" help:"Signs the session cookies; the same on every process that shares a store. Development makes one and keeps it in LMS_DATA_DIR/secret.key; production needs at least 32 characters."`
	SecretKeyFallbacks []Secret `env:"SECRET_KEY_FALLBACKS" shown:"none" group:"Sign-in" want:"earlier keys with commas between them" help:"Earlier values of SECRET_KEY, separated by commas. Cookies that they signed are still accepted; new ones are signed with SECRET_KEY alone."`
	AdminUser          string   `env:"ADMIN_USER" shown:"by LMS_ENV" group:"Sign-in" want:"a name without spaces, at most 150 characters" help:"The first administrator, made when the site has none. Development falls back to lms-admin; production needs it at first start."`
	AdminPassword      Secret   `env:"ADMIN_PSWD" shown:"by LMS_ENV" group:"Sign-in" want:"8 or more characters" help:"The first administrator's password: 8 or more characters in production. Development falls back to lms-admin. Of no effect once an administrator exists."`

	CookieSecure    bool          `env:"SESSION_COOKIE_SECURE" shown:"by LMS_ENV" group:"Sessions" want:"1, true, yes or on, or else 0, false, no or off" help:"Send the session cookie over HTTPS only, under the name __Host-session: true in production, false in development."`
	CookieSameSite  SameSite      `env:"SESSION_COOKIE_SAMESITE" envDefault:"Lax" group:"Sessions" want:"Lax, Strict or None" help:"The SameSite attribute of the session cookie: Lax, Strict or None. None needs SESSION_COOKIE_SECURE."`
	SessionIdle     time.Duration `env:"LMS_SESSION_IDLE" envDefault:"24h" group:"Sessions" want:"a duration from 2m to 9600h, such as 24h" help:"A session that nobody uses for this long ends. Never longer than LMS_SESSION_ABSOLUTE: left unset, it follows a shorter one."`
	SessionAbsolute time.Duration `env:"LMS_SESSION_ABSOLUTE" envDefault:"24h" group:"Sessions" want:"a duration from 2m to 9600h, such as 168h" help:"A session ends this long after sign-in, used or not. With the default people sign in once a day; 168h is a week, and then LMS_SESSION_IDLE decides."`
	SessionLimit    int           `env:"LMS_SESSION_LIMIT" envDefault:"20" group:"Sessions" want:"a whole number from 1 to 200" help:"How many devices one person may be signed in on. A sign-in beyond that signs out those that have been unused for longest."`
	Remember        time.Duration `env:"LMS_REMEMBER" envDefault:"720h" group:"Sessions" want:"0, or a duration from 24h to 9600h, such as 720h" help:"How long a device stays signed in whose owner asks for it on the sign-in page, counted from there. 0 does not offer it, and ends what was offered before."`

	ClusterPeers []HostPort `env:"LMS_CLUSTER_PEERS" shown:"one node" group:"Cluster" want:"the addresses of all nodes as host:port, with commas between them" help:"The addresses at which the nodes of the site reach each other, all of them, this one's too: three to nine. With it the site runs on several nodes that hold the same data; it needs SECRET_KEY."`
	ClusterAddr  HostPort   `env:"LMS_CLUSTER_ADDR" shown:"none" group:"Cluster" want:"host:port, such as 10.0.0.1:6222, or :6222 for all interfaces" help:"The address on which this node takes connections of the others. They are encrypted and open only to who knows SECRET_KEY."`
	ClusterName  string     `env:"LMS_CLUSTER_NAME" envDefault:"lectern" group:"Cluster" want:"1 to 64 letters, digits, dots, - or _" help:"The cluster's name, the same on each node."`
	NodeName     string     `env:"LMS_NODE_NAME" shown:"host name" group:"Cluster" want:"1 to 64 letters, digits, dots, - or _" help:"This node's name, which no other node has and which never changes."`

	Threads         Count         `env:"LMS_THREADS" envDefault:"auto" alias:"THREADS" group:"Limits" want:"a whole number from 1 to 4096, or the word auto" help:"How many requests one handler may work on at once in a worker, each in a sandbox of its own. auto chooses by processors, memory and the measured cost of a sandbox."`
	WorkerMemory    Count         `env:"LMS_WORKER_MEMORY_MB" envDefault:"auto" alias:"WORKER_MEMORY_MB" group:"Limits" want:"a whole number of MiB from 64 to 1048576, or the word auto" help:"The memory that one worker is planned to take, in MiB: it sets Go's soft memory limit, bounds the sandboxes, and divides the memory among the workers of LMS_WORKERS=auto."`
	MaxBody         Bytes         `env:"LMS_MAX_BODY" envDefault:"1MiB" group:"Limits" want:"a size from 1KiB to 64MiB, such as 1MiB or 65536" help:"The largest request body, in bytes or with the suffix KiB or MiB. Bodies are held in memory so that a request can run again."`
	RequestTimeout  time.Duration `env:"LMS_REQUEST_TIMEOUT" envDefault:"10s" group:"Limits" want:"a duration from 100ms to 10m, such as 10s" help:"The time that one request may take, waiting for a sandbox included."`
	ShutdownTimeout time.Duration `env:"LMS_SHUTDOWN_TIMEOUT" envDefault:"20s" group:"Limits" want:"a duration from 1s to 1h, such as 20s" help:"How long a stopping process waits for the requests in flight."`
	Sync            SyncPolicy    `env:"LMS_SYNC" envDefault:"100ms" group:"Limits" want:"a duration from 10ms to 10m, such as 100ms, or the word always" help:"How often the store is flushed to the disk. A power cut can take what was written since; a killed process loses nothing. always flushes before each answer and is slower."`

	LogLevel       slog.Level `env:"LMS_LOG_LEVEL" envDefault:"info" group:"Watching" want:"debug, info, warn or error" help:"The least severe message that is logged: debug, info, warn or error."`
	LogFormat      LogFormat  `env:"LMS_LOG_FORMAT" envDefault:"auto" group:"Watching" want:"auto, text or json" help:"auto writes text to a terminal and JSON to anything else; text and json always do."`
	DebugEndpoints bool       `env:"LMS_DEBUG_ENDPOINTS" envDefault:"false" group:"Watching" want:"1, true, yes or on, or else 0, false, no or off" help:"Answer under /debug/, to anybody who asks. Off, those paths give 403."`

	// Warnings are things that a person should know but that stop nothing:
	// unknown names, settings that weaken the site. They hold no secret.
	Warnings []string

	// sources tells for each variable where its value came from.
	sources map[string]Source
}

// Source says where the value of a variable came from.
type Source string

// The sources that [Config.Print] names. A value that came under another name
// has that name as its source: "env NOW_LMS_PORT".
const (
	SourceEnv       Source = "env"
	SourceDefault   Source = "default"
	SourceGenerated Source = "generated"
)

// Source returns where the value of the variable with this name came from, or
// "" if there is no such variable.
func (c Config) Source(name string) Source { return c.sources[name] }

// Production reports whether the site is for real use.
func (c Config) Production() bool { return c.Env == Production }

// Address is the TCP address to listen on, in the form that net.Listen takes.
func (c Config) Address() string {
	return net.JoinHostPort(c.Bind, strconv.Itoa(c.Port))
}
