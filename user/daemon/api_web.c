/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET / and /web/NAME: the dashboard. Its files hold no secret, so anybody may
 * have them; what they show is asked for under /api/v1.
 */
#include <microhttpd.h>

#include "daemon/api.h"
#include "daemon/web.h"

/* Whether a list of codings has gzip, and not with a weight of nothing. */
static bool takes_gzip(const char *accept)
{
	const char *at = accept ? strcasestr(accept, "gzip") : NULL;
	const char *weight;

	if (!at)
		return false;
	weight = at + strlen("gzip");
	weight += strspn(weight, " ;");
	return strncasecmp(weight, "q=0", 3) != 0 ||
	       strcspn(weight + 3, ",") > strspn(weight + 3, ".0 ");
}

/* It runs its own scripts and asks its own server, nobody else. */
static void tell_browser(struct http_reply *reply)
{
	http_reply_header(reply, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	http_reply_header(reply, "Content-Security-Policy",
			  "default-src 'self'; object-src 'none'; base-uri 'none'; "
			  "form-action 'none'; frame-ancestors 'none'; "
			  "require-trusted-types-for 'script'");
	http_reply_header(reply, "Referrer-Policy", "no-referrer");
	http_reply_header(reply, "Cross-Origin-Opener-Policy", "same-origin");
}

void api_web(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	const struct web_file *file = web_find(*rq->name ? rq->name : "index.html");
	bool gzip = takes_gzip(http_header(rq, MHD_HTTP_HEADER_ACCEPT_ENCODING));

	(void)d;
	if (!file) {
		http_reply_problem(reply, MHD_HTTP_NOT_FOUND, NULL, "there is no %.200s", rq->path);
		return;
	}
	reply->type = file->type;
	snprintf(reply->etag, sizeof(reply->etag), "\"%s%s\"", file->hash, gzip ? "-z" : "");
	tell_browser(reply);
	if (!gzip) {
		web_inflate(file, &reply->body);
		return;
	}
	http_reply_header(reply, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	reply->fixed = file->bytes;
	reply->fixed_size = file->size;
}
