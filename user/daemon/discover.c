/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/discover.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/gate.h"

#define DUMP_ROOM 65536 /* bytes of routes taken from the kernel at a time */

struct found {
	struct prefix *prefix;
	size_t count, room;
	int error; /* sticks */
};

/* A table of a million routes names few gateways: duplicates go before it grows. */
static int found_grow(struct found *f)
{
	struct prefix *grown;
	size_t room;

	f->count = gate_sort_never_block(f->prefix, f->count);
	if (f->count > DISCOVER_MAX)
		return -E2BIG;
	if (f->room && f->count <= f->room / 2)
		return 0;
	room = f->room ? f->room * 2 : 64;
	grown = reallocarray(f->prefix, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	f->prefix = grown;
	f->room = room;
	return 0;
}

static void found_add(struct found *f, const struct prefix *p)
{
	if (!f->error && f->count == f->room)
		f->error = found_grow(f);
	if (!f->error)
		f->prefix[f->count++] = *p;
}

/* Leaves out what cannot come in as a source anyway: unspecified, loopback, link-local. */
static void found_add4(struct found *f, in_addr_t addr)
{
	struct prefix p = { .family = MOAT_IPV4, .len = 32 };

	if (addr == INADDR_ANY || ntohl(addr) >> 24 == IN_LOOPBACKNET)
		return;
	memcpy(p.addr, &addr, sizeof(addr));
	found_add(f, &p);
}

static void found_add6(struct found *f, const struct in6_addr *addr)
{
	struct prefix p = { .family = MOAT_IPV6, .len = 128 };

	if (IN6_IS_ADDR_UNSPECIFIED(addr) || IN6_IS_ADDR_LOOPBACK(addr) ||
	    IN6_IS_ADDR_LINKLOCAL(addr))
		return;
	memcpy(p.addr, addr, sizeof(*addr));
	found_add(f, &p);
}

static void find_own(struct found *f)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;

		if (!at->ifa_addr)
			continue;
		if (at->ifa_addr->sa_family == AF_INET) {
			memcpy(&v4, at->ifa_addr, sizeof(v4));
			found_add4(f, v4.sin_addr.s_addr);
		} else if (at->ifa_addr->sa_family == AF_INET6) {
			memcpy(&v6, at->ifa_addr, sizeof(v6));
			found_add6(f, &v6.sin6_addr);
		}
	}
	freeifaddrs(all);
}

/* ---- gateways: of every table and every next hop ---- */

/* RTA_GATEWAY is of the route's family, RTA_VIA brings its own. */
static void find_gateway(struct found *f, uint8_t family, const struct rtattr *attribute)
{
	const uint8_t *data = RTA_DATA(attribute);
	size_t size = RTA_PAYLOAD(attribute);
	struct in6_addr v6;
	in_addr_t v4;

	if (attribute->rta_type == RTA_VIA && size > sizeof(struct rtvia)) {
		family = (uint8_t)((const struct rtvia *)data)->rtvia_family;
		data += sizeof(struct rtvia);
		size -= sizeof(struct rtvia);
	} else if (attribute->rta_type != RTA_GATEWAY) {
		return;
	}
	if (family == AF_INET && size == sizeof(v4)) {
		memcpy(&v4, data, sizeof(v4));
		found_add4(f, v4);
	} else if (family == AF_INET6 && size == sizeof(v6)) {
		memcpy(&v6, data, sizeof(v6));
		found_add6(f, &v6);
	}
}

static void find_next_hops(struct found *f, uint8_t family, const struct rtattr *attribute)
{
	const struct rtnexthop *hop = RTA_DATA(attribute);
	int left = (int)RTA_PAYLOAD(attribute);

	for (; left >= (int)sizeof(*hop) && RTNH_OK(hop, left); hop = RTNH_NEXT(hop)) {
		const struct rtattr *at = RTNH_DATA(hop);
		int size = hop->rtnh_len - (int)sizeof(*hop);

		for (; RTA_OK(at, size); at = RTA_NEXT(at, size))
			find_gateway(f, family, at);
		left -= (int)NLMSG_ALIGN(hop->rtnh_len);
	}
}

static void find_in_route(struct found *f, const struct nlmsghdr *message)
{
	const struct rtmsg *route = NLMSG_DATA(message);
	const struct rtattr *at = RTM_RTA(route);
	int left = (int)RTM_PAYLOAD(message);

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type == RTA_MULTIPATH)
			find_next_hops(f, route->rtm_family, at);
		else
			find_gateway(f, route->rtm_family, at);
	}
}

/* False: that was the last message, or something is wrong with them. */
static bool find_in_messages(struct found *f, const void *buffer, ssize_t size)
{
	const struct nlmsghdr *message = buffer;
	int left = (int)size;

	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
		if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
			return false;
		if (message->nlmsg_type == RTM_NEWROUTE)
			find_in_route(f, message);
	}
	return size > 0;
}

static void find_gateways(struct found *f, uint8_t family)
{
	struct {
		struct nlmsghdr header;
		struct rtmsg route;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_GETROUTE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.route = { .rtm_family = family },
	};
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	_cleanup_free_ void *buffer = malloc(DUMP_ROOM);

	if (fd < 0 || !buffer || send(fd, &request, sizeof(request), 0) < 0)
		return;
	while (find_in_messages(f, buffer, recv(fd, buffer, DUMP_ROOM, 0)))
		;
}

/* ---- name servers ---- */

static void find_resolvers(struct found *f, const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		char address[64];
		struct in6_addr v6;
		struct in_addr v4;

		if (sscanf(line, " nameserver %63[^ \t\r\n%%]", address) != 1)
			continue;
		if (inet_pton(AF_INET, address, &v4) == 1)
			found_add4(f, v4.s_addr);
		else if (inet_pton(AF_INET6, address, &v6) == 1)
			found_add6(f, &v6);
	}
}

int discover_never_block(const struct config *config, struct prefix **ret, size_t *ret_count,
			 struct problem *why)
{
	struct found f = {};

	for (size_t i = 0; i < config->never_blocks; i++)
		found_add(&f, &config->never_block[i]);
	find_own(&f);
	find_gateways(&f, AF_INET);
	find_gateways(&f, AF_INET6);
	find_resolvers(&f, "/etc/resolv.conf");
	/* Behind systemd-resolved's address on the loopback. */
	find_resolvers(&f, "/run/systemd/resolve/resolv.conf");
	if (!f.error) {
		f.count = gate_sort_never_block(f.prefix, f.count);
		f.error = f.count > DISCOVER_MAX ? -E2BIG : 0;
	}
	if (f.error) {
		free(f.prefix);
		return problem_set(why, f.error, "never_block: %s",
				   f.error == -E2BIG ? "too many prefixes" : "out of memory");
	}
	*ret = f.prefix;
	*ret_count = f.count;
	return 0;
}
