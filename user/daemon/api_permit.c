/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may take a route, and whose listings he may write.
 */
#include <arpa/inet.h>
#include <microhttpd.h>

#include "daemon/api.h"

/*
 * A name in the Host header that resolves to 127.0.0.1 is how a web page
 * reads what only this host may (DNS rebinding); a literal address is not.
 */
static bool host_is_local(const char *host)
{
	char name[INET6_ADDRSTRLEN + 2];
	struct in6_addr v6;
	struct in_addr v4;
	size_t len;

	if (!host)
		return true; /* HTTP/1.0; a browser sends one */
	if (host[0] == '[')
		len = strcspn(++host, "]");
	else
		len = strcspn(host, ":");
	if (len == 0 || len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, &v4) == 1 ||
	       inet_pton(AF_INET6, name, &v6) == 1;
}

static enum token_verb verb_of(enum api_permission permission)
{
	switch (permission) {
	case API_ANYONE:
	case API_READ:
		return TOKEN_READ;
	case API_WRITE:
		return TOKEN_WRITE;
	case API_FEEDS:
	case API_FILE:
		return TOKEN_FEEDS;
	case API_ADMIN:
		break;
	}
	return TOKEN_ADMIN;
}

static bool token_permits(const struct token *token, enum token_verb verb, struct http_reply *reply)
{
	char has[TOKEN_VERBS_TEXT], needs[TOKEN_VERBS_TEXT];

	if (token_may(token, verb))
		return true;
	http_reply_problem(reply, MHD_HTTP_FORBIDDEN, NULL,
			   "token '%s' may %s, this needs %s: give it the verb in the tokens file",
			   token->name, token_verbs_format(token->verbs, has),
			   token_verbs_format(1U << verb, needs));
	return false;
}

/*
 * A certificate is shown by the browser, whoever wrote the page that asks: only
 * a page of this server may change something by it. A browser says whose page
 * it is wherever something is changed; other clients say nothing.
 */
static bool is_of_another_site(const struct http_request *rq)
{
	const char *origin = http_header(rq, MHD_HTTP_HEADER_ORIGIN);
	const char *host = origin ? strstr(origin, "://") : NULL;

	if (!origin || !rq->token || !rq->token->subject)
		return false;
	return !host || !rq->host || strcasecmp(host + strlen("://"), rq->host) != 0;
}

static void ask_for_token(struct http_reply *reply, const char *what)
{
	http_reply_problem(reply, MHD_HTTP_UNAUTHORIZED, NULL,
			   "%s needs a token: 'Authorization: Bearer moat_...', made by 'moatctl "
			   "token new'; or the unix socket, as moatctl does",
			   what);
	http_reply_header(reply, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"moat\"");
}

bool api_permitted(const struct api_route *route, const struct http_request *rq,
		   struct http_reply *reply)
{
	enum token_verb verb = verb_of(route->permission);

	if (route->permission == API_ANYONE)
		return true;
	if (rq->unproved) {
		http_reply_problem(reply, MHD_HTTP_UNAUTHORIZED, NULL, "%s", rq->unproved);
		http_reply_header(reply, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
				  "Bearer realm=\"moat\", error=\"invalid_token\"");
		return false;
	}
	if (verb != TOKEN_READ && is_of_another_site(rq)) {
		http_reply_problem(reply, MHD_HTTP_FORBIDDEN, NULL,
				   "a page of another site may change nothing by the certificate of "
				   "the browser");
		return false;
	}
	if (rq->token)
		return token_permits(rq->token, verb, reply);
	if (rq->peer == HTTP_UNIX)
		return true;
	if (verb != TOKEN_READ) {
		ask_for_token(reply, "a change over TCP");
		return false;
	}
	if (rq->peer != HTTP_LOOPBACK) {
		ask_for_token(reply, "reading from another host");
		return false;
	}
	if (!host_is_local(rq->host)) {
		http_reply_problem(reply, MHD_HTTP_FORBIDDEN, NULL,
				   "Host '%.80s': ask for localhost or an address", rq->host);
		return false;
	}
	return true;
}

bool api_in_scope(const struct http_request *rq, const char *category, const char *feed,
		  struct http_reply *reply)
{
	const struct token *t = rq->token;

	if (!t || token_covers(t, category, feed))
		return true;
	http_reply_problem(reply, MHD_HTTP_FORBIDDEN, NULL,
			   "token '%s' is for%s%.160s%s%.160s: not for %s%.40s%s%.40s", t->name,
			   t->categories ? " categories " : "", t->categories ? t->categories : "",
			   t->feeds ? " feeds " : "", t->feeds ? t->feeds : "",
			   category ? "category " : "any category", category ? category : "",
			   feed ? " in feed " : " in any feed", feed ? feed : "");
	return false;
}
