/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_reply.h"

#include <microhttpd.h>

#include "daemon/http_stream.h"

void http_reply_free(struct http_reply *r)
{
	text_free(&r->body);
	http_stream_drop(r->stream);
	r->stream = NULL;
}

void http_reply_header(struct http_reply *r, const char *name, const char *fmt, ...)
{
	va_list args;
	size_t i = 0;

	while (i < r->headers && strcmp(r->header[i].name, name) != 0)
		i++;
	if (i == HTTP_HEADERS_MAX)
		return;
	if (i == r->headers)
		r->headers++;
	r->header[i].name = name;
	va_start(args, fmt);
	vsnprintf(r->header[i].value, sizeof(r->header[i].value), fmt, args);
	va_end(args);
}

static void start_over(struct http_reply *r, const char *type)
{
	http_reply_free(r);
	r->body = (struct text){};
	r->fixed = NULL;
	r->type = type;
}

struct emit http_reply_json(struct http_reply *r)
{
	start_over(r, HTTP_JSON);
	return (struct emit){ .out = &r->body };
}

void http_reply_problem(struct http_reply *r, unsigned int status, const struct http_problem *about,
			const char *fmt, ...)
{
	static const struct http_problem nothing;
	struct emit e = { .out = &r->body };
	struct problem detail;
	va_list args;

	va_start(args, fmt);
	vsnprintf(detail.text, sizeof(detail.text), fmt, args);
	va_end(args);
	if (!about)
		about = &nothing;

	start_over(r, HTTP_PROBLEM);
	r->status = status;
	emit_begin(&e, NULL, '{');
	emit_text(&e, "type", "about:blank");
	emit_text(&e, "title", MHD_get_reason_phrase_for(status));
	emit_whole(&e, "status", status);
	emit_text(&e, "detail", detail.text);
	if (about->cause)
		emit_text(&e, "cause", about->cause);
	if (about->source)
		emit_text(&e, "source", about->source);
	if (about->has_index)
		emit_whole(&e, "index", (int64_t)about->index);
	emit_end(&e, '}');
	text_add(&r->body, "\n");
}

static const struct {
	int error;
	unsigned int status;
	const char *what_to_do; /* after the reason */
} answers[] = {
	{ EINVAL, MHD_HTTP_BAD_REQUEST, "" },
	{ ERANGE, MHD_HTTP_BAD_REQUEST, "" },
	{ ENOENT, MHD_HTTP_NOT_FOUND, "" },
	{ ENODEV, MHD_HTTP_NOT_FOUND, "" },
	{ EEXIST, MHD_HTTP_CONFLICT, "" },
	{ EBUSY, MHD_HTTP_SERVICE_UNAVAILABLE, "" },
	{ EROFS, MHD_HTTP_SERVICE_UNAVAILABLE,
	  "; moatd may only read the database: give it write permission on the file and its "
	  "directory" },
	{ ENOSPC, MHD_HTTP_SERVICE_UNAVAILABLE, "; make room on the disk, then try again" },
};

void http_reply_error(struct http_reply *r, int error, const struct problem *why)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		if (answers[i].error == -error) {
			http_reply_problem(r, answers[i].status, NULL, "%s%s", why->text,
					   answers[i].what_to_do);
			return;
		}
	}
	http_reply_problem(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, "%s (%s)",
			   why->text[0] ? why->text : "failed", strerror(-error));
}
