/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends frames of listed sources over a veth pair as fast as one CPU can, and
 * counts what arrives at the other end. Needs Linux 5.18 (live frames).
 */
#ifndef BENCH_SENDER_H
#define BENCH_SENDER_H

#include <stdint.h>

/* Both ends; names of network namespaces as "ip netns" knows them. */
struct wire {
	const char *to_netns;
	const char *to_if;
	const char *from_netns;
	const char *from_if;
};

struct sender_result {
	double seconds;
	uint64_t received;  /* frames that the receiving interface processed */
	uint64_t delivered; /* of these, packets that reached a socket or a refusal of the stack */
};

/*
 * Sends for a moment unmeasured, then for the seconds given. The receiving
 * interface's address is what the frames are for. 0 or a negative errno,
 * which was told on standard error.
 */
int sender_measure(const char *object_dir, const struct wire *wire, uint32_t sources,
		   uint32_t seconds, struct sender_result *ret);

#endif
