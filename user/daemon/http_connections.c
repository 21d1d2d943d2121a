/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_connections.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "daemon/http_clock.h"
#include "daemon/http_peer.h"
#include "daemon/http_stream.h"

#define HEAD_MS	     10000 /* from the connection to the end of its first head */
#define IDLE_MS	     30000 /* from an answer to the end of the next head */
#define BODY_MS	     20000 /* for a body of no size; and for the reading of an answer */
#define SLOWEST	     16	   /* bytes a millisecond: what is larger may take longer */
#define READER_MS    5000  /* an answer that is not read by then may give way */
#define STALLED_MS   30000 /* a peer that acknowledges nothing for so long is gone */
#define KEEPALIVE_S  60
#define CONNECTS_FOR 2 /* connections an address may open at once, in seconds of its rate */

#define STREAMS_TCP (HTTP_STREAMS_MAX - 8) /* the rest is for the unix socket */

/* TLS handshakes a second of all addresses together: each costs the loop a signature. */
#define HANDSHAKE_US	 10000
#define HANDSHAKES_BURST 100

/* ---- who gives way ---- */

static bool may_give_way(const struct http_connection *c, int64_t now)
{
	if (c->told || c->listener->local)
		return false;
	return c->phase == HTTP_WAITING ||
	       (c->phase == HTTP_ANSWERING && now - c->since_ms > READER_MS);
}

void connection_end(struct http_connection *c)
{
	if (c->told)
		return;
	c->told = true;
	if (!c->listener->local)
		c->listener->http->open--;
	if (c->client)
		c->client->connections--;
	shutdown(c->fd, SHUT_RDWR);
	/* One that sleeps is in no epoll: nobody else would notice, and its server could not end. */
	if (c->x && c->phase == HTTP_STREAMING)
		http_streams_end(c->listener->http->d->streams, c->x->connection);
}

/*
 * Of the one who has waited longest, client's own; or (NULL) that of the
 * address which has most, so that a crowd makes room for others first.
 */
static bool make_room(struct http *h, const struct http_client *client)
{
	int64_t now = http_now_us() / 1000;
	struct http_connection *found = NULL;
	unsigned int most = 0;

	for (struct http_connection *c = h->connections; c; c = c->next) {
		if (!may_give_way(c, now) || !c->client || (client && c->client != client))
			continue;
		if (c->client->connections > most) {
			most = c->client->connections;
			found = c;
		}
	}
	if (!found)
		return false;
	connection_end(found);
	h->refused[HTTP_REFUSED_GAVE_WAY]++;
	return true;
}

static bool handshake_fits(struct http_listener *listener, const struct sockaddr *addr,
			   int64_t now_us)
{
	if (!listener->tls || http_peer_is_loopback(addr))
		return true;
	return http_pace_take(&listener->http->handshakes, now_us, HANDSHAKE_US, HANDSHAKES_BURST);
}

static bool may_connect(struct http_listener *listener, const struct sockaddr *addr)
{
	struct http *h = listener->http;
	const struct config_http *limits = &h->d->config->http;
	int64_t now_us = http_now_us();
	struct http_client *client = http_clients_get(h->clients, addr, now_us);

	if (!client || !handshake_fits(listener, addr, now_us))
		return false;
	if (limits->rate && !http_pace_take(&client->connects, now_us, 1000000 / limits->rate,
					    (int64_t)CONNECTS_FOR * limits->rate))
		return false;
	if (client->connections >= limits->per_address && !http_peer_is_loopback(addr) &&
	    !make_room(h, client))
		return false;
	return h->open < limits->connections || make_room(h, NULL);
}

bool connection_may_stream(const struct http_connection *c)
{
	size_t all = 0, same = 0;
	const struct config_http *limits;

	if (!c || c->listener->local)
		return true;
	limits = &c->listener->http->d->config->http;
	for (const struct http_connection *o = c->listener->http->connections; o; o = o->next) {
		if (o->told || o->listener->local || o->phase != HTTP_STREAMING)
			continue;
		all++;
		same += o->client == c->client;
	}
	if (all >= STREAMS_TCP || all >= limits->connections / 2)
		return false;
	return c->x->rq.peer == HTTP_LOOPBACK || same < (limits->per_address + 1) / 2;
}

