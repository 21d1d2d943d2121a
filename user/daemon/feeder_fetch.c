/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeder_fetch.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "core/when.h"
#include "daemon/feeder_fetch_private.h"

#define READ_SIZE  (256 << 10)
#define KEY_HEADER "X-Api-Key: "

struct fetch *fetch_free(struct fetch *f)
{
	if (!f)
		return NULL;
	if (f->fd_is_ours)
		close(f->fd);
	curl_slist_free_all(f->secrets);
	free(f->url);
	free(f->origin);
	free(f->host);
	free(f->ca);
	free(f->body);
	free(f);
	return NULL;
}

/* ---- what needs rights ---- */

/* A whole file of at most room bytes, with NUL behind; owned by the caller. */
static int read_all(const char *path, size_t room, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t size = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size < 0 || (uint64_t)st.st_size > room)
		return -E2BIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (size < (size_t)st.st_size) {
		ssize_t n = read(fd, text + size, (size_t)st.st_size - size);

		if (n < 0)
			return -errno;
		if (!n)
			break;
		size += (size_t)n;
	}
	text[size] = '\0';
	*ret = take_ptr(text);
	*ret_size = size;
	return 0;
}

/* "Name: value", RFC 9110; a control character would be a second header. */
static bool is_header(const char *line)
{
	size_t name = strspn(line, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	if (!name || line[name] != ':')
		return false;
	for (const char *at = line + name; *at; at++)
		if (iscntrl((unsigned char)*at) && *at != '\t')
			return false;
	return true;
}

static int add_secret(struct fetch *f, const char *line)
{
	struct curl_slist *grown = curl_slist_append(f->secrets, line);

	if (!grown)
		return -ENOMEM;
	f->secrets = grown;
	return 0;
}

static int read_secrets(struct fetch *f, const char *path, struct problem *why)
{
	_cleanup_free_ char *text = NULL;
	unsigned int number = 0, headers = 0;
	size_t size = 0;
	char *at;
	int r = read_all(path, FETCH_HEADERS_BYTES, &text, &size);

	if (r < 0)
		return problem_set(why, r, "header_file '%s': %s", path, strerror(-r));
	if (!text || strlen(text) != size)
		return problem_set(why, -EINVAL, "header_file '%s': holds a NUL byte", path);
	at = text;
	while (at && *at) {
		char *line = strsep(&at, "\n");

		line[strcspn(line, "\r")] = '\0';
		number++;
		if (!*line || *line == '#')
			continue;
		if (!is_header(line) || ++headers > FETCH_HEADERS)
			return problem_set(why, -EINVAL,
					   "header_file '%s': line %u: wanted 'Name: value', at "
					   "most %d of them",
					   path, number, FETCH_HEADERS);
		r = add_secret(f, line);
		if (r < 0)
			return problem_set(why, r, "out of memory");
	}
	explicit_bzero(text, size);
	return 0;
}

/* The key of a bouncer, as 'cscli bouncers add' prints it. */
static int read_key(struct fetch *f, const char *path, struct problem *why)
{
	char line[FETCH_KEY_MAX + sizeof(KEY_HEADER)];
	_cleanup_free_ char *text = NULL;
	size_t size = 0, start;
	int r = read_all(path, FETCH_KEY_MAX, &text, &size);

	if (r < 0)
		return problem_set(why, r, "api_key_file '%s': %s", path, strerror(-r));
	start = size ? strspn(text, " \t\r\n") : 0;
	while (size > start && isspace((unsigned char)text[size - 1]))
		size--;
	for (size_t i = start; i < size; i++)
		if (text[i] < 0x21 || text[i] > 0x7e)
			size = 0;
	if (size <= start)
		return problem_set(why, -EINVAL,
				   "api_key_file '%s': wanted the key and nothing else", path);
	snprintf(line, sizeof(line), KEY_HEADER "%.*s", (int)(size - start), text + start);
	r = add_secret(f, line);
	explicit_bzero(text, size);
	explicit_bzero(line, sizeof(line));
	return r < 0 ? problem_set(why, r, "out of memory") : 0;
}

static int read_body(struct fetch *f, struct problem *why)
{
	_cleanup_free_ char *body = calloc(1, FEEDER_BODY_MAX + 1);
	ssize_t n = body ? read(FEEDER_FD_INPUT, body, FEEDER_BODY_MAX) : -1;

	if (n <= 0)
		return problem_set(why, -EIO, "there is nothing to send");
	f->body = take_ptr(body);
	return 0;
}

static int read_authorities(struct fetch *f, struct problem *why)
{
	const char *path = getenv("SSL_CERT_FILE");
	char *text = NULL;
	int r;

	if (!path || !*path)
		return 0;
	r = read_all(path, FETCH_CA_BYTES, &text, &f->ca_size);
	if (r < 0)
		return problem_set(why, r, "SSL_CERT_FILE '%s': %s", path, strerror(-r));
	f->ca = text;
	return 0;
}

static int open_file(struct fetch *f, const char *path, struct problem *why)
{
	struct stat st;

	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->fd < 0)
		return problem_set(why, -errno, "cannot read '%s': %s", path, strerror(errno));
	f->fd_is_ours = true;
	if (fstat(f->fd, &st) < 0)
		return problem_set(why, -errno, "cannot read '%s': %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return problem_set(why, -EINVAL, "'%s' is not a regular file", path);
	if (st.st_mtime > 0 && st.st_mtime <= WHEN_MAX)
		f->modified = st.st_mtime;
	return 0;
}

/* file:///PATH, percent-encoded. */
static int open_file_url(struct fetch *f, CURLU *url, struct problem *why)
{
	char *path = NULL, *host = NULL;
	int r;

	curl_url_get(url, CURLUPART_HOST, &host, 0);
	if ((host && *host && strcmp(host, "localhost") != 0) ||
	    curl_url_get(url, CURLUPART_PATH, &path, CURLU_URLDECODE) != CURLUE_OK)
		r = problem_set(why, -EINVAL, "url: a file is named as file:///path");
	else
		r = open_file(f, path, why);
	curl_free(host);
	curl_free(path);
	return r;
}

char *fetch_origin(const char *text, char **ret_host)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL, *origin = NULL;

	if (url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
		if (asprintf(&origin, "%s://%s:%s", scheme, host, port) < 0)
			origin = NULL;
		*ret_host = strdup(host);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
	return origin;
}

static int prepare_http(struct fetch *f, struct problem *why)
{
	int r = 0;

	f->url = strdup(f->order->url);
	f->origin = fetch_origin(f->order->url, &f->host);
	if (!f->url || !f->origin || !f->host)
		return problem_set(why, -EINVAL, "url: no host is in it");
	if (*f->order->header_file)
		r = read_secrets(f, f->order->header_file, why);
	if (!r && *f->order->key_file)
		r = read_key(f, f->order->key_file, why);
	if (!r && f->order->post)
		r = read_body(f, why);
	return r ?: read_authorities(f, why);
}

static int prepare_url(struct fetch *f, struct problem *why)
{
	CURLU *url = curl_url();
	char *scheme = NULL;
	int r;

	if (!url || curl_url_set(url, CURLUPART_URL, f->order->url, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		r = problem_set(why, -EINVAL, "url: wanted https://, http:// or file:///");
	else if (!strcmp(scheme, "file"))
		r = open_file_url(f, url, why);
	else if (!strcmp(scheme, "http") || !strcmp(scheme, "https"))
		r = prepare_http(f, why);
	else
		r = problem_set(why, -EINVAL, "url: '%.16s' is not fetched; https, http, file are",
				scheme);
	curl_free(scheme);
	curl_url_cleanup(url);
	return r;
}

int fetch_prepare(const struct feeder_order *order, struct fetch **ret, struct problem *why)
{
	_cleanup_(fetch_freep) struct fetch *f = calloc(1, sizeof(*f));
	int r = 0;

	/* Also reads OpenSSL's configuration, while it can. */
	if (!f || curl_global_init(CURL_GLOBAL_DEFAULT))
		return problem_set(why, -ENOMEM, "out of memory");
	f->order = order;
	f->taxii = fetch_is_taxii(order);
	f->fd = order->input ? FEEDER_FD_INPUT : -1;
	if (!order->input)
		r = prepare_url(f, why);
	if (r < 0)
		return r;
	*ret = take_ptr(f);
	return 0;
}

/* ---- what needs none ---- */

static int begin(struct fetch *f, bool proven, struct problem *why)
{
	int r;

	if (f->begun)
		return 0;
	r = f->sink->begin(f->sink->arg, proven);
	if (r < 0)
		return problem_set(why, r, "parser: %s", strerror(-r));
	f->begun = true;
	return 0;
}

int fetch_give(struct fetch *f, const void *bytes, size_t size, bool proven, struct problem *why)
{
	int r = begin(f, proven, why);

	if (r < 0)
		return r;
	f->bytes += size;
	if (f->bytes > FEED_SIZE_MAX)
		return problem_set(why, -EFBIG, "larger than %llu MB: not a list moat takes",
				   FEED_SIZE_MAX >> 20);
	f->enough = f->sink->bytes(f->sink->arg, bytes, size) != 0;
	return f->enough;
}

static int run_local(struct fetch *f, struct problem *why)
{
	_cleanup_free_ char *buffer = malloc(READ_SIZE);
	struct pollfd wait = { .fd = f->fd, .events = POLLIN };
	int r = 0;

	if (!buffer)
		return problem_set(why, -ENOMEM, "out of memory");
	lseek(f->fd, 0, SEEK_SET); /* who wrote it left it at its end; a pipe has no start */
	f->end->modified = f->modified;
	while (!r) {
		ssize_t n = read(f->fd, buffer, READ_SIZE);

		if (n > 0)
			r = fetch_give(f, buffer, (size_t)n, true, why);
		else if (!n)
			break;
		else if (errno == EAGAIN)
			poll(&wait, 1, -1); /* the parent has a deadline */
		else if (errno != EINTR)
			r = problem_set(why, -errno, "cannot read it: %s", strerror(errno));
	}
	return r < 0 ? r : begin(f, true, why);
}

int fetch_run(struct fetch *f, const struct fetch_sink *sink, struct feeder_end *ret,
	      struct problem *why)
{
	int r;

	f->sink = sink;
	f->end = ret;
	if (f->fd >= 0)
		return run_local(f, why);
	r = f->taxii ? fetch_run_taxii(f, why) : fetch_run_http(f, why);
	return r < 0 || ret->not_modified ? r : begin(f, true, why);
}
