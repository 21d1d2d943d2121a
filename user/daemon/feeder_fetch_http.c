/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One list from a web server. Redirects are followed here and not by libcurl:
 * secrets go to the origin they were given for and nowhere else, and what was
 * asked for over TLS does not come without it.
 */
#include <strings.h>
#include <time.h>

#include "core/when.h"
#include "daemon/feeder_fetch_private.h"

#define USER_AGENT	"moat/" MOAT_VERSION
#define HEADER_MAX	(FEEDER_TAG_MAX + 64) /* a request's line that is made here */
#define RETRY_AFTER_MAX (7 * 86400)
#define MARGIN_MS	1000 /* libcurl says more about a timeout than the parent's deadline does */

/* One request and its answer. */
struct transfer {
	struct fetch *fetch;
	CURL *curl;
	struct problem *why;
	int failed;	  /* negative, why is set */
	bool proven;	  /* the answer's length is known, or its end marked */
	size_t discarded; /* bytes of a body that is no list */
	char encoding[16];
	char error[CURL_ERROR_SIZE];
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static long status_of(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool is_status(long status)
{
	return status >= 100 && status <= 599;
}

static bool is_list(long status)
{
	return status == 200 || status == 203;
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* ---- the answer ---- */

/* The value of a header line if it has that name: into value, "" if it does not fit as it is. */
static bool header_value(const char *line, size_t size, const char *name, char *value, size_t room)
{
	size_t length = strlen(name), start = length + 1;

	if (size <= length || line[length] != ':' || strncasecmp(line, name, length) != 0)
		return false;
	while (start < size && (line[start] == ' ' || line[start] == '\t'))
		start++;
	while (size > start && (unsigned char)line[size - 1] <= ' ')
		size--;
	memset(value, 0, room);
	if (size - start >= room)
		return true;
	for (size_t i = start; i < size; i++)
		if (line[i] < 0x20 || line[i] > 0x7e)
			return true;
	memcpy(value, line + start, size - start);
	return true;
}

static size_t on_header(char *line, size_t one, size_t size, void *arg)
{
	struct transfer *t = arg;
	struct feeder_end *end = t->fetch->end;
	char value[32];

	(void)one;
	if (size > 5 && !strncasecmp(line, "HTTP/", 5)) { /* also after "100 Continue" */
		end->etag[0] = end->last_modified[0] = t->encoding[0] = '\0';
		t->proven = line[5] != '1'; /* the frames of HTTP/2 mark the end */
	}
	if (header_value(line, size, "ETag", end->etag, sizeof(end->etag)) ||
	    header_value(line, size, "Last-Modified", end->last_modified,
			 sizeof(end->last_modified)) ||
	    header_value(line, size, "Content-Encoding", t->encoding, sizeof(t->encoding)))
		return size;
	if (header_value(line, size, "Content-Length", value, sizeof(value)) ||
	    header_value(line, size, "Transfer-Encoding", value, sizeof(value)))
		t->proven = true;
	return size;
}

/* The parser recognises these by their first bytes; others it would take for a broken list. */
static bool is_encoding_known(const char *encoding)
{
	static const char *const known[] = { "", "identity", "gzip", "x-gzip", "zstd" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcasecmp(encoding, known[i]))
			return true;
	return false;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *arg)
{
	struct transfer *t = arg;

	(void)one;
	if (t->fetch->body || !is_list(status_of(t))) {
		t->discarded += size;
		return t->discarded <= FETCH_ERROR_MAX ? size : 0;
	}
	if (!is_encoding_known(t->encoding)) {
		t->failed = problem_set(t->why, -EPROTO,
					"%s: answers in encoding '%s', which was not asked for",
					t->fetch->host, t->encoding);
		return 0;
	}
	t->failed = fetch_give(t->fetch, bytes, size, t->proven, t->why);
	return t->failed ? 0 : size;
}

/* ---- the request ---- */

static int add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *grown = curl_slist_append(*list, line);

	if (!grown)
		return -ENOMEM;
	*list = grown;
	return 0;
}

/* A tag of the last answer; the parent may have it from a database. */
static int add_tag(struct curl_slist **list, const char *name, const char *tag)
{
	char line[HEADER_MAX];

	if (!*tag)
		return 0;
	for (const char *at = tag; *at; at++)
		if (*at < 0x20 || *at > 0x7e)
			return 0;
	snprintf(line, sizeof(line), "%s: %s", name, tag);
	return add_line(list, line);
}

static int make_headers(const struct fetch *f, bool secrets, struct curl_slist **ret)
{
	/* libcurl is not told to decode: the parser does, and has limits. */
	int r = add_line(ret, "Accept-Encoding: gzip");

	r = r ?: add_tag(ret, "If-None-Match", f->order->etag);
	r = r ?: add_tag(ret, "If-Modified-Since", f->order->last_modified);
	if (f->body)
		r = r ?: add_line(ret, "Content-Type: application/json");
	for (const struct curl_slist *s = f->secrets; s && secrets && !r; s = s->next)
		r = add_line(ret, s->data);
	return r;
}

static void slist_freep(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static void curl_freep(CURL **curl)
{
	curl_easy_cleanup(*curl);
}

static void set_limits(CURL *curl, int64_t left_ms)
{
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)FETCH_SLOW_BYTES);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)FETCH_SLOW_SECONDS);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)FEED_SIZE_MAX);
}

