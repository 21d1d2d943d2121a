/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the stages know of the packet in hand, filled as it goes through them.
 */
#ifndef BPF_PACKET_H
#define BPF_PACKET_H

#include "vmlinux.h"

#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "moat/policy.h"
#include "moat/reason.h"
#include "moat/source.h"

/* How much of the transport parse_transport() could read. */
enum transport_known {
	TRANSPORT_UNKNOWN, /* not even the protocol: fits every scope */
	TRANSPORT_PROTOCOL, /* no ports (later fragment, cut header): fits any port of its protocol */
	TRANSPORT_PORTS,
};

struct packet {
	__be32 source[4]; /* IPv4 in [0], the rest 0 */
	__u32 length;	  /* of the frame, in bytes */
	__u32 family;	  /* enum moat_family */
	__u32 ip;	  /* offset of the IP header in the frame, at most 26 */
	__u32 doubt;	  /* plain reason of moat_reason.h that a clean source leaves with, or 0 */
	__u32 matched;	  /* prefix length of the source that decided */
	__u32 category;	  /* that decided; 0 without */
	__u32 mark;	  /* of the policy that decided, for action tag */
	__u32 dscp;	  /* likewise */
	__u32 tag;	  /* likewise: MOAT_POLICY_MARK, MOAT_POLICY_DSCP */
};

/*
 * Without this clang keeps every field in a register, has too few, and writes
 * the zeros of all of them to the stack again at each branch of the parser: a
 * third of the instructions of a clean packet.
 */
static __always_inline void packet_stays_in_memory(struct packet *pkt)
{
	asm volatile("" : : "r"(pkt) : "memory");
}

/*
 * Whether the object was loaded with BPF_F_XDP_HAS_FRAGS: then a packet can be
 * longer than data_end says. Set before load.
 */
extern const volatile __u32 moat_frags;

/* Bounds are re-read at each stage: helpers that move the packet invalidate pointers. */
static __always_inline void *packet_data(const struct xdp_md *ctx)
{
	return (void *)(long)ctx->data;
}

static __always_inline void *packet_end(const struct xdp_md *ctx)
{
	return (void *)(long)ctx->data_end;
}

/*
 * Whether a port (in host order) is one of the set. That it has 16 bits, as the
 * compiler knows, is news to the verifier of most kernels: to those a swap of
 * bytes yields any number. So the compiler is made to forget it, and masks.
 */
static __always_inline bool packet_port_is_in(const struct moat_ports *ports, __u32 port)
{
	barrier_var(port);
	return ports->set[port >> 6 & (MOAT_PORT_WORDS - 1)] & (1ULL << (port & 63));
}

#endif
