// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a tokens file: taken whole or not at all, and what is taken says
 * the same when it is written down again. And as an Authorization header.
 */
#include "core/text.h"
#include "core/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void write_down(const struct token *t, struct text *out)
{
	char verbs[TOKEN_VERBS_TEXT];

	text_add(out, "%s verbs=%s categories=%s feeds=%s expires=", t->name,
		 token_verbs_format(t->verbs, verbs), t->categories ? t->categories : "*",
		 t->feeds ? t->feeds : "*");
	if (t->expires)
		text_add(out, "%lld", (long long)t->expires);
	else
		text_add(out, "never");
	if (t->subject)
		text_add(out, " subject=%s\n", t->subject);
	for (size_t i = 0; !t->subject && i < TOKEN_DIGEST; i++)
		text_add(out, "%s%02x", i ? "" : " sha256=", t->digest[i]);
	if (!t->subject)
		text_add(out, "\n");
}

static void check_file(const char *bytes, size_t size)
{
	struct tokens first = {}, again = {};
	struct problem why = {};
	struct text text = {};

	if (tokens_parse(bytes, size, &first, &why)) {
		must(!first.count && !first.token && *why.text);
		return;
	}
	must(first.count <= TOKENS_MAX);
	for (size_t i = 0; i < first.count; i++) {
		const struct token *t = &first.token[i];

		must(token_name_ok(t->name) && t->verbs);
		must(tokens_by_name(&first, t->name) == t);
		must(t->subject ? tokens_by_subject(&first, t->subject) == t
				: tokens_by_digest(&first, t->digest) == t);
		must(!t->categories || !token_covers(t, NULL, "manual"));
		must(!(t->categories || t->feeds) || !token_may(t, TOKEN_ADMIN));
		write_down(t, &text);
	}
	must(!text.failed && !tokens_parse(text.data ? text.data : "", text.size, &again, &why));
	must(again.count == first.count);
	for (size_t i = 0; i < first.count; i++)
		must(token_same(&first.token[i], &again.token[i]));
	text_free(&text);
	tokens_free(&first);
	tokens_free(&again);
}

static void check_header(const char *bytes, size_t size)
{
	char *header = malloc(size + 1);
	const char *secret;

	must(header);
	memcpy(header, bytes, size);
	header[size] = '\0';
	secret = token_of_header(header);
	must(!secret || (secret > header && strlen(secret) >= TOKEN_SECRET &&
			 !strncmp(secret, TOKEN_PREFIX, strlen(TOKEN_PREFIX))));
	(void)token_verbs_parse(header);
	(void)token_list_ok(header);
	free(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_file((const char *)data, size);
	check_header((const char *)data, size);
	return 0;
}