/* The libraries' defaults that matter are said again: nobody has to know them. */
static int set_options(struct transfer *t, struct curl_slist *headers)
{
	const struct fetch *f = t->fetch;
	struct curl_blob ca = { .data = f->ca, .len = f->ca_size, .flags = CURL_BLOB_NOCOPY };
	CURL *curl = t->curl;
	CURLcode code;

	code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	code = code ?: curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	code = code ?: curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	code = code ?: curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	code = code ?: curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (f->ca)
		code = code ?: curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
	code = code ?: curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	code = code ?: curl_easy_setopt(curl, CURLOPT_URL, f->url);
	code = code ?: curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
	code = code ?: curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (f->body) {
		code = code ?: curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(f->body));
		code = code ?: curl_easy_setopt(curl, CURLOPT_POSTFIELDS, f->body);
	}
	code = code ?: curl_easy_setopt(curl, CURLOPT_FILETIME, 1L);
	code = code ?: curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, t->error);
	code = code ?: curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	code = code ?: curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
	code = code ?: curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	code = code ?: curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	code = code ?: curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L << 10);
	return code == CURLE_OK ? 0 : -ENOSYS;
}

/* ---- what came of it ---- */

static int explain_curl(struct transfer *t, CURLcode code)
{
	const char *host = t->fetch->host;
	const char *text = *t->error ? t->error : curl_easy_strerror(code);

	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return problem_set(t->why, -EACCES,
				   "%s: its certificate is refused: %s; if it is your own "
				   "authority's, name that in SSL_CERT_FILE",
				   host, text);
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
		return problem_set(t->why, -EPIPE, "%s: the answer was cut: %s", host, text);
	case CURLE_OPERATION_TIMEDOUT:
		return problem_set(t->why, -ETIMEDOUT, "%s: too slow: %s", host, text);
	case CURLE_FILESIZE_EXCEEDED:
		return problem_set(t->why, -EFBIG, "%s: larger than %llu MB: not a list moat takes",
				   host, FEED_SIZE_MAX >> 20);
	default:
		return problem_set(t->why, -EIO, "%s: %s", host, text);
	}
}

static int explain_status(struct transfer *t, long status)
{
	const char *advice = "";

	if (status == 401 || status == 403)
		advice = *t->fetch->order->key_file ? ": check the key in api_key_file"
						    : ": check the key in header_file";
	else if (status == 404 && t->fetch->body)
		advice =
			": it takes no usage metrics (CrowdSec before 1.6.3), set usage_metrics: none";
	else if (status == 404 || status == 410)
		advice = ": the list was moved or withdrawn, check url";
	else if (status == 429)
		advice = ": asked too often, fetch it less often";
	else if (status >= 500)
		advice = ": trouble over there, it is asked again";
	return problem_set(t->why, -EPROTO, "%s: answered %ld%s%s", t->fetch->host, status,
			   t->fetch->body ? "" : " instead of a list", advice);
}

