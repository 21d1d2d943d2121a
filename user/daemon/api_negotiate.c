/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/api_negotiate.h"

#include <microhttpd.h>
#include <openssl/evp.h>

#define ETAG_BYTES 16 /* of SHA-256 */

/* ---- Accept ---- */

/* "type/subtype", "type/" followed by a star, or only stars. */
static bool range_fits(const char *range, size_t size, const char *type)
{
	size_t major = strcspn(type, "/") + 1;

	if (size == 3 && memcmp(range, "*/*", 3) == 0)
		return true;
	if (size == major + 1 && range[major] == '*')
		return strncasecmp(range, type, major) == 0;
	return size == strlen(type) && strncasecmp(range, type, size) == 0;
}

/* Whether one of the parameters is a weight of nothing: ";q=0", "; q=0.0". */
static bool weighs_nothing(const char *at, const char *end)
{
	while (at < end) {
		at += strspn(at, "; \t");
		if (at + 2 < end && strncasecmp(at, "q=", 2) == 0)
			return strspn(at + 2, "0.") >= strcspn(at + 2, ";, \t");
		at += strcspn(at, ";,");
	}
	return false;
}

bool api_accepts(const char *accept, const char *type)
{
	bool fits = false;

	if (!accept)
		return true;
	while (*accept) {
		size_t whole, range;

		accept += strspn(accept, " \t,");
		whole = strcspn(accept, ",");
		range = strcspn(accept, ";, \t");
		if (range_fits(accept, range, type))
			fits |= !weighs_nothing(accept + range, accept + whole);
		accept += whole;
	}
	return fits;
}

/* ---- tags ---- */

void api_etag_of_body(struct http_reply *reply)
{
	const void *body = reply->fixed ?: reply->body.data;
	size_t size = reply->fixed ? reply->fixed_size : reply->body.size;
	unsigned char hash[EVP_MAX_MD_SIZE];
	char *at = reply->etag;

	if (reply->body.failed || !EVP_Digest(body, size, hash, NULL, EVP_sha256(), NULL))
		return;
	*at++ = '"';
	for (int i = 0; i < ETAG_BYTES; i++)
		at += snprintf(at, 3, "%02x", hash[i]);
	*at++ = '"';
	*at = '\0';
}

bool api_etag_named(const char *header, const char *etag)
{
	header += strspn(header, " \t");
	if (header[0] == '*' && !header[1 + strspn(header + 1, " \t")])
		return etag[0];
	/* Its quotes end it, and nothing inside of a tag is a quote: a part is never taken for it. */
	return etag[0] && strstr(header, etag);
}

void api_conditions(const struct http_request *rq, struct http_reply *reply)
{
	const char *match = http_header(rq, MHD_HTTP_HEADER_IF_MATCH);
	const char *none = http_header(rq, MHD_HTTP_HEADER_IF_NONE_MATCH);

	if (!reply->etag[0])
		return;
	if (match && !api_etag_named(match, reply->etag)) {
		http_reply_problem(reply, MHD_HTTP_PRECONDITION_FAILED, NULL,
				   "it is not, or no longer, what If-Match names");
		return;
	}
	http_reply_header(reply, MHD_HTTP_HEADER_ETAG, "%s", reply->etag);
	http_reply_header(reply, MHD_HTTP_HEADER_CACHE_CONTROL, "private, no-cache");
	if (none && api_etag_named(none, reply->etag)) {
		text_free(&reply->body);
		reply->body = (struct text){};
		reply->fixed = NULL;
		reply->status = MHD_HTTP_NOT_MODIFIED;
	}
}
