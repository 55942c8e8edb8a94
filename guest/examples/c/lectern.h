/* The host's functions for handlers in C, after guest/abi and the http-wasm
 * handler ABI. Plain C11 for clang's target wasm32, without a C library. */
#ifndef LECTERN_H
#define LECTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LECTERN_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define LECTERN_EXPORT(name) __attribute__((export_name(name)))

/* The operations of lectern_call; guest/abi/abi.go says what each takes and
 * answers. A test compares the numbers. */
enum lectern_op {
	LECTERN_OP_ANSWER = 0,
	LECTERN_OP_ROUTE = 1,
	LECTERN_OP_REQUEST_ID = 2,
	LECTERN_OP_SIGNED_IN = 3,
	LECTERN_OP_ROLE = 4,
	LECTERN_OP_USER = 5,
	LECTERN_OP_SETTING = 6,
	LECTERN_OP_LANGUAGE = 7,
	LECTERN_OP_SESSION_GET = 8,
	LECTERN_OP_SESSION_SET = 9,
	LECTERN_OP_SESSION_DELETE = 10,
	LECTERN_OP_GET = 11,
	LECTERN_OP_SCAN = 12,
	LECTERN_OP_PUT = 13,
	LECTERN_OP_DELETE = 14,
	LECTERN_OP_NOW = 15,
	LECTERN_OP_RANDOM = 16,
	LECTERN_OP_SIGN_IN = 17,
	LECTERN_OP_SIGN_UP = 18,
	LECTERN_OP_SIGN_OUT = 19,
	LECTERN_OP_CREATE_ACCOUNT = 20,
	LECTERN_OP_NOTIFY = 21,
	LECTERN_OP_NOTICES = 22,
	LECTERN_OP_ABANDON = 23,
};

/* The statuses of lectern_call. */
enum lectern_status {
	LECTERN_OK = 0,
	LECTERN_INVALID = 1,
	LECTERN_DENIED = 2,
	LECTERN_READ_ONLY = 3,
	LECTERN_TOO_LARGE = 4,
	LECTERN_UNAVAILABLE = 5,
	LECTERN_UNKNOWN = 6,
};

/* Kinds of headers and bodies. */
enum { HTTP_REQUEST = 0, HTTP_RESPONSE = 1 };

/* The status in the upper and the answer's length in the lower 32 bits. An
 * answer longer than the buffer is not copied: ask for LECTERN_OP_ANSWER. */
LECTERN_IMPORT("lectern", "call")
uint64_t lectern_call(uint32_t op, const void *in, uint32_t in_len, void *out, uint32_t out_cap);

/* The number of values in the upper and their length, each with a zero byte
 * behind it, in the lower 32 bits. Nothing is copied if that is over limit. */
LECTERN_IMPORT("http_handler", "get_header_values")
uint64_t http_get_header_values(uint32_t kind, const char *name, uint32_t name_len, void *buf, uint32_t limit);

LECTERN_IMPORT("http_handler", "set_header_value")
void http_set_header_value(uint32_t kind, const char *name, uint32_t name_len, const char *value, uint32_t value_len);

LECTERN_IMPORT("http_handler", "set_status_code")
void http_set_status_code(uint32_t code);

/* The first call replaces the body, later ones add to it. */
LECTERN_IMPORT("http_handler", "write_body")
void http_write_body(uint32_t kind, const void *body, uint32_t body_len);

/* Some bytes, which belong to somebody else. */
struct text {
	const char *at;
	uint32_t len;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

/* A message being written, which begins with begin(). `full` is set once
 * something did not fit. */
struct writer {
	uint8_t bytes[1024];
	uint32_t len;
	bool full;
};

static inline void begin(struct writer *w) {
	w->len = 0;
	w->full = false;
}

static inline void put_byte(struct writer *w, uint8_t b) {
	if (w->len == sizeof w->bytes) {
		w->full = true;
		return;
	}
	w->bytes[w->len++] = b;
}

/* A number: seven bits a byte, the lowest first, the highest bit set on all
 * but the last. */
static inline void put_uint(struct writer *w, uint64_t n) {
	for (; n >= 0x80; n >>= 7)
		put_byte(w, (uint8_t)(n | 0x80));
	put_byte(w, (uint8_t)n);
}

/* Bytes without their length: a string is put_uint of its length and then its
 * parts. */
static inline void put_raw(struct writer *w, struct text t) {
	for (uint32_t i = 0; i < t.len; i++)
		put_byte(w, (uint8_t)t.at[i]);
}

/* An answer being read. `bad` is set at the first fault. */
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static inline uint64_t get_uint(struct reader *r) {
	uint64_t n = 0;
	for (int shift = 0; r->at < r->end && shift < 64; shift += 7) {
		uint8_t b = *r->at++;
		n |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return n;
	}
	r->bad = true;
	return 0;
}

static inline struct text get_text(struct reader *r) {
	uint64_t len = get_uint(r);
	if (r->bad || len > (uint64_t)(r->end - r->at)) {
		r->bad = true;
		return (struct text){0, 0};
	}
	struct text t = {(const char *)r->at, (uint32_t)len};
	r->at += len;
	return t;
}

/* Sends a message and reads the answer from buf, which must hold it. */
static inline enum lectern_status ask(enum lectern_op op, const struct writer *w, void *buf, uint32_t size, struct reader *r) {
	if (w->full)
		return LECTERN_TOO_LARGE;
	uint64_t result = lectern_call(op, w->bytes, w->len, buf, size);
	uint32_t len = (uint32_t)result;
	if (len > size)
		return LECTERN_TOO_LARGE;
	*r = (struct reader){buf, (const uint8_t *)buf + len, false};
	return (enum lectern_status)(result >> 32);
}

#endif
