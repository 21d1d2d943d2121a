/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_clients.h"

#include <netinet/in.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

bool http_pace_take(struct http_pace *pace, int64_t now_us, int64_t interval_us, int64_t burst)
{
	int64_t due = pace->due_us > now_us ? pace->due_us : now_us;

	if (due - now_us > (burst - 1) * interval_us)
		return false;
	pace->due_us = due + interval_us;
	return true;
}

static uint8_t key_of(const struct sockaddr *sa, uint8_t ret[static 8])
{
	memset(ret, 0, 8);
	if (sa->sa_family == AF_INET) {
		memcpy(ret, &((const struct sockaddr_in *)sa)->sin_addr, 4);
		return 4;
	}
	if (sa->sa_family != AF_INET6)
		return 0;
	memcpy(ret, &((const struct sockaddr_in6 *)sa)->sin6_addr, 8);
	return 6;
}

struct http_client *http_clients_get(struct http_clients *c, const struct sockaddr *address,
				     int64_t now_us)
{
	struct http_client *set, *oldest = NULL;
	uint8_t key[8], family = key_of(address, key);

	if (!family)
		return NULL;
	set = c->client[XXH3_64bits_withSeed(key, sizeof(key), c->seed + family) %
			HTTP_CLIENTS_SETS];
	for (size_t i = 0; i < HTTP_CLIENTS_WAYS; i++) {
		struct http_client *client = &set[i];

		if (client->family == family && !memcmp(client->key, key, sizeof(key))) {
			client->seen_us = now_us;
			return client;
		}
		if (!client->connections && (!oldest || client->seen_us < oldest->seen_us))
			oldest = client;
	}
	if (!oldest)
		return NULL;
	*oldest = (struct http_client){ .family = family, .seen_us = now_us };
	memcpy(oldest->key, key, sizeof(key));
	return oldest;
}