static void note_answer(struct transfer *t)
{
	struct feeder_end *end = t->fetch->end;
	curl_off_t after = 0, modified = -1;

	/* Some servers make numbers up: what they are is in the problem, not in the result. */
	end->http_status = is_status(status_of(t)) ? (int32_t)status_of(t) : 0;
	curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &after);
	end->retry_after = after < 0 ? 0 : after > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : after;
	curl_easy_getinfo(t->curl, CURLINFO_FILETIME_T, &modified);
	end->modified = modified > 0 && modified <= WHEN_MAX ? modified : 0;
}

static bool is_conditional(const struct feeder_order *order)
{
	return *order->etag || *order->last_modified;
}

/* 304 need not repeat what it confirms. */
static void note_not_modified(struct fetch *f)
{
	struct feeder_end *end = f->end;

	end->not_modified = 1;
	if (!*end->etag)
		memcpy(end->etag, f->order->etag, sizeof(end->etag));
	if (!*end->last_modified)
		memcpy(end->last_modified, f->order->last_modified, sizeof(end->last_modified));
}

/* Goes to where the answer points. */
static int follow(struct transfer *t)
{
	_cleanup_free_ char *url = NULL, *origin = NULL, *host = NULL;
	struct fetch *f = t->fetch;
	char *target = NULL;

	curl_easy_getinfo(t->curl, CURLINFO_REDIRECT_URL, &target);
	if (!target)
		return explain_status(t, status_of(t));
	url = strdup(target);
	if (!url)
		return problem_set(t->why, -ENOMEM, "out of memory");
	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return problem_set(t->why, -EPROTO,
				   "%s: redirects to something else than https or http", f->host);
	if (!strncasecmp(f->url, "https:", 6) && strncasecmp(url, "https:", 6) != 0)
		return problem_set(t->why, -EPROTO, "%s: redirects from https to http", f->host);
	origin = fetch_origin(url, &host);
	if (!origin || !host)
		return problem_set(t->why, -EPROTO, "%s: redirects to what is no URL", f->host);
	free(f->url);
	f->url = take_ptr(url);
	free(f->host);
	f->host = take_ptr(host);
	return 0;
}

static bool at_origin(const struct fetch *f)
{
	_cleanup_free_ char *host = NULL;
	_cleanup_free_ char *origin = fetch_origin(f->url, &host);

	return origin && !strcasecmp(origin, f->origin);
}

/* 0: done; 1: f->url is another one now; negative with why. */
static int fetch_once(struct fetch *f, int64_t until, struct problem *why)
{
	_cleanup_(slist_freep) struct curl_slist *headers = NULL;
	_cleanup_(curl_freep) CURL *curl = curl_easy_init();
	struct transfer t = { .fetch = f, .curl = curl, .why = why };
	int64_t left = until - now_ms();
	CURLcode code;
	long status;

	if (left <= 0)
		return problem_set(why, -ETIMEDOUT, "%s: too slow", f->host);
	if (!curl || make_headers(f, at_origin(f), &headers) < 0)
		return problem_set(why, -ENOMEM, "out of memory");
	if (set_options(&t, headers) < 0)
		return problem_set(why, -ENOSYS, "libcurl of this system is too old or too small");
	set_limits(curl, left);
	code = curl_easy_perform(curl);
	note_answer(&t);
	status = status_of(&t);
	if (t.failed < 0)
		return t.failed;
	if (f->enough)
		return 0;
	if (f->body)
		return status / 100 == 2 ? 0
		       : status		 ? explain_status(&t, status)
					 : explain_curl(&t, code);
	/* What the status says counts more than how its page ended. */
	if (status >= 300 && is_redirect(status))
		return follow(&t) ?: 1;
	if (status == 304 && is_conditional(f->order) && code == CURLE_OK) {
		note_not_modified(f);
		return 0;
	}
	if (status && !is_list(status))
		return explain_status(&t, status);
	return code == CURLE_OK ? 0 : explain_curl(&t, code);
}

int fetch_run_http(struct fetch *f, struct problem *why)
{
	int64_t limit = f->order->deadline_ms;
	int64_t margin = limit / 10 < MARGIN_MS ? limit / 10 : MARGIN_MS;
	int64_t until = f->order->started_ms + limit - margin;
	int r = 1;

	for (int hop = 0; r == 1; hop++) {
		if (hop > FETCH_REDIRECTS)
			return problem_set(why, -ELOOP, "%s: redirects more than %d times", f->host,
					   FETCH_REDIRECTS);
		r = fetch_once(f, until, why);
	}
	return r;
}
