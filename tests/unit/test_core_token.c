/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tokens file: what a line may say, and who is covered by it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/token.h"

#define HASH   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER  "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SECRET "moat_0123456789abcdefghijABCDEFGHIJ0123456789-_X"

static struct tokens parse(const char *text)
{
	struct tokens t = {};
	struct problem why = {};

	if (tokens_parse(text, strlen(text), &t, &why))
		fail_msg("%s", why.text);
	return t;
}

static void a_line_says_all_of_a_token(void **state)
{
	struct tokens t =
		parse("# who may\n\n  ci verbs=read,write categories=botnet,spam feeds=manual "
		      "expires=2027-02-21T10:00:00Z sha256=" HASH "\r\n"
		      "grafana\tverbs=read subject=CN=grafana, O=Example Ltd  \n");
	const struct token *ci = tokens_by_name(&t, "ci");

	(void)state;
	assert_int_equal(t.count, 2);
	assert_true(token_may(ci, TOKEN_READ) && token_may(ci, TOKEN_WRITE));
	assert_false(token_may(ci, TOKEN_FEEDS) || token_may(ci, TOKEN_ADMIN));
	assert_int_equal(ci->expires, 1803204000);
	assert_false(token_expired(ci, 1803203999));
	assert_true(token_expired(ci, 1803204000));
	assert_int_equal(ci->digest[1], 0x23);
	assert_non_null(tokens_by_subject(&t, "CN=grafana, O=Example Ltd"));
	assert_null(tokens_by_subject(&t, "CN=grafana"));
	assert_null(tokens_by_name(&t, "c"));
	tokens_free(&t);
}

static void a_wrong_line_is_named_and_nothing_is_taken(void **state)
{
	static const char *const wrong[] = {
		"ci",
		"ci verbs=read",
		"ci sha256=" HASH,
		"ci verbs= sha256=" HASH,
		"ci verbs=read, sha256=" HASH,
		"ci verbs=read,fly sha256=" HASH,
		"ci verbs=read verbs=read sha256=" HASH,
		"ci verbs=read sha256=" HASH " sha256=" HASH,
		"ci verbs=read sha256=" HASH "0",
		"ci verbs=read sha256=0123",
		"ci verbs=read sha256=" HASH " subject=CN=x",
		"ci verbs=read subject=",
		"ci verbs=read subject=  CN=x",
		"ci verbs=read categories= sha256=" HASH,
		"ci verbs=read categories=a,,b sha256=" HASH,
		"ci verbs=read categories=a, sha256=" HASH,
		"ci verbs=read categories=a categories=b sha256=" HASH,
		"ci verbs=read feeds=a/b sha256=" HASH,
		"ci verbs=read expires=soon sha256=" HASH,
		"ci verbs=read expires=0 sha256=" HASH,
		"ci verbs=read expires=never expires=never sha256=" HASH,
		"ci verbs=feeds categories=botnet sha256=" HASH,
		"ci verbs=read,admin feeds=manual sha256=" HASH,
		"ci verbs=read sha256=" HASH " # comment",
		"ci verbs=read colour=red sha256=" HASH,
		"c!i verbs=read sha256=" HASH,
		"a-name-of-48-characters-is-one-more-than-fits-in verbs=read sha256=" HASH,
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct tokens t = { .count = 7 };
		struct problem why = {};

		snprintf(text, sizeof(text), "good verbs=* sha256=%s\n%s\n", OTHER, wrong[i]);
		if (tokens_parse(text, strlen(text), &t, &why) != -EINVAL)
			fail_msg("taken: %s", wrong[i]);
		assert_int_equal(t.count, 7);
		assert_non_null(strstr(why.text, "line 2: "));
	}
}

static void two_tokens_do_not_share_a_name_or_a_secret(void **state)
{
	static const char *const twice[] = {
		"a verbs=read sha256=" HASH "\na verbs=read sha256=" OTHER "\n",
		"a verbs=read sha256=" HASH "\nb verbs=read sha256=" HASH "\n",
		"a verbs=read subject=CN=x\nb verbs=read subject=CN=x\n",
	};
	struct tokens t = {};
	struct problem why = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(twice); i++)
		assert_int_equal(tokens_parse(twice[i], strlen(twice[i]), &t, &why), -EINVAL);
}

static void bytes_that_no_editor_writes_are_refused(void **state)
{
	static const char nul[] = "a verbs=read\0sha256=" HASH "\n";
	struct tokens t = {};
	struct problem why = {};
	char *large = malloc(TOKENS_SIZE_MAX + 1);

	(void)state;
	assert_non_null(large);
	memset(large, 'a', TOKENS_SIZE_MAX + 1);
	assert_int_equal(tokens_parse(nul, sizeof(nul) - 1, &t, &why), -EINVAL);
	assert_int_equal(tokens_parse(large, TOKENS_SIZE_MAX, &t, &why), -EINVAL);
	assert_non_null(strstr(why.text, "line 1: longer"));
	memset(large, '\n', TOKENS_SIZE_MAX + 1);
	assert_int_equal(tokens_parse(large, TOKENS_SIZE_MAX, &t, &why), 0);
	assert_int_equal(t.count, 0);
	assert_int_equal(tokens_parse(large, TOKENS_SIZE_MAX + 1, &t, &why), -EINVAL);
	free(large);
}

