/* A handler in C: it shows the record motto/<name> to whoever asks for
 * /motto/<name>, and greets the browser by the name that it gives itself.
 *
 *	clang --target=wasm32 -std=c11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib \
 *	      -Wl,--no-entry -o hello.wasm hello.c
 *	lectern handler run hello.wasm GET /motto/monday
 *
 * Nothing is allocated: the answers of the host have buffers of their own,
 * and the page is written piece by piece. */
#include "lectern.h"

/* The manifest becomes the custom section in which the host looks for it. */
__asm__(".section .custom_section.lectern.manifest,\"\",@\n"
        ".incbin \"manifest.json\"\n");

static uint8_t route[4096], record[64 << 10], agent[1024];

static void html(struct text t) { http_write_body(HTTP_RESPONSE, t.at, t.len); }

/* What stands for a character in a page, empty if that is the character. */
static struct text entity(char c) {
	switch (c) {
	case '<': return TEXT("&lt;");
	case '>': return TEXT("&gt;");
	case '&': return TEXT("&amp;");
	case '"': return TEXT("&quot;");
	case '\'': return TEXT("&#39;");
	}
	return (struct text){0, 0};
}

/* Writes text so that a browser takes none of it for markup, in as few calls
 * of the host as can be. */
static void escaped(struct text t) {
	uint32_t from = 0;
	for (uint32_t i = 0; i < t.len; i++) {
		struct text e = entity(t.at[i]);
		if (e.len == 0)
			continue;
		html((struct text){t.at + from, i - from});
		html(e);
		from = i + 1;
	}
	html((struct text){t.at + from, t.len - from});
}

/* The one wildcard of the route: OP_ROUTE answers the pattern, then a count
 * and as many names with their values. */
static bool motto_name(struct text *name) {
	struct writer none;
	struct reader r;
	begin(&none);
	if (ask(LECTERN_OP_ROUTE, &none, route, sizeof route, &r) != LECTERN_OK)
		return false;
	get_text(&r);
	if (get_uint(&r) != 1)
		return false;
	get_text(&r);
	*name = get_text(&r);
	return !r.bad;
}

/* The record motto/<name>; `found` tells whether there is one. */
static bool read_motto(struct text name, bool *found, struct text *motto) {
	struct writer key;
	struct reader r;
	begin(&key);
	put_uint(&key, TEXT("motto/").len + name.len);
	put_raw(&key, TEXT("motto/"));
	put_raw(&key, name);
	if (ask(LECTERN_OP_GET, &key, record, sizeof record, &r) != LECTERN_OK)
		return false;
	*found = get_uint(&r) == 1;
	*motto = get_text(&r);
	return !r.bad;
}

/* The first value of a request header, empty if there is none. */
static struct text header(struct text name, uint8_t *buf, uint32_t size) {
	uint64_t result = http_get_header_values(HTTP_REQUEST, name.at, name.len, buf, size);
	struct text value = {(const char *)buf, 0};
	if (result >> 32 > 0 && (uint32_t)result <= size)
		while (value.at[value.len] != 0)
			value.len++;
	return value;
}

/* Answers one request; 0 says that the response is complete. */
LECTERN_EXPORT("handle_request") uint64_t handle_request(void) {
	struct text name, motto;
	bool found = false;
	struct text type = TEXT("text/html; charset=utf-8");
	http_set_header_value(HTTP_RESPONSE, "Content-Type", 12, type.at, type.len);
	if (!motto_name(&name) || !read_motto(name, &found, &motto)) {
		http_set_status_code(400);
		html(TEXT("<!doctype html>\n<title>No motto</title>\n<p>This is the name of no motto.</p>\n"));
		return 0;
	}
	html(TEXT("<!doctype html>\n<title>Motto</title>\n<h1>"));
	escaped(name);
	html(TEXT("</h1>\n<p>"));
	if (found) {
		escaped(motto);
	} else {
		http_set_status_code(404);
		html(TEXT("Nobody has written it yet."));
	}
	html(TEXT("</p>\n"));
	struct text browser = header(TEXT("User-Agent"), agent, sizeof agent);
	if (browser.len > 0) {
		html(TEXT("<p>Hello, "));
		escaped(browser);
		html(TEXT("</p>\n"));
	}
	return 0;
}

/* Called after another handler if handle_request asks for one, which this
 * never does. */
LECTERN_EXPORT("handle_response") void handle_response(uint32_t context, uint32_t is_error) {
	(void)context;
	(void)is_error;
}
