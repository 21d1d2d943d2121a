/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moatctl token: the file it leaves behind, and what it says.
 */
#include <openssl/evp.h>
#include <sys/stat.h>

#include "cli/token_file.h"
#include "tests/unit/cli_lab.h"

static char path[160], line[512];

static void run_on_file(struct lab *lab, const char *what)
{
	snprintf(path, sizeof(path), "%s/tokens", lab->dir);
	/* No daemon there. */
	snprintf(line, sizeof(line), "-s %s/none token %s --file %s", lab->dir, what, path);
	run(lab, line);
}

static char *read_file(void)
{
	static char text[8192];
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

static int clean_up(void **state)
{
	unlink(path);
	return teardown(state);
}

#define with_file(test) cmocka_unit_test_setup_teardown(test, setup, clean_up)

static void a_new_token_is_a_secret_for_its_owner_and_a_line_for_the_file(void **state)
{
	_cleanup_(tokens_free) struct tokens tokens = {};
	struct lab *lab = *state;
	uint8_t digest[TOKEN_DIGEST];
	const struct token *ci;
	struct problem why = {};
	unsigned int size;
	struct stat st;

	run_on_file(lab, "new ci --verbs read,write -c botnet,spam -f manual --expires 90d");
	assert_int_equal(lab->code, 0);
	assert_int_equal(strlen(lab->out), TOKEN_SECRET + 1);
	lab->out[TOKEN_SECRET] = '\0';
	assert_null(strstr(lab->err, lab->out));
	assert_int_equal(tokens_parse(read_file(), strlen(read_file()), &tokens, &why), 0);
	assert_null(strstr(read_file(), lab->out));
	assert_int_equal(EVP_Digest(lab->out, TOKEN_SECRET, digest, &size, EVP_sha256(), NULL), 1);
	ci = tokens_by_digest(&tokens, digest);
	assert_non_null(ci);
	assert_string_equal(ci->name, "ci");
	assert_string_equal(ci->categories, "botnet,spam");
	assert_int_equal(ci->expires, LAB_NOW + 90 * 86400);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void two_tokens_differ_and_a_name_is_taken_once(void **state)
{
	struct lab *lab = *state;
	char first[64];

	run_on_file(lab, "new a --verbs read");
	snprintf(first, sizeof(first), "%s", lab->out);
	forget(lab);
	run_on_file(lab, "new b --verbs *");
	assert_int_equal(lab->code, 0);
	assert_string_not_equal(lab->out, first);
	forget(lab);
	run_on_file(lab, "new a --verbs read");
	assert_int_equal(lab->code, 1);
	assert_string_equal(lab->out, "");
	assert_non_null(strstr(lab->err, "revoke it first"));
}

static void revoking_takes_the_line_and_leaves_the_rest_and_its_mode(void **state)
{
	struct lab *lab = *state;
	struct stat st;
	FILE *f;

	run_on_file(lab, "new ab --verbs read");
	assert_int_equal(chmod(path, 0640), 0);
	f = fopen(path, "ae");
	fputs("# a is for\n  a\tverbs=read subject=CN=a", f);
	fclose(f);
	forget(lab);
	run_on_file(lab, "revoke a");
	assert_int_equal(lab->code, 0);
	assert_null(strstr(read_file(), "CN=a"));
	assert_non_null(strstr(read_file(), "ab verbs=read"));
	assert_non_null(strstr(read_file(), "# a is for\n"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	forget(lab);
	run_on_file(lab, "revoke a");
	assert_int_equal(lab->code, 1);
}

static void a_file_with_a_wrong_line_takes_no_more_but_one_can_be_revoked(void **state)
{
	struct lab *lab = *state;
	FILE *f;

	run_on_file(lab, "new a --verbs read");
	f = fopen(path, "ae");
	fputs("nonsense\n", f);
	fclose(f);
	forget(lab);
	run_on_file(lab, "new b --verbs read");
	assert_int_equal(lab->code, 1);
	assert_non_null(strstr(lab->err, "line 2"));
	forget(lab);
	run_on_file(lab, "revoke a");
	assert_int_equal(lab->code, 0);
	assert_string_equal(read_file(), "nonsense\n");
}

static void what_the_file_would_not_take_is_wrong_usage(void **state)
{
	static const char *const bad[] = {
		"new",
		"new a",
		"new a --verbs fly",
		"new a/b --verbs read",
		"new a --verbs read --expires soon",
		"new a --verbs read -c a,,b",
		"lst",
		"revoke",
		"list a",
	};
	struct lab *lab = *state;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		run_on_file(lab, bad[i]);
		if (lab->code != 2)
			fail_msg("%s: %d", bad[i], lab->code);
		forget(lab);
	}
	run_on_file(lab, "new a --verbs admin -c botnet");
	assert_int_equal(lab->code, 1);
	assert_non_null(strstr(lab->err, "not bound"));
	assert_int_equal(stat(path, &st), -1);
}

static void moatd_says_which_file_and_whether_it_is_in_force(void **state)
{
	struct lab *lab = *state;
	char answer[320], with_problem[320];

	snprintf(path, sizeof(path), "%s/tokens", lab->dir);
	snprintf(answer, sizeof(answer), "{\"file\":\"%s\",\"problem\":null,\"tokens\":[]}", path);
	snprintf(with_problem, sizeof(with_problem),
		 "{\"file\":\"%s\",\"problem\":\"everybody may read it\",\"tokens\":[]}", path);
	script(lab, 200, answer);
	script(lab, 200, answer);
	run(lab, "token new a --verbs read");
	assert_int_equal(lab->code, 0);
	assert_string_equal(lab->step[1].request.data, "POST /api/v1/tokens/reload\n");
	assert_non_null(strstr(lab->err, "in force"));
	assert_non_null(strstr(read_file(), "a verbs=read"));
	forget(lab);
	script(lab, 200, answer);
	script(lab, 200, with_problem);
	run(lab, "token revoke a");
	assert_int_equal(lab->code, 1);
	assert_non_null(strstr(lab->err, "everybody may read it"));
}

static void the_list_is_a_table_of_what_moatd_tells(void **state)
{
	struct lab *lab = *state;

	script(lab, 200,
	       "{\"file\":\"/etc/moat/tokens\",\"problem\":null,\"tokens\":[{\"name\":\"ci\","
	       "\"verbs\":[\"read\",\"write\"],\"categories\":[\"botnet\"],\"feeds\":null,"
	       "\"expires\":\"2025-11-24T11:00:00Z\",\"proof\":\"secret\",\"state\":\"valid\","
	       "\"last_used\":\"2025-11-23T10:59:00Z\",\"last_from\":\"192.0.2.7\"}]}\n");
	run(lab, "token list");
	assert_int_equal(lab->code, 0);
	assert_string_equal(
		lab->out,
		"TOKEN  STATE  PROOF   VERBS        CATEGORIES  FEEDS  EXPIRES  LAST USED  FROM\n"
		"ci     valid  secret  read, write  botnet      *      in 1d    1m ago     192.0.2.7\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_file(a_new_token_is_a_secret_for_its_owner_and_a_line_for_the_file),
		with_file(two_tokens_differ_and_a_name_is_taken_once),
		with_file(revoking_takes_the_line_and_leaves_the_rest_and_its_mode),
		with_file(a_file_with_a_wrong_line_takes_no_more_but_one_can_be_revoked),
		with_file(what_the_file_would_not_take_is_wrong_usage),
		with_file(moatd_says_which_file_and_whether_it_is_in_force),
		with_file(the_list_is_a_table_of_what_moatd_tells),
	};

	return cmocka_run_group_tests_name("cli token", tests, NULL, NULL);
}
