/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/discover_watch.h"

#include <net/if.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "daemon/discover_resolver.h"
#include "daemon/discover_route.h"

#define EVENTS_ROOM  (4 << 20) /* bytes the kernel keeps for us; more than that: all is looked at */
#define EVENTS_TURN  256       /* buffers of events taken before others have their turn, */
#define ANSWERS_TURN 16	       /* and of routes, ROUTE_ROOM each */
#define WATCH_REST   100
#define REST_MIN_MS  1000

/* Reading all routes, family by family, a turn of the loop at a time. */
struct scan {
	int fd; /* -1: none under way */
	int watch;
	int family;
	bool torn; /* routes changed meanwhile: what is missing may be there */
	struct finds found;
	int64_t began; /* ms */
};

struct discover_watch {
	struct loop *loop;
	void (*changed)(void *arg);
	void *arg;
	struct finds known[DISCOVER_CONFIGURED];
	int events, events_watch; /* rtnetlink */
	struct resolver_watch resolver;
	int resolver_id;
	int soon, exact; /* timers */
	bool soon_set;
	int64_t exact_at;		/* ms; 0: not set */
	bool gone[DISCOVER_CONFIGURED]; /* something of the kind may be: an exact look is due */
	int64_t rest_until;		/* ms: no reading of all routes before */
	struct scan scan;
	size_t scans;
	void *buffer; /* ROUTE_ROOM */
	char problem[PROBLEM_MAX];
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* ---- when to look ---- */

static void look_soon(struct discover_watch *w)
{
	if (w->soon_set)
		return;
	w->soon_set = true;
	loop_timer_set(w->loop, w->soon, DISCOVER_SOON_MS);
}

/* Never later than it was to be: a storm of changes does not put it off. */
static void look_exactly(struct discover_watch *w, int64_t in_ms)
{
	int64_t at = now_ms() + in_ms;

	if (w->exact_at && w->exact_at <= at)
		return;
	w->exact_at = at;
	loop_timer_set(w->loop, w->exact, in_ms);
}

static void may_be_gone(struct discover_watch *w, enum discover_kind kind)
{
	w->gone[kind] = true;
	look_exactly(w, DISCOVER_GONE_MS);
}

/* ---- looking ---- */

static void look_at(enum discover_kind kind, struct finds *ret)
{
	if (kind == DISCOVER_OWN)
		discover_own(ret);
	else if (kind == DISCOVER_RESOLVER)
		discover_resolvers(ret);
	else
		discover_gateways(ret);
	finds_sort(ret);
}

static bool same_finds(const struct finds *a, const struct finds *b)
{
	for (size_t i = 0; i < a->count && a->count == b->count; i++)
		if (prefix_compare(&a->prefix[i], &b->prefix[i]) != 0)
			return false;
	return a->count == b->count;
}

/* What is known stays in found, whether it is still there or not. */
static void keep_known(struct discover_watch *w, enum discover_kind kind, struct finds *found)
{
	const struct finds *known = &w->known[kind];
	struct finds missing = {};

	for (size_t i = 0; i < known->count; i++)
		if (!finds_has(found, &known->prefix[i]))
			finds_add(&missing, &known->prefix[i]);
	for (size_t i = 0; i < missing.count; i++)
		finds_add(found, &missing.prefix[i]);
	finds_sort(found);
	if (missing.count)
		may_be_gone(w, kind);
	finds_free(&missing);
}

/* Takes found over. exact: what it has not is gone. Whether something is new or gone. */
static bool take_finds(struct discover_watch *w, enum discover_kind kind, struct finds *found,
		       bool exact)
{
	bool differs;

	if (!exact)
		keep_known(w, kind, found);
	differs = !same_finds(&w->known[kind], found);
	finds_free(&w->known[kind]);
	w->known[kind] = *found;
	*found = (struct finds){};
	return differs;
}

static bool look(struct discover_watch *w, enum discover_kind kind, bool exact)
{
	struct finds found = {};

	look_at(kind, &found);
	return take_finds(w, kind, &found, exact);
}

static void on_soon(void *arg)
{
	struct discover_watch *w = arg;

	w->soon_set = false;
	look(w, DISCOVER_OWN, false);
	look(w, DISCOVER_RESOLVER, false);
	w->changed(w->arg);
}

/* ---- all routes, step by step ---- */

static void scan_end(struct discover_watch *w)
{
	if (w->scan.watch > 0)
		loop_unwatch(w->loop, w->scan.watch);
	if (w->scan.fd >= 0)
		close(w->scan.fd);
	finds_free(&w->scan.found);
	w->scan = (struct scan){ .fd = -1 };
}

static void scan_rest(struct discover_watch *w)
{
	int64_t now = now_ms(), rest = (now - w->scan.began) * WATCH_REST;

	w->rest_until = now + (rest > REST_MIN_MS ? rest : REST_MIN_MS);
}

static void scan_failed(struct discover_watch *w)
{
	scan_rest(w);
	scan_end(w);
	w->gone[DISCOVER_GATEWAY] = true;
	look_exactly(w, w->rest_until - now_ms());
}

static void scan_done(struct discover_watch *w)
{
	bool differs;

	scan_rest(w);
	finds_sort(&w->scan.found);
	differs = take_finds(w, DISCOVER_GATEWAY, &w->scan.found, !w->scan.torn);
	scan_end(w);
	if (differs)
		w->changed(w->arg);
}

static void on_answers(void *arg, uint32_t events)
{
	struct discover_watch *w = arg;
	int more = 1;

	(void)events;
	for (int i = 0; i < ANSWERS_TURN && more > 0; i++) {
		ssize_t size = recv(w->scan.fd, w->buffer, ROUTE_ROOM, MSG_DONTWAIT);

		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		more = size <= 0 ? -EIO
				 : route_answers(w->buffer, (size_t)size, &w->scan.found,
						 &w->scan.torn);
	}
	if (more > 0)
		return;
	if (!more && w->scan.family == AF_INET) {
		w->scan.family = AF_INET6;
		more = route_ask(w->scan.fd, AF_INET6) ?: 1;
	}
	if (!more)
		scan_done(w);
	else if (more < 0)
		scan_failed(w);
}

static void scan_begin(struct discover_watch *w)
{
	w->scan.family = AF_INET;
	w->scan.began = now_ms();
	w->scans++;
	w->scan.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (w->scan.fd >= 0)
		w->scan.watch = loop_watch(w->loop, w->scan.fd, EPOLLIN, on_answers, w);
	if (w->scan.fd < 0 || w->scan.watch < 0 || route_ask(w->scan.fd, AF_INET))
		scan_failed(w);
}

static void on_exact(void *arg)
{
	struct discover_watch *w = arg;
	int64_t now = now_ms();
	bool differs = false;

	w->exact_at = 0;
	for (int kind = 0; kind < DISCOVER_CONFIGURED; kind++) {
		if (kind == DISCOVER_GATEWAY || !w->gone[kind])
			continue;
		w->gone[kind] = false;
		differs |= look(w, kind, true);
	}
	if (w->gone[DISCOVER_GATEWAY] && now < w->rest_until) {
		look_exactly(w, w->rest_until - now);
	} else if (w->gone[DISCOVER_GATEWAY] && w->scan.fd < 0) {
		w->gone[DISCOVER_GATEWAY] = false;
		scan_begin(w);
	} else if (w->gone[DISCOVER_GATEWAY]) {
		look_exactly(w, DISCOVER_GONE_MS); /* one is under way, and may have passed it */
	}
	if (differs)
		w->changed(w->arg);
}

/* ---- events ---- */

static void on_route(struct discover_watch *w, const struct nlmsghdr *message)
{
	struct finds named = {};
	bool new = false;

	route_gateways(message, &named);
	for (size_t i = 0; i < named.count; i++) {
		bool known = finds_has(&w->known[DISCOVER_GATEWAY], &named.prefix[i]);

		if (message->nlmsg_type == RTM_DELROUTE) {
			w->gone[DISCOVER_GATEWAY] |= known;
			continue;
		}
		if (w->scan.fd >= 0)
			finds_add(&w->scan.found, &named.prefix[i]);
		if (known)
			continue;
		finds_add(&w->known[DISCOVER_GATEWAY], &named.prefix[i]);
		finds_sort(&w->known[DISCOVER_GATEWAY]);
		new = true;
	}
	/* What a route that is replaced was before is not said. */
	if (message->nlmsg_type == RTM_NEWROUTE && message->nlmsg_flags & NLM_F_REPLACE)
		w->gone[DISCOVER_GATEWAY] = true;
	if (w->gone[DISCOVER_GATEWAY])
		look_exactly(w, DISCOVER_GONE_MS);
	if (new)
		look_soon(w);
	finds_free(&named);
}

static void on_event(struct discover_watch *w, const struct nlmsghdr *message)
{
	const struct ifinfomsg *link = NLMSG_DATA(message);

	switch (message->nlmsg_type) {
	case RTM_NEWADDR:
		look_soon(w);
		break;
	case RTM_DELADDR:
		/* Routes go with an address or a link, and nothing is said of them. */
		may_be_gone(w, DISCOVER_OWN);
		may_be_gone(w, DISCOVER_GATEWAY);
		break;
	case RTM_NEWLINK:
		if (!(link->ifi_flags & IFF_UP))
			may_be_gone(w, DISCOVER_GATEWAY);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		on_route(w, message);
		break;
	default:
		break;
	}
}

/* Events were lost: anything may be new or gone. */
static void on_overrun(struct discover_watch *w)
{
	int64_t left = w->rest_until - now_ms();

	for (int kind = 0; kind < DISCOVER_CONFIGURED; kind++)
		w->gone[kind] = true;
	look_soon(w);
	look_exactly(w, left > 0 ? left : 0);
}

static void on_events(void *arg, uint32_t events)
{
	struct discover_watch *w = arg;

	(void)events;
	for (int i = 0; i < EVENTS_TURN; i++) {
		ssize_t size = recv(w->events, w->buffer, ROUTE_ROOM, MSG_DONTWAIT);
		int left = (int)size;

		if (size < 0 && errno == ENOBUFS) {
			on_overrun(w);
			continue;
		}
		if (size <= 0)
			return;
		for (const struct nlmsghdr *at = w->buffer; NLMSG_OK(at, left);
		     at = NLMSG_NEXT(at, left))
			on_event(w, at);
	}
}

static void watch_resolvers(struct discover_watch *w);

static void on_resolver(void *arg, uint32_t events)
{
	struct discover_watch *w = arg;

	(void)events;
	if (!resolver_watch_changed(&w->resolver))
		return;
	watch_resolvers(w);
	look_soon(w);
}

/* ---- begin and end ---- */

static void cannot_watch(struct discover_watch *w, const char *what, int err)
{
	snprintf(w->problem, sizeof(w->problem), "changes of %s are not noticed: %s", what,
		 strerror(-err));
}

static void watch_resolvers(struct discover_watch *w)
{
	int err;

	if (w->resolver_id > 0)
		loop_unwatch(w->loop, w->resolver_id);
	w->resolver_id = 0;
	err = resolver_watch_begin(&w->resolver);
	if (!err) {
		w->resolver_id = loop_watch(w->loop, w->resolver.fd, EPOLLIN, on_resolver, w);
		err = w->resolver_id < 0 ? w->resolver_id : 0;
	}
	if (err)
		cannot_watch(w, "resolv.conf", err);
}

static int open_events(int *ret)
{
	const struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int room = EVENTS_ROOM;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fd, (const struct sockaddr *)&groups, sizeof(groups)))
		return -errno;
	*ret = take_fd(fd);
	return 0;
}

