/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/discover_route.h"

#include <sys/socket.h>

/* RTA_GATEWAY is of the route's family, RTA_VIA brings its own. */
static void take_gateway(struct finds *f, int family, const struct rtattr *attribute)
{
	const uint8_t *data = RTA_DATA(attribute);
	size_t size = RTA_PAYLOAD(attribute);
	struct rtvia via;

	if (attribute->rta_type == RTA_VIA && size > sizeof(via)) {
		memcpy(&via, data, sizeof(via));
		family = via.rtvia_family;
		data += sizeof(via);
		size -= sizeof(via);
	} else if (attribute->rta_type != RTA_GATEWAY) {
		return;
	}
	finds_add_address(f, family, data, size);
}

static void take_next_hops(struct finds *f, int family, const struct rtattr *attribute)
{
	const struct rtnexthop *hop = RTA_DATA(attribute);
	int left = (int)RTA_PAYLOAD(attribute);

	for (; left >= (int)sizeof(*hop) && RTNH_OK(hop, left); hop = RTNH_NEXT(hop)) {
		const struct rtattr *at = RTNH_DATA(hop);
		int size = hop->rtnh_len - (int)sizeof(*hop);

		for (; RTA_OK(at, size); at = RTA_NEXT(at, size))
			take_gateway(f, family, at);
		left -= (int)NLMSG_ALIGN(hop->rtnh_len);
	}
}

void route_gateways(const struct nlmsghdr *message, struct finds *f)
{
	const struct rtmsg *route = NLMSG_DATA(message);
	const struct rtattr *at = RTM_RTA(route);
	int left = (int)RTM_PAYLOAD(message);

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*route)) || route->rtm_flags & RTM_F_CLONED)
		return;
	for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type == RTA_MULTIPATH)
			take_next_hops(f, route->rtm_family, at);
		else
			take_gateway(f, route->rtm_family, at);
	}
}

int route_ask(int fd, int family)
{
	const struct {
		struct nlmsghdr header;
		struct rtmsg route;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_GETROUTE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.route = { .rtm_family = (unsigned char)family },
	};

	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

int route_answers(const void *buffer, size_t size, struct finds *f, bool *torn)
{
	const struct nlmsghdr *message = buffer;
	int left = (int)size;

	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
		*torn |= message->nlmsg_flags & NLM_F_DUMP_INTR;
		if (message->nlmsg_type == NLMSG_DONE)
			return 0;
		if (message->nlmsg_type == NLMSG_ERROR)
			return -EIO;
		if (message->nlmsg_type == RTM_NEWROUTE)
			route_gateways(message, f);
	}
	return size > 0;
}

static void ask_and_wait(struct finds *f, int family)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	_cleanup_free_ void *buffer = malloc(ROUTE_ROOM);
	bool torn = false;
	ssize_t size;

	if (fd < 0 || !buffer || route_ask(fd, family))
		return;
	do
		size = recv(fd, buffer, ROUTE_ROOM, 0);
	while (size > 0 && route_answers(buffer, (size_t)size, f, &torn) > 0);
}

void discover_gateways(struct finds *f)
{
	ask_and_wait(f, AF_INET);
	ask_and_wait(f, AF_INET6);
}
