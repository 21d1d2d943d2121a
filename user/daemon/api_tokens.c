/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/whoami and /api/v1/tokens: who asks and what he may; who else may
 * ask, and when he did so last; POST /api/v1/tokens/reload. No secret is known here, and no hash is told.
 */
#include <time.h>

#include "daemon/api.h"
#include "daemon/api_listing.h"
#include "daemon/http.h"
#include "daemon/http_tokens.h"

/* "a,b" as an array; NULL, which is all, as null. */
static void emit_words(struct emit *e, const char *key, const char *list)
{
	char word[256];

	if (!list) {
		emit_null(e, key);
		return;
	}
	emit_begin(e, key, '[');
	while (*list) {
		size_t size = strcspn(list, ",");

		snprintf(word, sizeof(word), "%.*s", (int)size, list);
		emit_text(e, NULL, word);
		list += size + (list[size] == ',');
	}
	emit_end(e, ']');
}

static void emit_verbs(struct emit *e, const char *key, uint32_t verbs)
{
	char text[TOKEN_VERBS_TEXT];

	emit_words(e, key, token_verbs_format(verbs, text));
}

static void emit_token(struct emit *e, const char *key, const struct token *t)
{
	emit_begin(e, key, '{');
	emit_text(e, "name", t->name);
	emit_verbs(e, "verbs", t->verbs);
	emit_words(e, "categories", t->categories);
	emit_words(e, "feeds", t->feeds);
	listing_emit_time(e, "expires", t->expires);
	emit_text(e, "proof", t->subject ? "certificate" : "secret");
}

static uint32_t may(const struct http_request *rq)
{
	if (rq->token)
		return rq->token->verbs;
	return rq->peer == HTTP_UNIX ? token_verbs_parse("*") : 1U << TOKEN_READ;
}

void api_whoami(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	static const char *const peers[] = {
		[HTTP_REMOTE] = "remote", [HTTP_LOOPBACK] = "loopback", [HTTP_UNIX] = "unix"
	};
	struct emit e = http_reply_json(reply);

	(void)d;
	emit_begin(&e, NULL, '{');
	emit_text(&e, "actor", rq->actor.name);
	emit_text(&e, "peer", peers[rq->peer]);
	emit_verbs(&e, "may", may(rq));
	if (rq->token) {
		emit_token(&e, "token", rq->token);
		emit_end(&e, '}');
	} else {
		emit_null(&e, "token");
	}
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

void api_tokens(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct emit e = http_reply_json(reply);
	struct http_numbers numbers;
	struct http_token_view view;
	int64_t now = api_now();

	(void)rq;
	http_numbers(d->http, &numbers);
	emit_begin(&e, NULL, '{');
	emit_text(&e, "file", d->config->tokens);
	emit_text(&e, "problem", *d->tokens_problem ? d->tokens_problem : NULL);
	emit_begin(&e, "tokens", '[');
	for (size_t i = 0; i < http_tokens_count(numbers.tokens); i++) {
		http_tokens_view(numbers.tokens, i, &view);
		emit_token(&e, NULL, view.token);
		emit_text(&e, "state", token_expired(view.token, now) ? "expired" : "valid");
		listing_emit_time(&e, "last_used", view.used);
		emit_text(&e, "last_from", view.used ? view.from : NULL);
		emit_end(&e, '}');
	}
	emit_end(&e, ']');
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

/* The file says who may what, so only that it is looked at is asked for. */
void api_tokens_reload(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	http_reload_tokens(d->http);
	api_tokens(d, rq, reply);
}
