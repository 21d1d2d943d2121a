/* SPDX-License-Identifier: BSD-2-Clause */
#include "traffic_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "core/base.h"

#define SOURCES_MAX   (1U << 18) /* slots of the table; half may be used */
#define SNAP	      256	 /* bytes of a frame that are read */
#define RECEIVE_ROOM  (64 << 20) /* bytes of socket buffer */
#define DRAIN_MS      100	 /* without a frame after a signal: all have come */
#define VLANS_SEEN    16	 /* different stacks of tags that are told apart */
#define NS_PER_SECOND 1000000000LL

volatile sig_atomic_t wire_stop;

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

/* protocol 0: the socket only sends. */
static int open_socket(const char *iface, uint16_t protocol)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol) };
	_cleanup_close_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	address.sll_ifindex = if_nametoindex(iface);
	if (!address.sll_ifindex)
		return -errno;
	if (protocol) {
		int on = 1, room = RECEIVE_ROOM;

		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
		if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) ||
		    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)))
			return -errno;
	}
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return take_fd(fd);
}

/* ---- sending ---- */

struct outbox {
	struct mmsghdr message[WIRE_BATCH];
	struct iovec part[WIRE_BATCH];
	size_t count;
};

/* Fills up to room frames; returns false at the end. */
static bool outbox_fill(struct outbox *o, size_t room, wire_next_fn next, void *arg)
{
	for (o->count = 0; o->count < room; o->count++) {
		size_t size;
		const uint8_t *frame = next(arg, &size);

		if (!frame)
			return false;
		o->part[o->count] = (struct iovec){ (void *)frame, size };
		o->message[o->count].msg_hdr =
			(struct msghdr){ .msg_iov = &o->part[o->count], .msg_iovlen = 1 };
	}
	return true;
}

