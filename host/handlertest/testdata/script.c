/* A handler that does what the config of its manifest says: one step a line.
 * Lines that begin with ">" are steps of handle_request, with "<" of
 * handle_response. The request may bring other steps in its header X-Steps,
 * with ";" between them. What a step tells goes into a header of the response.
 *
 *	method M | uri U | status N      change request line or status
 *	set K NAME VALUE                 headers of kind K, as add
 *	remove K NAME
 *	body K TEXT                      write to the body of kind K
 *	tell NAME WHAT [K [NAME]]        method, uri, proto, source, status, route,
 *	                                 error, context, config, features, log, body,
 *	                                 header, names
 *	features NAME N                  enable N and tell what there is
 *	put KEY VALUE                    write a record; its status is X-Put
 *	log L TEXT | note L WHAT ...     write a text, or what is there, to the log
 *	trap | spin
 *	next N                           pass on with the context N
 *
 * K is a digit: 0 request, 1 response, 2 and 3 their trailers. */
#include "lectern.h"

#define HTTP(name) LECTERN_IMPORT("http_handler", name)
HTTP("enable_features") uint32_t enable_features(uint32_t features);
HTTP("get_config") uint32_t get_config(void *buf, uint32_t limit);
HTTP("log") void log_message(int32_t level, const char *message, uint32_t len);
HTTP("log_enabled") uint32_t log_enabled(int32_t level);
HTTP("get_method") uint32_t get_method(void *buf, uint32_t limit);
HTTP("set_method") void set_method(const char *method, uint32_t len);
HTTP("get_uri") uint32_t get_uri(void *buf, uint32_t limit);
HTTP("set_uri") void set_uri(const char *uri, uint32_t len);
HTTP("get_protocol_version") uint32_t get_protocol_version(void *buf, uint32_t limit);
HTTP("get_source_addr") uint32_t get_source_addr(void *buf, uint32_t limit);
HTTP("get_header_names") uint64_t get_header_names(uint32_t kind, void *buf, uint32_t limit);
HTTP("add_header_value") void add_header_value(uint32_t kind, const char *name, uint32_t name_len, const char *value, uint32_t value_len);
HTTP("remove_header") void remove_header(uint32_t kind, const char *name, uint32_t name_len);
HTTP("read_body") uint64_t read_body(uint32_t kind, void *buf, uint32_t limit);
HTTP("get_status_code") uint32_t get_status_code(void);

static char config[8 << 10], buffer[32 << 10];
static uint32_t config_len, context, is_error, features;
static volatile uint32_t turns;

/* The config and the features are asked for once, as published guests do. */
LECTERN_EXPORT("_initialize") void initialize(void) {
	config_len = get_config(config, sizeof config);
	features = enable_features(2);
}

static bool is(struct text a, struct text b) {
	for (uint32_t i = 0; i < a.len && i < b.len; i++)
		if (a.at[i] != b.at[i])
			return false;
	return a.len == b.len;
}

/* The next word of a line, which is taken off it. */
static struct text word(struct text *line) {
	struct text w = {line->at, 0};
	while (w.len < line->len && w.at[w.len] != ' ')
		w.len++;
	uint32_t skip = w.len < line->len ? w.len + 1 : w.len;
	line->at += skip;
	line->len -= skip;
	return w;
}

static uint32_t number(struct text t) {
	uint32_t n = 0;
	for (uint32_t i = 0; i < t.len; i++)
		n = n * 10 + (uint32_t)(t.at[i] - '0');
	return n;
}

static struct text decimal(uint32_t n) {
	static char digits[10];
	uint32_t i = sizeof digits;
	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return (struct text){digits + i, (uint32_t)sizeof digits - i};
}

static void header(struct text name, struct text value) {
	http_set_header_value(HTTP_RESPONSE, name.at, name.len, value.at, value.len);
}

/* A list of the host in one line: its parts end with a NUL each. */
static struct text joined(uint64_t count_len) {
	uint32_t len = (uint32_t)count_len;
	if (len == 0 || len > sizeof buffer)
		return TEXT("");
	for (uint32_t i = 0; i + 1 < len; i++)
		if (buffer[i] == 0)
			buffer[i] = '|';
	return (struct text){buffer, len - 1};
}

static struct text body(uint32_t kind) {
	uint32_t len = 0;
	for (;;) {
		uint64_t r = read_body(kind, buffer + len, 100);
		len += (uint32_t)r;
		if (r >> 32 == 1 || len + 100 > sizeof buffer)
			return (struct text){buffer, len};
	}
}

static struct text route(void) {
	struct writer none;
	struct reader r;
	begin(&none);
	if (ask(LECTERN_OP_ROUTE, &none, buffer, sizeof buffer, &r) != LECTERN_OK)
		return TEXT("?");
	return get_text(&r);
}

