/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is published to all who listen at /api/v1/events?topic=NAME: encoded
 * once, sent to each stream of it. Who is too slow misses a message, never
 * half of one, and nobody waits for him.
 *
 * Everything takes NULL for "there are none".
 *
 * Topic packets is not among these: each of its readers gets his own
 * (daemon/events.h).
 */
#ifndef DAEMON_TOPICS_H
#define DAEMON_TOPICS_H

#include "daemon/http_stream.h"

/*        name      label: of topic= and of "event:" */
/* clang-format off */
#define TOPICS(X)                                                                                  \
	X(RATES,    "rates") /* packets and bytes a second, once a second */
/* clang-format on */

/* clang-format off */
enum topic {
#define X(name, label) TOPIC_##name,
	TOPICS(X)
#undef X
	TOPICS_MAX,
};
/* clang-format on */

struct topics;

int topics_new(struct topics **ret);
struct topics *topics_free(struct topics *t);
DEFINE_CLEANUP(struct topics, topics_free)

/* A topic by its label, or -ENOENT. */
int topics_find(const char *label);

/* How many listen: 0, and there is no need to make the message. */
size_t topics_listeners(const struct topics *t, enum topic topic);

/* json: one line. The last message is kept, and is what a new listener gets first. */
void topics_publish(struct topics *t, enum topic topic, const char *json, size_t size);

/* A stream begins to listen, or (when it is closed) ends to. lines: JSON lines, not server-sent events. */
int topics_join(struct topics *t, enum topic topic, struct http_stream *stream, bool lines);
void topics_leave(struct topics *t, const struct http_stream *stream);

#endif
