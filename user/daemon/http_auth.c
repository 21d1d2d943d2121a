/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_auth.h"

#include <sys/socket.h>
#include <time.h>

#include "core/log.h"
#include "daemon/http_clock.h"
#include "daemon/http_connections.h"
#include "daemon/http_peer.h"
#include "daemon/http_tls.h"

static bool identify_local(struct exchange *x, struct http_reply *reply)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const char *agent = http_header(&x->rq, MHD_HTTP_HEADER_USER_AGENT);
	struct ucred cred;
	socklen_t len = sizeof(cred);

	x->rq.peer = HTTP_UNIX;
	if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &cred, &len)) {
		http_reply_problem(reply, MHD_HTTP_FORBIDDEN, NULL,
				   "the peer of the unix socket has no credentials");
		return false;
	}
	http_peer_name(cred.uid, x->actor_name, sizeof(x->actor_name));
	snprintf(x->origin, sizeof(x->origin), "%s",
		 agent && strncmp(agent, "moatctl/", 8) == 0 ? "moatctl" : "api unix");
	x->rq.actor = (struct actor){ x->actor_name, x->origin };
	return true;
}

static void identify_tcp(struct exchange *x)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	x->rq.peer = info && http_peer_is_loopback(info->client_addr) ? HTTP_LOOPBACK : HTTP_REMOTE;
	http_peer_address(info ? info->client_addr : NULL, x->origin, sizeof(x->origin));
}

/* What was shown is no good. Guessing is made slow for an address, and quiet in the log. */
static bool unproved(struct exchange *x, struct http_connection *c, enum http_refusal why,
		     struct http_reply *reply)
{
	struct http *h = x->http;

	h->refused[why]++;
	if (c && c->client &&
	    !http_pace_take(&c->client->failures, http_now_us(), HTTP_FAILURES_INTERVAL,
			    HTTP_FAILURES_BURST)) {
		h->refused[HTTP_REFUSED_GUESSES]++;
		http_reply_problem(reply, MHD_HTTP_TOO_MANY_REQUESTS, NULL, "%s",
				   http_refusal_text(HTTP_REFUSED_GUESSES));
		http_reply_header(reply, MHD_HTTP_HEADER_RETRY_AFTER, "%d",
				  HTTP_FAILURES_INTERVAL / 1000000);
		return false;
	}
	log_warning("http: %s: %s", x->origin, http_refusal_text(why));
	x->rq.unproved = http_refusal_text(why);
	return true;
}

static bool take_token(struct exchange *x, struct http_connection *c, const struct token *token,
		       const char *kind, struct http_reply *reply)
{
	time_t now = time(NULL);

	if (token_expired(token, now))
		return unproved(x, c, HTTP_REFUSED_EXPIRED, reply);
	if (token_copy(token, &x->token)) {
		http_reply_error(reply, -ENOMEM, &(struct problem){ "the token" });
		return false;
	}
	http_tokens_used(x->http->tokens, token, now, x->origin);
	snprintf(x->actor_name, sizeof(x->actor_name), "%s:%s", kind, token->name);
	x->rq.token = &x->token;
	x->rq.actor = (struct actor){ x->actor_name, x->origin };
	return true;
}

/* Whoever sent it has shown it to the network already, so he is told; and it is not taken. */
static bool in_the_clear(const struct exchange *x, const struct http_connection *c)
{
	return x->rq.peer == HTTP_REMOTE && !(c && c->listener->tls) &&
	       !x->http->d->config->http.insecure;
}

static bool take_secret(struct exchange *x, struct http_connection *c, const char *authorization,
			struct http_reply *reply)
{
	const char *secret = token_of_header(authorization);
	const struct token *token = secret ? http_tokens_by_secret(x->http->tokens, secret) : NULL;

	if (in_the_clear(x, c))
		return unproved(x, c, HTTP_REFUSED_CLEAR, reply);
	if (!token)
		return unproved(x, c, HTTP_REFUSED_TOKEN, reply);
	return take_token(x, c, token, "token", reply);
}

static bool take_certificate(struct exchange *x, struct http_connection *c,
			     struct http_reply *reply)
{
	char subject[HTTP_SUBJECT_MAX];
	const struct token *token;
	int shown = http_tls_subject(x->connection, subject);

	if (shown < 0)
		return unproved(x, c, HTTP_REFUSED_CERTIFICATE, reply);
	token = shown ? http_tokens_by_subject(x->http->tokens, subject) : NULL;
	return !token || take_token(x, c, token, "certificate", reply);
}

bool http_identify(struct exchange *x, struct http_connection *c, struct http_reply *reply)
{
	const char *authorization;

	if (c && c->listener->local) {
		if (!identify_local(x, reply))
			return false;
	} else {
		identify_tcp(x);
	}
	authorization = http_header(&x->rq, MHD_HTTP_HEADER_AUTHORIZATION);
	if (authorization)
		return take_secret(x, c, authorization, reply);
	if (c && c->listener->tls)
		return take_certificate(x, c, reply);
	return true;
}
