/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/live.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

struct request {
	CURL *curl; /* owned; NULL: never used */
	struct curl_slist *headers;
	struct live_options options;
	struct text body;
	bool busy;
	bool enough; /* take() said so */
	CURLcode result;
};

struct live {
	struct cli *cli;
	CURLM *multi;
	struct request request[LIVE_REQUESTS];
	int signals; /* signalfd, or -1 */
	int keys, out;
	sigset_t before; /* the mask to go back to */
	struct sigaction pipe;
};

struct live *live_free(struct live *l)
{
	if (!l)
		return NULL;
	for (size_t i = 0; i < LIVE_REQUESTS; i++) {
		struct request *r = &l->request[i];

		if (r->busy)
			curl_multi_remove_handle(l->multi, r->curl);
		curl_easy_cleanup(r->curl);
		curl_slist_free_all(r->headers);
		text_free(&r->body);
	}
	curl_multi_cleanup(l->multi);
	if (l->signals >= 0)
		close(l->signals);
	sigaction(SIGPIPE, &l->pipe, NULL);
	pthread_sigmask(SIG_SETMASK, &l->before, NULL);
	free(l);
	return NULL;
}

static int take_signals(struct live *l, unsigned int which)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	sigemptyset(&set);
	if (which & LIVE_SIGNALS) {
		sigaddset(&set, SIGINT);
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGHUP);
	}
	if (which & LIVE_RESIZE)
		sigaddset(&set, SIGWINCH);
	if (pthread_sigmask(SIG_BLOCK, &set, &l->before))
		return -EINVAL;
	if (sigaction(SIGPIPE, &ignore, &l->pipe))
		return -errno;
	l->signals = which ? signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK) : -1;
	return which && l->signals < 0 ? -errno : 0;
}

int live_new(struct cli *cli, unsigned int signals, struct live **ret)
{
	_cleanup_(live_freep) struct live *l = NULL;
	struct live *made = calloc(1, sizeof(*made));
	int err;

	if (!made)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	made->cli = cli;
	made->signals = made->keys = made->out = -1;
	err = take_signals(made, signals);
	l = made;
	if (err)
		return cli_fail(cli, CLI_REFUSED, "signals: %s", strerror(-err));
	l->multi = curl_multi_init();
	if (!l->multi)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	*ret = take_ptr(l);
	return CLI_DONE;
}

static size_t take_bytes(char *data, size_t size, size_t count, void *arg)
{
	struct request *r = arg;
	long status = 0;

	(void)size; /* always 1 */
	curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
	if (!r->options.take || status < 200 || status >= 300)
		return client_take(&r->body, data, count) ? count : 0;
	r->enough = !r->options.take(r->options.arg, data, count);
	return r->enough ? 0 : count;
}

bool live_get(struct live *l, unsigned int slot, const char *path, const struct live_options *o)
{
	struct request *r = &l->request[slot];

	if (!r->curl)
		r->curl = curl_easy_init();
	if (!r->curl || !client_prepare(r->curl, l->cli, path))
		return false;
	curl_slist_free_all(r->headers);
	r->headers = o->accept ? curl_slist_append(NULL, o->accept) : NULL;
	text_free(&r->body);
	r->body = (struct text){};
	r->options = *o;
	r->enough = false;
	curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, r->headers);
	curl_easy_setopt(r->curl, CURLOPT_TIMEOUT_MS, o->timeout_ms);
	curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, r);
	r->busy = curl_multi_add_handle(l->multi, r->curl) == CURLM_OK;
	return r->busy;
}

bool live_busy(const struct live *l, unsigned int slot)
{
	return l->request[slot].busy;
}

void live_watch(struct live *l, int keys, int out)
{
	l->keys = keys;
	l->out = out;
}

/* Moves the requests on. Whether one ended. */
static bool go_on(struct live *l)
{
	bool ended = false;
	int running, left;
	CURLMsg *message;

	curl_multi_perform(l->multi, &running);
	while ((message = curl_multi_info_read(l->multi, &left))) {
		CURL *curl = message->easy_handle;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		for (size_t i = 0; i < LIVE_REQUESTS; i++) {
			if (l->request[i].curl != curl)
				continue;
			l->request[i].busy = false;
			l->request[i].result = result;
			ended = true;
		}
		curl_multi_remove_handle(l->multi, curl);
	}
	return ended;
}

static unsigned int read_signals(const struct live *l)
{
	struct signalfd_siginfo info;
	unsigned int happened = 0;

	while (l->signals >= 0 && read(l->signals, &info, sizeof(info)) == sizeof(info))
		happened |= info.ssi_signo == SIGWINCH ? LIVE_RESIZED : LIVE_STOP;
	return happened;
}

/* A pipe without a reader, a terminal that was closed. */
static bool is_unread(int fd)
{
	struct pollfd p = { .fd = fd };

	return fd >= 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLHUP));
}

static bool has_key(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLIN | POLLHUP));
}

unsigned int live_wait(struct live *l, int timeout_ms)
{
	struct curl_waitfd also[3];
	unsigned int count = 0, happened = 0;

	if (go_on(l))
		timeout_ms = 0, happened = LIVE_ENDED;
	if (l->signals >= 0)
		also[count++] =
			(struct curl_waitfd){ .fd = l->signals, .events = CURL_WAIT_POLLIN };
	if (l->keys >= 0)
		also[count++] = (struct curl_waitfd){ .fd = l->keys, .events = CURL_WAIT_POLLIN };
	/* No events: poll() tells of its end by itself. */
	if (l->out >= 0)
		also[count++] = (struct curl_waitfd){ .fd = l->out };
	curl_multi_poll(l->multi, also, count, timeout_ms, NULL);
	if (go_on(l))
		happened |= LIVE_ENDED;
	if (has_key(l->keys))
		happened |= LIVE_KEY;
	if (is_unread(l->out))
		happened |= LIVE_UNREAD;
	return happened | read_signals(l);
}

int live_answer(struct live *l, unsigned int slot, struct answer *ret,
		char why[static CLIENT_WHY_MAX])
{
	struct request *r = &l->request[slot];
	long error = 0, status = 0;

	curl_easy_getinfo(r->curl, CURLINFO_OS_ERRNO, &error);
	curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
	if (r->result != CURLE_OK && !r->enough) {
		client_why(l->cli, r->result, error, why);
		return CLI_NO_DAEMON;
	}
	*ret = (struct answer){ .status = status, .body = r->body };
	r->body = (struct text){};
	if (ret->body.data)
		ret->json = json_loadb(ret->body.data, ret->body.size, 0, NULL);
	return CLI_DONE;
}

int live_write(const struct live *l, int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size) {
		struct pollfd p[2] = { { .fd = fd, .events = POLLOUT },
				       { .fd = l->signals, .events = POLLIN } };
		/* As much as a pipe takes at once when it says that it takes something. */
		size_t piece = size < PIPE_BUF ? size : PIPE_BUF;
		ssize_t n;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents && !(p[0].revents & (POLLOUT | POLLERR)))
			return -EINTR;
		if (!p[0].revents)
			continue;
		n = write(fd, at, piece);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
	return 0;
}
