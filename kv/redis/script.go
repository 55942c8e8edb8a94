package redis

import (
	"crypto/sha1"
	"embed"
	"encoding/hex"
	"strings"
)

// sources are the parts that scripts are made of.
//
//go:embed lua/*.lua
var sources embed.FS

// script is one Lua program with the hash by which Redis knows it.
type script struct{ text, sha string }

// The scripts. Redis checks the flags before it runs one: without any it
// refuses the whole script if a write could fail; allow-oom lets it run when
// the memory is full, which is for scripts that free more than they take.
var (
	openScript   = compose("", "head", "open")
	getScript    = compose("no-writes", "head", "get")
	scanScript   = compose("no-writes", "head", "scan")
	pullScript   = compose("no-writes", "head", "pull")
	testScript   = compose("no-writes", "head", "check", "test")
	expireScript = compose("allow-oom", "head", "expiry", "expire")
	commitScript = compose("", "head", "expiry", "check", "commit")
	deleteScript = compose("allow-oom", "head", "expiry", "check", "commit")
)

// compose puts a script together from its parts.
func compose(flags string, parts ...string) script {
	var b strings.Builder
	b.WriteString("#!lua")
	if flags != "" {
		b.WriteString(" flags=" + flags)
	}
	b.WriteString("\n")
	for _, part := range parts {
		text, err := sources.ReadFile("lua/" + part + ".lua")
		if err != nil {
			panic(err) // a part that is not in the program
		}
		b.Write(text)
	}
	sum := sha1.Sum([]byte(b.String())) // the hash that Redis uses
	return script{text: b.String(), sha: hex.EncodeToString(sum[:])}
}