static void watch_events(struct discover_watch *w)
{
	int err = open_events(&w->events);

	if (!err) {
		w->events_watch = loop_watch(w->loop, w->events, EPOLLIN, on_events, w);
		err = w->events_watch < 0 ? w->events_watch : 0;
	}
	if (err)
		cannot_watch(w, "addresses and routes", err);
}

int discover_watch_new(struct loop *loop, void (*changed)(void *arg), void *arg,
		       struct discover_watch **ret)
{
	_cleanup_(discover_watch_freep) struct discover_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->loop = loop;
	w->changed = changed;
	w->arg = arg;
	w->events = w->resolver.fd = w->scan.fd = -1;
	w->buffer = malloc(ROUTE_ROOM);
	if (!w->buffer)
		return -ENOMEM;
	w->soon = loop_timer(loop, DISCOVER_SOON_MS, 0, on_soon, w);
	w->exact = loop_timer(loop, DISCOVER_GONE_MS, 0, on_exact, w);
	if (w->soon < 0 || w->exact < 0)
		return -ENOMEM;
	w->soon_set = true;
	watch_events(w);
	watch_resolvers(w);
	*ret = take_ptr(w);
	return 0;
}

struct discover_watch *discover_watch_free(struct discover_watch *w)
{
	if (!w)
		return NULL;
	scan_end(w);
	if (w->soon > 0)
		loop_timer_remove(w->loop, w->soon);
	if (w->exact > 0)
		loop_timer_remove(w->loop, w->exact);
	if (w->events_watch > 0)
		loop_unwatch(w->loop, w->events_watch);
	if (w->resolver_id > 0)
		loop_unwatch(w->loop, w->resolver_id);
	if (w->events >= 0)
		close(w->events);
	resolver_watch_end(&w->resolver);
	for (int kind = 0; kind < DISCOVER_CONFIGURED; kind++)
		finds_free(&w->known[kind]);
	free(w->buffer);
	free(w);
	return NULL;
}

int discover_watch_look(struct discover_watch *w, const struct config *config,
			struct never_block *ret, struct problem *why)
{
	for (int kind = 0; kind < DISCOVER_CONFIGURED; kind++)
		look(w, kind, true);
	return discover_join(w->known, config, ret, why);
}

int discover_watch_known(const struct discover_watch *w, const struct config *config,
			 struct never_block *ret, struct problem *why)
{
	return discover_join(w->known, config, ret, why);
}

const char *discover_watch_problem(const struct discover_watch *w)
{
	return w->problem;
}

size_t discover_watch_scans(const struct discover_watch *w)
{
	return w->scans;
}
