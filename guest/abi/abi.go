// Package abi is the contract between the native host and its handlers beyond
// HTTP itself: one function in one WebAssembly module, the operations that it
// multiplexes and the bytes of each message. Host and guest import this one
// definition, so they cannot drift apart. HTTP itself goes through the
// published http-wasm ABI (module "http_handler").
//
// # Calling convention
//
// The guest imports "lectern"."call" with the signature
//
//	call(op, in, in_len, out, out_cap uint32) uint64
//
// in and out are offsets in the guest's memory. The result holds a [Status]
// in its upper and the length of the answer in its lower 32 bits. An answer
// that is longer than out_cap is not copied: the host keeps it and the guest
// fetches it with [OpAnswer] and a larger buffer; nothing is executed twice.
//
// Messages are made of unsigned varints and length-prefixed byte strings, in
// the order in which the comment of each operation names them; see [Writer]
// and [Reader].
package abi

// Version is the version of this contract. A handler names the version it was
// built for in its manifest; the host refuses another one.
const Version = 1

// The names under which the host exports the function.
const (
	// Module is the name of the host module.
	Module = "lectern"
	// Call is the name of its one function.
	Call = "call"
)

// Op selects what a call asks of the host. The comment of each operation
// gives its message, "->", and its answer.
type Op uint32

// The operations.
const (
	// OpAnswer fetches the answer that did not fit: () -> (the answer).
	OpAnswer Op = iota
	// OpRoute tells which route of the manifest matched: () -> (pattern,
	// count, count times name and value).
	OpRoute
	// OpRequestID is the id that the logs and error pages show: () -> (id).
	OpRequestID
	// OpSignedIn is the narrowest question about identity: () -> (bool).
	OpSignedIn
	// OpRole is the reader's role: () -> (role, "" if not signed in).
	OpRole
	// OpUser is who reads: () -> (id, login, email); empty if not signed in.
	OpUser
	// OpSetting reads what the site's operator has set: (name) -> (value).
	OpSetting
	// OpLanguage negotiates a language: (count, tags) -> (one of the tags).
	OpLanguage
	// OpSessionGet reads a value of the session: (name) -> (bool, value).
	OpSessionGet
	// OpSessionSet changes the session: (name, value) -> ().
	OpSessionSet
	// OpSessionDelete removes a value from the session: (name) -> ().
	OpSessionDelete
	// OpGet reads a record: (key) -> (bool, value).
	OpGet
	// OpScan lists records: (prefix, after, limit) -> (more, count, count
	// times key and value); limit 0 means as many as the host allows.
	OpScan
	// OpPut writes a record: (key, value, seconds to live or 0) -> ().
	OpPut
	// OpDelete removes a record: (key) -> ().
	OpDelete
	// OpNow is the time: () -> (nanoseconds since 1970 UTC).
	OpNow
	// OpRandom draws from the host's random source: (n) -> (n bytes).
	OpRandom
	// OpSignIn signs in by the named form fields: (login field, password
	// field) -> (Outcome, seconds to wait, which is 0 unless throttled). The
	// password itself never enters the guest.
	OpSignIn
	// OpSignUp creates an account from form fields and signs it in: (login
	// field, email field, password field, role) -> (Outcome, user id).
	OpSignUp
	// OpSignOut ends the session: () -> ().
	OpSignOut
	// OpCreateAccount makes an account from literal values; only for the
	// first start: (login, email, password, role) -> (Outcome, user id).
	OpCreateAccount
	// OpNotify leaves a notice for the next page that this reader sees:
	// (text) -> ().
	OpNotify
	// OpNotices takes the notices that are waiting; each is shown once, so a
	// page with one is nobody else's: () -> (count, texts).
	OpNotices
	// OpAbandon drops every effect of this request so far: () -> ().
	OpAbandon
	// OpRemember asks that the device be signed in by itself from now on, in
	// the request that signs in: (notice) -> (bool). The notice waits for the
	// reader if the device's token is ever stolen. False says that the site
	// does not offer it, or that this request has not signed in.
	OpRemember
	// OpSetPassword gives the reader a new password by the named form fields,
	// and ends all other devices: (present password field, new password field,
	// notice) -> (Outcome, seconds to wait). The notice is that of OpRemember,
	// for a device that is remembered.
	OpSetPassword
	// OpDevices lists where the reader is signed in, the last used first:
	// () -> (count, devices; see Writer.Devices).
	OpDevices
	// OpEndDevice signs one of the reader's devices out: (id) -> (bool, whether
	// there is one of this id).
	OpEndDevice
	// OpEndOthers signs all of the reader's other devices out: () -> ().
	OpEndOthers

	// OpEnd is one more than the last operation.
	OpEnd
)

// Status says how a call ended.
type Status uint32

// The statuses of a call.
const (
	// StatusOK comes with the answer of the operation; all others come with
	// a message for the handler's author.
	StatusOK Status = iota
	// StatusInvalid says that the message or an argument is malformed.
	StatusInvalid
	// StatusDenied says that the manifest does not ask for this right.
	StatusDenied
	// StatusReadOnly says that a safe method (GET, HEAD) tried to write.
	StatusReadOnly
	// StatusTooLarge says that a key, a value or the request's effects are
	// over a limit.
	StatusTooLarge
	// StatusUnavailable says that the store cannot answer now.
	StatusUnavailable
	// StatusUnknown says that the host does not know the operation.
	StatusUnknown
)

// Outcome is the answer of the operations that deal with accounts.
type Outcome uint8

// The outcomes; all but OutcomeOK leave everything as it was.
const (
	OutcomeOK Outcome = iota
	// OutcomeWrong does not tell whether login or password is wrong.
	OutcomeWrong
	OutcomeInactive
	OutcomeLoginTaken
	OutcomeEmailTaken
	OutcomeLoginInvalid
	OutcomeEmailInvalid
	OutcomePasswordShort
	OutcomePasswordCommon
	OutcomePasswordLong
	// OutcomeThrottled says that there were too many attempts.
	OutcomeThrottled
)

// Result packs a status and the length of an answer into what call returns.
func Result(s Status, length int) uint64 { return uint64(s)<<32 | uint64(uint32(length)) }

// SplitResult is the inverse of Result.
func SplitResult(r uint64) (Status, int) { return Status(r >> 32), int(uint32(r)) }

// The settings that the host itself makes.
const (
	// SettingSiteName holds the site's name.
	SettingSiteName = "site.name"
	// SettingRememberDays is for how many days OpRemember remembers a device,
	// rounded down; "" if the site does not offer it.
	SettingRememberDays = "session.remember_days"
)

// Device is one device in the answer of OpDevices.
type Device struct {
	// ID names the device to OpEndDevice.
	ID string
	// Browser and System are names as people know them, Place a shortened
	// address; each may be "".
	Browser, System, Place string
	// Created and Seen are seconds since 1970 UTC: the sign-in with a password
	// and the last use, which may be noted some minutes late.
	Created, Seen int64
	// Remembered devices sign in by themselves; Current is the one that asks.
	Remembered, Current bool
}

// Field is a name with its value, as in the answer of OpRoute.
type Field struct{ Name, Value string }

// Record is a key with its value, as in the answer of OpScan.
type Record struct {
	Key   string
	Value []byte
}