/* A signal ends it only between batches: what was counted was sent. */
static int outbox_send(struct outbox *o, int fd, struct wire_sent *sent)
{
	size_t done = 0;

	while (done < o->count) {
		int n = sendmmsg(fd, o->message + done, o->count - done, 0);

		if (n > 0) {
			sent->frames += n;
			done += n;
		} else if (errno == EMSGSIZE) {
			sent->skipped++;
			done++;
		} else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

/* Frames due by now at the rate, at most a batch; waits until one is. */
static size_t frames_due(uint64_t rate, uint64_t given, int64_t start)
{
	int64_t due_ns, due;

	if (!rate)
		return WIRE_BATCH;
	due_ns = start + (int64_t)(given * (double)NS_PER_SECOND / rate);
	if (due_ns > now_ns(CLOCK_MONOTONIC)) {
		struct timespec until = { due_ns / NS_PER_SECOND, due_ns % NS_PER_SECOND };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
	due = (now_ns(CLOCK_MONOTONIC) - due_ns) * (double)rate / NS_PER_SECOND + 1;
	return due < 1 ? 1 : due > WIRE_BATCH ? WIRE_BATCH : due;
}

int wire_send(const char *iface, uint64_t rate, wire_next_fn next, void *arg, struct wire_sent *ret)
{
	struct outbox outbox = { 0 };
	struct wire_sent sent = { 0 };
	_cleanup_close_ int fd = open_socket(iface, 0);
	int64_t start = now_ns(CLOCK_MONOTONIC);
	uint64_t given = 0;
	bool more = true;

	if (fd < 0)
		return fd;
	while (more && !wire_stop) {
		size_t room = frames_due(rate, given, start);
		int err;

		more = outbox_fill(&outbox, room, next, arg);
		given += outbox.count;
		err = outbox_send(&outbox, fd, &sent);
		if (err)
			return err;
	}
	sent.seconds = (now_ns(CLOCK_MONOTONIC) - start) / (double)NS_PER_SECOND;
	*ret = sent;
	return 0;
}

/* ---- receiving ---- */

struct source_count {
	struct address from;
	uint64_t frames; /* 0: the slot is free */
	int64_t last;	 /* ns since 1970 */
};

struct vlan_count {
	struct frame_tag tag[FRAME_VLANS];
	size_t tags;
	uint64_t frames;
};

struct tally {
	struct source_count *source; /* owned; SOURCES_MAX slots */
	size_t sources;
	uint64_t total, other, bad_checksum;
	uint64_t dscp[64];
	struct vlan_count vlan[VLANS_SEEN];
	size_t vlans;
};

static int tally_source(struct tally *t, const struct address *from, int64_t at)
{
	uint32_t hash = 2166136261U; /* FNV-1a */
	struct source_count *slot;

	for (size_t i = 0; i < sizeof(from->bytes); i++)
		hash = (hash ^ from->bytes[i]) * 16777619U;
	for (slot = &t->source[hash % SOURCES_MAX]; slot->frames;
	     slot = &t->source[++hash % SOURCES_MAX])
		if (slot->from.v6 == from->v6 &&
		    !memcmp(slot->from.bytes, from->bytes, sizeof(from->bytes)))
			break;
	if (!slot->frames && ++t->sources > SOURCES_MAX / 2)
		return -E2BIG;
	slot->from = *from;
	slot->frames++;
	slot->last = at;
	return 0;
}

static int tally_vlan(struct tally *t, const struct frame_seen *seen)
{
	size_t i;

	for (i = 0; i < t->vlans; i++)
		if (t->vlan[i].tags == seen->tags &&
		    !memcmp(t->vlan[i].tag, seen->tag, seen->tags * sizeof(seen->tag[0])))
			break;
	if (i == VLANS_SEEN)
		return -E2BIG;
	if (i == t->vlans) {
		t->vlans++;
		t->vlan[i].tags = seen->tags;
		memcpy(t->vlan[i].tag, seen->tag, sizeof(seen->tag));
	}
	t->vlan[i].frames++;
	return 0;
}

static bool filter_takes(const struct wire_filter *f, const struct frame_seen *seen)
{
	if (f->by_source && !(seen->ip && address_in(&seen->from, &f->net, f->bits)))
		return false;
	if (f->by_protocol && !(seen->ip && seen->protocol == f->protocol))
		return false;
	return !f->by_vlan || (seen->tags && seen->tag[0].id == f->vlan);
}

static int tally_frame(struct tally *t, const struct wire_filter *filter,
		       const struct frame_seen *seen, int64_t at)
{
	int err;

	if (!filter_takes(filter, seen))
		return 0;
	t->total++;
	if (!seen->ip) {
		t->other++;
		return 0;
	}
	err = tally_source(t, &seen->from, at);
	t->dscp[seen->dscp]++;
	t->bad_checksum += !seen->checksum_right;
	return err ?: seen->tags ? tally_vlan(t, seen) : 0;
}

/* The kernel takes the outermost tag out of the frame and tells it beside. */
static int take_frame(struct tally *t, const struct wire_filter *filter, struct msghdr *message,
		      const uint8_t *frame, size_t size)
{
	struct frame_tag outer = { 0 };
	struct frame_seen seen;
	int64_t at = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		struct tpacket_auxdata aux;
		struct timespec time;

		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
			if (aux.tp_status & TP_STATUS_VLAN_VALID)
				outer = (struct frame_tag){ aux.tp_vlan_tpid,
							    aux.tp_vlan_tci & 0x0FFF };
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&time, CMSG_DATA(c), sizeof(time));
			at = time.tv_sec * NS_PER_SECOND + time.tv_nsec;
		}
	}
	frame_read(frame, size, &seen);
	if (outer.type && seen.tags < FRAME_VLANS) {
		memmove(seen.tag + 1, seen.tag, seen.tags * sizeof(seen.tag[0]));
		seen.tag[0] = outer;
		seen.tags++;
	}
	return tally_frame(t, filter, &seen, at);
}

struct inbox {
	struct mmsghdr message[WIRE_BATCH];
	struct iovec part[WIRE_BATCH];
	uint8_t frame[WIRE_BATCH][SNAP];
	_Alignas(struct cmsghdr) uint8_t control[WIRE_BATCH][128];
};

