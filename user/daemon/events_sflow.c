/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/events_sflow.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <time.h>

#include "core/log.h"
#include "core/sflow.h"

#define FLUSH_MS   250
#define OPEN_MS	   5000 /* between two tries */
#define INTERFACES 256	/* whose samples have a sequence of their own; the rest shares one */
#define ENDPOINT   64	/* "[ADDRESS]:PORT" with its NUL */

struct source {
	uint32_t ifindex, sequence;
};

struct events_sflow {
	struct events_reader *reader;
	struct events *e;
	struct loop *loop;
	int timer;
	char collector[ENDPOINT];
	struct prefix address; /* of the agent, if has_address */
	bool has_address;
	int fd;			/* -1: not open */
	int64_t started, tried; /* ms */
	struct sflow_agent agent;
	struct sflow_datagram datagram; /* under way if it has samples */
	struct source source[INTERFACES];
	uint64_t sent, lost;
	struct problem problem;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void trouble(struct events_sflow *s, const char *what, int error)
{
	struct problem now = {};

	problem_set(&now, error, "sFlow collector '%s': %s: %s", s->collector, what,
		    strerror(-error));
	if (strcmp(now.text, s->problem.text) != 0)
		log_warning("%s", now.text);
	s->problem = now;
}

/* ---- the socket ---- */

/* The address that datagrams leave from names this host, unless another one was given. */
static bool name_agent(struct events_sflow *s)
{
	struct sockaddr_storage here = {};
	socklen_t size = sizeof(here);
	char text[INET6_ADDRSTRLEN];

	if (s->has_address) {
		s->agent.address = s->address;
		return true;
	}
	return !getsockname(s->fd, (struct sockaddr *)&here, &size) &&
	       !getnameinfo((struct sockaddr *)&here, size, text, sizeof(text), NULL, 0,
			    NI_NUMERICHOST) &&
	       !prefix_parse(text, &s->agent.address);
}

static struct addrinfo *look_up(const char *collector)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *found = NULL;
	char host[ENDPOINT];
	char *port;

	snprintf(host, sizeof(host), "%s", collector);
	port = strrchr(host, ':');
	if (!port)
		return NULL;
	*port++ = '\0';
	if (host[0] == '[')
		host[strcspn(host, "]")] = '\0';
	return getaddrinfo(host + (host[0] == '['), port, &hints, &found) ? NULL : found;
}

static void open_socket(struct events_sflow *s)
{
	struct addrinfo *to = look_up(s->collector);
	int error = EINVAL;

	s->tried = now_ms();
	if (to) {
		s->fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		error = errno;
		if (s->fd >= 0 && connect(s->fd, to->ai_addr, to->ai_addrlen)) {
			error = errno;
			base_closep(&s->fd);
			s->fd = -1;
		}
		freeaddrinfo(to);
	}
	if (s->fd < 0 || !name_agent(s)) {
		trouble(s, "cannot be reached", -error);
		base_closep(&s->fd);
		s->fd = -1;
	}
}

static void flush(struct events_sflow *s)
{
	uint32_t samples = s->datagram.samples;

	if (!samples)
		return;
	sflow_end(&s->datagram);
	s->datagram.samples = 0;
	/* An error that the last datagram met on its way is told to this one: once more. */
	for (int i = 0; i < 2; i++) {
		if (send(s->fd, s->datagram.data, s->datagram.size, MSG_NOSIGNAL) >= 0) {
			s->sent += samples;
			if (!i)
				s->problem.text[0] = '\0';
			return;
		}
		trouble(s, "cannot be told", -errno);
	}
	s->lost += samples;
}

static void flush_due(void *arg)
{
	struct events_sflow *s = arg;

	if (s->fd < 0 && now_ms() - s->tried >= OPEN_MS)
		open_socket(s);
	flush(s);
}

/* ---- a reader of events ---- */

static uint32_t next_sequence(struct events_sflow *s, uint32_t ifindex)
{
	size_t i = 0;

	while (i < INTERFACES - 1 && s->source[i].sequence && s->source[i].ifindex != ifindex)
		i++;
	s->source[i].ifindex = ifindex;
	return ++s->source[i].sequence;
}

/* What the collector was not told of since moatd reads events for it. */
static uint32_t untold(const struct events_sflow *s)
{
	struct events_told told;

	events_told(s->reader, &told);
	return (uint32_t)(told.lost + told.suppressed + told.limited + told.slow + s->lost);
}

static bool take(void *arg, const struct event *event)
{
	struct events_sflow *s = arg;
	const struct moat_event *raw = event->raw;
	const struct sflow_discard discard = {
		.sequence = next_sequence(s, raw->ifindex),
		.drops = s->reader ? untold(s) : 0,
		.ifindex = raw->ifindex,
		.reason = sflow_reason(raw->reason),
		.length = raw->length,
		.head = raw->head,
		.size = raw->size,
	};

	if (s->fd < 0) {
		s->lost++;
		return true;
	}
	if (s->datagram.samples && sflow_add(&s->datagram, &discard))
		return true;
	flush(s);
	sflow_begin(&s->datagram, &s->agent, (uint32_t)(now_ms() - s->started));
	if (!sflow_add(&s->datagram, &discard)) /* one always fits */
		s->lost++;
	return true;
}

int events_sflow_new(struct events *e, struct loop *loop, const struct config_events *c,
		     struct events_sflow **ret, struct problem *why)
{
	_cleanup_(events_sflow_freep) struct events_sflow *s = calloc(1, sizeof(*s));
	const struct events_reader_kind kind = {
		.filter = { .verdicts = 1ULL << MOAT_VERDICT_DROP, .rate = c->sflow_rate },
		.take = take,
		.arg = s,
	};
	int r;

	if (!s)
		return problem_set(why, -ENOMEM, "sFlow: out of memory");
	s->e = e;
	s->loop = loop;
	s->fd = -1;
	s->agent.sequence = 1;
	s->started = now_ms();
	snprintf(s->collector, sizeof(s->collector), "%s", c->sflow_collector);
	s->has_address = c->sflow_agent && !prefix_parse(c->sflow_agent, &s->address);
	s->timer = loop_timer(loop, FLUSH_MS, FLUSH_MS, flush_due, s);
	if (s->timer < 0)
		return problem_set(why, s->timer, "sFlow: out of memory");
	r = events_join(e, &kind, &s->reader, why);
	if (r)
		return r;
	open_socket(s);
	*ret = take_ptr(s);
	return 0;
}

struct events_sflow *events_sflow_free(struct events_sflow *s)
{
	if (!s)
		return NULL;
	events_leave(s->e, s->reader);
	if (s->timer > 0)
		loop_timer_remove(s->loop, s->timer);
	if (s->fd >= 0)
		flush(s);
	base_closep(&s->fd);
	free(s);
	return NULL;
}

void events_sflow_numbers(const struct events_sflow *s, struct events_sflow_numbers *ret)
{
	*ret = (struct events_sflow_numbers){ s->sent, s->lost, s->problem.text };
}