static struct text found(struct text what, struct text rest) {
	struct text kind = word(&rest);
	if (is(what, TEXT("method")))
		return (struct text){buffer, get_method(buffer, sizeof buffer)};
	if (is(what, TEXT("uri")))
		return (struct text){buffer, get_uri(buffer, sizeof buffer)};
	if (is(what, TEXT("proto")))
		return (struct text){buffer, get_protocol_version(buffer, sizeof buffer)};
	if (is(what, TEXT("source")))
		return (struct text){buffer, get_source_addr(buffer, sizeof buffer)};
	if (is(what, TEXT("status")))
		return decimal(get_status_code());
	if (is(what, TEXT("route")))
		return route();
	if (is(what, TEXT("error")))
		return decimal(is_error);
	if (is(what, TEXT("context")))
		return decimal(context);
	if (is(what, TEXT("config")))
		return decimal(config_len);
	if (is(what, TEXT("features")))
		return decimal(features);
	if (is(what, TEXT("log")))
		return decimal(log_enabled(2) * 10 + log_enabled(3));
	if (is(what, TEXT("body")))
		return body(number(kind));
	if (is(what, TEXT("names")))
		return joined(get_header_names(number(kind), buffer, sizeof buffer));
	return joined(http_get_header_values(number(kind), rest.at, rest.len, buffer, sizeof buffer));
}

static void put_record(struct text key, struct text value) {
	struct writer w;
	struct reader r;
	begin(&w);
	put_uint(&w, key.len);
	put_raw(&w, key);
	put_uint(&w, value.len);
	put_raw(&w, value);
	put_uint(&w, 0);
	header(TEXT("X-Put"), decimal(ask(LECTERN_OP_PUT, &w, buffer, sizeof buffer, &r)));
}

/* Takes one step; the result is not 0 if it passes the request on. */
static uint64_t step(struct text line) {
	struct text verb = word(&line), rest = line, first = word(&rest), after = rest, second = word(&after);
	if (is(verb, TEXT("next")))
		return (uint64_t)number(first) << 32 | 1;
	if (is(verb, TEXT("method")))
		set_method(line.at, line.len);
	else if (is(verb, TEXT("uri")))
		set_uri(line.at, line.len);
	else if (is(verb, TEXT("status")))
		http_set_status_code(number(first));
	else if (is(verb, TEXT("set")))
		http_set_header_value(number(first), second.at, second.len, after.at, after.len);
	else if (is(verb, TEXT("add")))
		add_header_value(number(first), second.at, second.len, after.at, after.len);
	else if (is(verb, TEXT("remove")))
		remove_header(number(first), rest.at, rest.len);
	else if (is(verb, TEXT("body")))
		http_write_body(number(first), rest.at, rest.len);
	else if (is(verb, TEXT("tell")))
		header(first, found(second, after));
	else if (is(verb, TEXT("features")))
		header(first, decimal(enable_features(number(rest))));
	else if (is(verb, TEXT("put")))
		put_record(first, rest);
	else if (is(verb, TEXT("log")))
		log_message((int32_t)number(first), rest.at, rest.len);
	else if (is(verb, TEXT("note"))) {
		struct text t = found(second, after);
		log_message((int32_t)number(first), t.at, t.len);
	} else if (is(verb, TEXT("spin")))
		for (;;)
			turns++;
	else
		__builtin_trap();
	return 0;
}

/* Takes the steps of one phase, until one passes the request on. */
static uint64_t steps(char phase) {
	static char brought[8 << 10];
	struct text all = {config, config_len};
	uint64_t r = http_get_header_values(HTTP_REQUEST, "X-Steps", 7, brought, sizeof brought);
	char end = '\n';
	if (r >> 32 == 1 && (uint32_t)r <= sizeof brought) {
		all = (struct text){brought, (uint32_t)r - 1};
		end = ';';
	}
	while (all.len > 0) {
		struct text line = {all.at, 0};
		while (line.len < all.len && line.at[line.len] != end)
			line.len++;
		uint32_t skip = line.len < all.len ? line.len + 1 : line.len;
		all.at += skip;
		all.len -= skip;
		if (line.len == 0 || line.at[0] != phase)
			continue;
		line.at++;
		line.len--;
		uint64_t next = step(line);
		if (next != 0)
			return next;
	}
	return 0;
}

LECTERN_EXPORT("handle_request") uint64_t handle_request(void) { return steps('>'); }

LECTERN_EXPORT("handle_response") void handle_response(uint32_t request_context, uint32_t error) {
	context = request_context;
	is_error = error;
	steps('<');
}