enum MHD_Result connection_may(void *cls, const struct sockaddr *addr, socklen_t addrlen)
{
	struct http_listener *listener = cls;

	(void)addrlen;
	if (listener->local || may_connect(listener, addr))
		return MHD_YES;
	listener->http->refused[HTTP_REFUSED_CONNECTIONS]++;
	return MHD_NO;
}

/* ---- the list ---- */

static void unlink_it(struct http_connection *c)
{
	struct http *h = c->listener->http;

	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	else
		h->last_connection = c->link;
}

static void link_last(struct http_connection *c)
{
	struct http *h = c->listener->http;

	c->next = NULL;
	c->link = h->last_connection;
	*c->link = c;
	h->last_connection = &c->next;
}

/* A peer that is gone, or that reads nothing of a stream, is noticed by the kernel. */
static void set_up_tcp(int fd)
{
	const struct {
		int level, name, value;
	} option[] = {
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, STALLED_MS },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S },
	};

	for (size_t i = 0; i < ARRAY_SIZE(option); i++)
		(void)setsockopt(fd, option[i].level, option[i].name, &option[i].value,
				 sizeof(option[i].value)); /* without, it is noticed later */
}

static struct http_connection *begin(struct http_listener *listener,
				     struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *address =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct http_connection *c = calloc(1, sizeof(*c));

	if (!c || !fd || !address) {
		free(c);
		return NULL;
	}
	c->listener = listener;
	c->fd = fd->connect_fd;
	c->since_ms = http_now_us() / 1000;
	c->fresh = true;
	if (!listener->local) {
		c->client = http_clients_get(listener->http->clients, address->client_addr,
					     http_now_us());
		if (c->client)
			c->client->connections++;
		listener->http->open++;
		set_up_tcp(c->fd);
	}
	link_last(c);
	return c;
}

void connection_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
		       enum MHD_ConnectionNotificationCode code)
{
	struct http_connection *c = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = begin(cls, connection);
		return;
	}
	if (!c)
		return;
	connection_end(c);
	unlink_it(c);
	free(c);
	*socket_context = NULL;
}

struct http_connection *connection_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

void connection_enter(struct http_connection *c, enum http_phase phase, size_t bytes)
{
	if (!c)
		return;
	c->phase = phase;
	c->bytes = bytes;
	c->since_ms = http_now_us() / 1000;
	if (phase != HTTP_WAITING)
		return;
	c->fresh = false;
	unlink_it(c);
	link_last(c);
}

/* ---- who takes too long ---- */

static int64_t allowed_ms(const struct http_connection *c)
{
	switch (c->phase) {
	case HTTP_WAITING:
		return c->fresh ? HEAD_MS : IDLE_MS;
	case HTTP_BODY:
	case HTTP_ANSWERING:
		return BODY_MS + (int64_t)(c->bytes / SLOWEST);
	case HTTP_WORKING:
	case HTTP_STREAMING:
		break;
	}
	return INT64_MAX;
}

void connections_sweep(struct http *h)
{
	int64_t now = http_now_us() / 1000;

	for (struct http_connection *c = h->connections; c; c = c->next) {
		if (c->told || now - c->since_ms < allowed_ms(c))
			continue;
		if (c->phase != HTTP_WAITING || c->fresh)
			h->refused[HTTP_REFUSED_SLOW]++;
		connection_end(c);
	}
}

void connections_end_of(struct http *h, const struct http_listener *listener)
{
	for (struct http_connection *c = h->connections; c; c = c->next)
		if (c->listener == listener)
			connection_end(c);
}

void connections_judge_tokens(struct http *h, int64_t now)
{
	for (struct http_connection *c = h->connections; c; c = c->next) {
		const struct token *mine = c->x ? c->x->rq.token : NULL, *found;

		if (!mine || c->told)
			continue;
		found = http_tokens_by_name(h->tokens, mine->name);
		if (!found || !token_same(found, mine) || token_expired(found, now))
			connection_end(c);
	}
}