/* Reads what there is. Returns how many frames, or negative errno. */
static int inbox_read(struct inbox *in, int fd, const struct wire_filter *filter, struct tally *t)
{
	int n;

	for (size_t i = 0; i < WIRE_BATCH; i++) {
		in->part[i] = (struct iovec){ in->frame[i], SNAP };
		in->message[i].msg_hdr =
			(struct msghdr){ .msg_iov = &in->part[i],
					 .msg_iovlen = 1,
					 .msg_control = in->control[i],
					 .msg_controllen = sizeof(in->control[i]) };
	}
	n = recvmmsg(fd, in->message, WIRE_BATCH, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		int err = take_frame(t, filter, &in->message[i].msg_hdr, in->frame[i],
				     in->message[i].msg_len);

		if (err)
			return err;
	}
	return n;
}

static void tally_print(const struct tally *t, uint64_t lost)
{
	char text[INET6_ADDRSTRLEN];

	printf("total %" PRIu64 "\n", t->total);
	for (size_t i = 0; i < SOURCES_MAX; i++) {
		const struct source_count *s = &t->source[i];

		if (s->frames)
			printf("source %s %" PRIu64 " %.6f\n",
			       inet_ntop(s->from.v6 ? AF_INET6 : AF_INET, s->from.bytes, text,
					 sizeof(text)),
			       s->frames, s->last / (double)NS_PER_SECOND);
	}
	for (size_t i = 0; i < ARRAY_SIZE(t->dscp); i++)
		if (t->dscp[i])
			printf("dscp %zu %" PRIu64 "\n", i, t->dscp[i]);
	for (size_t i = 0; i < t->vlans; i++) {
		printf("vlan ");
		for (size_t tag = 0; tag < t->vlan[i].tags; tag++)
			printf("%s%u", tag ? "." : "", t->vlan[i].tag[tag].id);
		printf(" %" PRIu64 "\n", t->vlan[i].frames);
	}
	printf("other %" PRIu64 "\nbad_checksum %" PRIu64 "\nlost %" PRIu64 "\n", t->other,
	       t->bad_checksum, lost);
}

static int receive_loop(int fd, const struct wire_filter *filter, uint64_t expect, double seconds,
			struct tally *t)
{
	_cleanup_free_ struct inbox *in = calloc(1, sizeof(*in));
	int64_t deadline = now_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * NS_PER_SECOND);

	if (!in)
		return -ENOMEM;
	for (;;) {
		int64_t left = (deadline - now_ns(CLOCK_MONOTONIC)) / 1000000;
		int wait = wire_stop	     ? DRAIN_MS
			   : left > DRAIN_MS ? DRAIN_MS
			   : left < 0	     ? 0
					     : (int)left;
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		bool stopping = wire_stop;
		int n;

		if (poll(&ready, 1, wait) < 0 && errno != EINTR)
			return -errno;
		n = inbox_read(in, fd, filter, t);
		if (n < 0)
			return n;
		if ((expect && t->total >= expect) || (stopping && !n) || (left <= 0 && !n))
			return 0;
	}
}

int wire_receive(const char *iface, const struct wire_filter *filter, uint64_t expect,
		 double seconds)
{
	_cleanup_close_ int fd = open_socket(iface, ETH_P_ALL);
	_cleanup_free_ struct source_count *source = calloc(SOURCES_MAX, sizeof(*source));
	struct tpacket_stats stats = { 0 };
	socklen_t size = sizeof(stats);
	struct tally t = { .source = source };
	int err;

	if (fd < 0)
		return fd;
	if (!source)
		return -ENOMEM;
	printf("ready\n");
	fflush(stdout);
	err = receive_loop(fd, filter, expect, seconds, &t);
	if (err)
		return err;
	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size))
		return -errno;
	tally_print(&t, stats.tp_drops);
	return expect && t.total < expect;
}
