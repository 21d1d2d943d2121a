/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/api_body.h"

#include <microhttpd.h>

#include "daemon/api_listing.h"

#define NDJSON "application/x-ndjson"

/* ---- media types ---- */

/* "Application/JSON; charset=utf-8" is application/json. */
static bool is_type(const char *header, const char *type)
{
	size_t size = strcspn(header, "; \t");

	return size == strlen(type) && strncasecmp(header, type, size) == 0;
}

static bool is_lines(const struct http_request *rq)
{
	const char *type = http_header(rq, MHD_HTTP_HEADER_CONTENT_TYPE);

	return type && (is_type(type, NDJSON) || is_type(type, "application/ndjson"));
}

/* What curl -d says unless told otherwise is not believed: the body must be JSON all the same. */
static bool is_json(const char *type)
{
	return !type || is_type(type, HTTP_JSON) ||
	       is_type(type, "application/x-www-form-urlencoded");
}

bool api_body_type_fits(const struct http_request *rq, bool rows, struct http_reply *reply)
{
	const char *type = http_header(rq, MHD_HTTP_HEADER_CONTENT_TYPE);
	const char *coding = http_header(rq, MHD_HTTP_HEADER_CONTENT_ENCODING);

	if (coding && strcasecmp(coding, "identity") != 0) {
		http_reply_problem(reply, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, NULL,
				   "Content-Encoding '%.40s': send it as it is", coding);
		return false;
	}
	if (is_json(type) || (rows && is_lines(rq)))
		return true;
	http_reply_problem(reply, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, NULL,
			   "Content-Type '%.80s': " HTTP_JSON "%s is expected", type,
			   rows ? " or " NDJSON : "");
	return false;
}

/* ---- rows ---- */

static int begin(struct http_request *rq, enum rows_form form)
{
	struct rows *rows = malloc(sizeof(*rows));

	if (!rows || rows_begin(rows, form, is_lines(rq), api_now())) {
		free(rows);
		return -ENOMEM;
	}
	rq->taken = rows;
	return 0;
}

static int begin_listings(struct http_request *rq)
{
	return begin(rq, ROWS_LISTINGS);
}

static int begin_keys(struct http_request *rq)
{
	return begin(rq, ROWS_KEYS);
}

static int begin_reports(struct http_request *rq)
{
	return begin(rq, ROWS_REPORTS);
}

/* An error stays in the rows, and is told when the body has come. */
static size_t push(void *taken, const char *bytes, size_t size)
{
	struct rows *rows = taken;

	rows_push(rows, bytes, size);
	return sizeof(*rows) + rows->held;
}

static void end(void *taken)
{
	rows_free(taken);
	free(taken);
}

const struct http_sink api_body_listings = { begin_listings, push, end };
const struct http_sink api_body_keys = { begin_keys, push, end };
const struct http_sink api_body_reports = { begin_reports, push, end };

struct rows *api_body_rows(const struct http_request *rq, struct http_reply *reply)
{
	struct rows *rows = rq->taken;
	int err = rows_finish(rows);

	if (!err)
		return rows;
	if (err == -E2BIG)
		http_reply_problem(reply, MHD_HTTP_CONTENT_TOO_LARGE, NULL, "%s", rows->why.text);
	else
		http_reply_error(reply, err, &rows->why);
	return NULL;
}