static void a_token_covers_its_categories_and_feeds_and_no_other(void **state)
{
	struct tokens t = parse("all verbs=write sha256=" HASH "\n"
				"some verbs=write categories=botnet,spam feeds=manual sha256=" OTHER
				"\n"
				"star verbs=write categories=* feeds=* subject=CN=x\n");
	const struct token *some = tokens_by_name(&t, "some"), *all = tokens_by_name(&t, "all");

	(void)state;
	assert_true(token_covers(all, "allow", "drop"));
	assert_true(token_covers(all, NULL, NULL));
	assert_true(token_covers(tokens_by_name(&t, "star"), NULL, NULL));
	assert_true(token_covers(some, "botnet", "manual"));
	assert_true(token_covers(some, "spam", "manual"));
	assert_false(token_covers(some, "spa", "manual"));
	assert_false(token_covers(some, "spamx", "manual"));
	assert_false(token_covers(some, "botnet,spam", "manual"));
	assert_false(token_covers(some, "", "manual"));
	assert_false(token_covers(some, "allow", "manual"));
	assert_false(token_covers(some, "botnet", "drop"));
	assert_false(token_covers(some, NULL, "manual"));
	assert_false(token_covers(some, "botnet", NULL));
	tokens_free(&t);
}

static void a_digest_finds_its_token_and_no_other(void **state)
{
	struct tokens t = parse("a verbs=read sha256=" HASH "\nb verbs=read sha256=" OTHER "\n"
				"c verbs=read subject=CN=c\n");
	uint8_t digest[TOKEN_DIGEST];

	(void)state;
	memcpy(digest, t.token[1].digest, sizeof(digest));
	assert_ptr_equal(tokens_by_digest(&t, digest), &t.token[1]);
	digest[31] ^= 1;
	assert_null(tokens_by_digest(&t, digest));
	memset(digest, 0, sizeof(digest)); /* of who has none */
	assert_null(tokens_by_digest(&t, digest));
	tokens_free(&t);
}

static void only_a_whole_secret_of_the_right_shape_is_looked_up(void **state)
{
	static const char *const bad[] = {
		"",
		"Bearer",
		"Bearer ",
		"Bearer moat_",
		"Basic " SECRET,
		"Bearer" SECRET,
		SECRET,
		"Bearer x" SECRET,
		"Bearer " SECRET "x",
		"Bearer " SECRET " x",
		"Bearer " SECRET ",",
		"Bearer moat_0123456789abcdefghijABCDEFGHIJ0123456789-_",
		"Bearer MOAT_0123456789abcdefghijABCDEFGHIJ0123456789-_X",
		"Bearer moat_0123456789abcdefghijABCDEFGHIJ0123456789-+X",
	};

	(void)state;
	assert_int_equal(strlen(SECRET), TOKEN_SECRET);
	assert_null(token_of_header(NULL));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (token_of_header(bad[i]))
			fail_msg("taken: %s", bad[i]);
	assert_non_null(token_of_header("Bearer " SECRET));
	assert_non_null(token_of_header("bearer  " SECRET " "));
	assert_int_equal(memcmp(token_of_header("Bearer " SECRET), SECRET, TOKEN_SECRET), 0);
}

static void verbs_are_written_as_they_are_read(void **state)
{
	char text[TOKEN_VERBS_TEXT];

	(void)state;
	assert_string_equal(token_verbs_format(token_verbs_parse("*"), text),
			    "read,write,feeds,admin");
	assert_string_equal(token_verbs_format(token_verbs_parse("admin,read"), text),
			    "read,admin");
	assert_int_equal(token_verbs_parse(""), 0);
	assert_int_equal(token_verbs_parse("Read"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_says_all_of_a_token),
		cmocka_unit_test(a_wrong_line_is_named_and_nothing_is_taken),
		cmocka_unit_test(two_tokens_do_not_share_a_name_or_a_secret),
		cmocka_unit_test(bytes_that_no_editor_writes_are_refused),
		cmocka_unit_test(a_token_covers_its_categories_and_feeds_and_no_other),
		cmocka_unit_test(a_digest_finds_its_token_and_no_other),
		cmocka_unit_test(only_a_whole_secret_of_the_right_shape_is_looked_up),
		cmocka_unit_test(verbs_are_written_as_they_are_read),
	};

	return cmocka_run_group_tests_name("core token", tests, NULL, NULL);
}
