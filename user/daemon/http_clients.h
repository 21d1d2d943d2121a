/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses that ask over TCP: how many connections each has open, and how
 * fast it asks, connects and fails to prove who it is.
 *
 * Bounded: who was not heard of for the longest time is forgotten, but nobody
 * with an open connection. IPv6 goes by /64: a host there has them all. Times
 * are the caller's, in microseconds of a clock that does not jump. No I/O.
 */
#ifndef DAEMON_HTTP_CLIENTS_H
#define DAEMON_HTTP_CLIENTS_H

#include <sys/socket.h>

#include "core/base.h"

#define HTTP_CLIENTS_SETS 512
#define HTTP_CLIENTS_WAYS 8

/* So many at once, then one each interval. The time at which the next is due by that. */
struct http_pace {
	int64_t due_us;
};

/* Whether one more fits now; only then it counts. */
bool http_pace_take(struct http_pace *pace, int64_t now_us, int64_t interval_us, int64_t burst);

/* One that cannot be looked up with so many guesses at once, and then so few. */
#define HTTP_FAILURES_BURST    10
#define HTTP_FAILURES_INTERVAL 6000000 /* us */

struct http_client {
	uint8_t key[8]; /* IPv4 address, or the first half of an IPv6 one */
	uint8_t family; /* 4, 6; 0: nobody */
	unsigned int connections;
	int64_t seen_us;
	struct http_pace connects, requests, failures;
};

struct http_clients {
	uint64_t seed; /* of the hash: nobody chooses whom he displaces */
	struct http_client client[HTTP_CLIENTS_SETS][HTTP_CLIENTS_WAYS];
};

/* NULL: everybody who might make room has connections. Valid until the next call, or (connections) longer. */
struct http_client *http_clients_get(struct http_clients *c, const struct sockaddr *address,
				     int64_t now_us);

#endif
