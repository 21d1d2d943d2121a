/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows that were opened from this host, so that their answers can be told
 * from what a listed source sends of its own accord (replies: pass).
 *
 *   outgoing packet -> moat_egress -> moat_flows -> moat_ingress: reason reply
 *
 * A flow is noted by the packet that opens it: a TCP SYN without ACK, a UDP
 * datagram from a port that the kernel gives to clients (moat_clients), an
 * echo request. Its later packets keep it. It is live for the lifetime of its
 * state after the last packet that left from here, compared in the kernel.
 *
 * moat_flows lies in moat_flow_slot, so that it takes memory only while
 * replies pass and can be exchanged for one of another size under a running
 * program.
 *
 * Who writes: the tc program. Who reads: the XDP program, which counts errors. The daemon makes the
 * table and fills moat_clients.
 */
#ifndef MOAT_FLOW_H
#define MOAT_FLOW_H

#include "moat/abi.h"
#include "moat/source.h"

/* Unused bytes are 0: keys are compared whole. */
struct moat_flow_key {
	__u8 family; /* MOAT_IPV4, MOAT_IPV6 */
	__u8 protocol;
	__u16 reserved;
	__be32 local[4]; /* this host; IPv4 in [0] */
	__be32 remote[4];
	__be16 local_port; /* of an echo: its identifier */
	__be16 remote_port;
};

/*
 * How far a flow has come, and how long it lives after a packet from here.
 *
 *        name    seconds */
/* clang-format off */
#define MOAT_FLOW_STATES(X)                                                                        \
	X(OPENING, 120)  /* TCP: SYN sent; also how long its answer may take */                    \
	X(OPEN,    3600) /* TCP: a packet without SYN followed */                                  \
	X(CLOSING, 120)  /* TCP: FIN sent; the other side may still have to say something */       \
	X(UDP,     60)                                                                             \
	X(ECHO,    30)
/* clang-format on */

/* clang-format off */
enum moat_flow_state {
#define X(name, seconds) MOAT_FLOW_##name,
	MOAT_FLOW_STATES(X)
#undef X
	MOAT_FLOW_STATE_MAX,
};
/* clang-format on */

/*
 * ICMP errors about a flow that pass until its next packet leaves. Anyone on a
 * list may send them, not only the peer, so there is an end to it; one packet
 * has one error, a trace of the route has 16 on their way at once.
 */
#define MOAT_FLOW_ERRORS 16

struct moat_flow {
	__u32 seen;   /* in ticks: the last packet from here */
	__u32 state;  /* enum moat_flow_state */
	__u32 errors; /* that came since then; written by the XDP program */
	__u32 reserved;
};

#define MOAT_FLOW_TICKS(seconds) (((seconds)*1000000000ULL >> MOAT_TICK_SHIFT) + 1)

/* In ticks. */
static inline __u32 moat_flow_lifetime(__u32 state)
{
	switch (state) {
#define X(name, seconds)                                                                           \
	case MOAT_FLOW_##name:                                                                     \
		return MOAT_FLOW_TICKS(seconds);
		MOAT_FLOW_STATES(X)
#undef X
	default:
		return 0;
	}
}

_Static_assert(sizeof(struct moat_flow_key) == 40, "ABI");
_Static_assert(sizeof(struct moat_flow) == 16, "ABI");

#endif
