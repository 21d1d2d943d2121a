/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * token: who may ask moatd over TCP. The file is changed here, as whoever may
 * write it; moatd is told to look at it.
 */
#include "cli/client.h"
#include "cli/show.h"
#include "cli/token_file.h"
#include "cli/verbs.h"
#include "core/units.h"

#define DEFAULT_FILE "/etc/moat/tokens"

enum {
	TOKEN_VERBS_OPTION,
	TOKEN_CATEGORIES,
	TOKEN_FEEDS_OPTION,
	TOKEN_EXPIRES,
	TOKEN_FILE,
	TOKEN_PRINT
};

static const struct verb_option token_options[] = {
	[TOKEN_VERBS_OPTION] = { 0, "verbs", "LIST", "what it may: read,write,feeds,admin or '*'" },
	[TOKEN_CATEGORIES] = { 'c', "categories", "LIST",
			       "whose listings it may write (all: '*')" },
	[TOKEN_FEEDS_OPTION] = { 'f', "feeds", "LIST", "in which feeds (all: '*')" },
	[TOKEN_EXPIRES] = { 0, "expires", "TIME", "after 12h, 90d, or never (90d)" },
	[TOKEN_FILE] = { 0, "file", "FILE",
			 "the tokens file (what moatd says, else " DEFAULT_FILE ")" },
	[TOKEN_PRINT] = { 0, "print", NULL, "print the line of a new one, and change nothing" },
};

/* ---- moatd ---- */

/* Asks, and says nothing if nobody answers: a file can be changed without a daemon. */
static bool ask(struct cli *cli, const char *method, const char *path, struct answer *ret)
{
	FILE *err = cli->err;
	int code;

	cli->err = fopen("/dev/null", "we");
	if (!cli->err) {
		cli->err = err;
		return false;
	}
	code = client_ask(cli, method, path, NULL, ret);
	fclose(cli->err);
	cli->err = err;
	return code == CLI_DONE && ret->status == 200;
}

static int choose_file(struct cli *cli, const struct call *call, struct text *ret)
{
	_cleanup_(answer_free) struct answer answer = {};
	const char *said = NULL;

	if (call->value[TOKEN_FILE]) {
		text_add(ret, "%s", call->value[TOKEN_FILE]);
	} else if (ask(cli, "GET", "/api/v1/tokens", &answer)) {
		said = answer_text(answer.json, "file");
		if (!said[0])
			return cli_fail(cli, CLI_REFUSED,
					"the configuration says 'tokens: none': no token would count");
		text_add(ret, "%s", said);
	} else {
		text_add(ret, "%s", DEFAULT_FILE);
	}
	return ret->failed || !ret->data ? cli_fail(cli, CLI_REFUSED, "out of memory") : CLI_DONE;
}

/* What moatd made of the change, on cli->err. */
static int say_in_force(struct cli *cli, const char *file, const char *done)
{
	_cleanup_(answer_free) struct answer answer = {};

	if (!ask(cli, "POST", "/api/v1/tokens/reload", &answer)) {
		fprintf(cli->err,
			"%s in %s; no moatd answers on %s, it will read it when it starts\n", done,
			file, cli->socket);
		return CLI_DONE;
	}
	if (strcmp(answer_text(answer.json, "file"), file) != 0) {
		fprintf(cli->err, "%s in %s; moatd on %s reads another file\n", done, file,
			cli->socket);
		return CLI_DONE;
	}
	if (answer_text(answer.json, "problem")[0])
		return cli_fail(cli, CLI_REFUSED, "%s, but it is not in force: %s", done,
				answer_text(answer.json, "problem"));
	fprintf(cli->err, "%s, and in force\n", done);
	return CLI_DONE;
}

/* ---- new ---- */

static bool make_line(struct cli *cli, const struct call *call, const char *name,
		      const char *digest, char line[static TOKEN_LINE_MAX])
{
	const char *expires = call->value[TOKEN_EXPIRES] ?: "90d";
	const char *categories = call->value[TOKEN_CATEGORIES] ?: "*";
	const char *feeds = call->value[TOKEN_FEEDS_OPTION] ?: "*";
	char until[32] = "never";
	int64_t seconds;
	int used;

	if (strcmp(expires, "never") != 0) {
		if (units_duration(expires, &seconds)) {
			cli_fail(cli, CLI_USAGE,
				 "--expires %s: a duration (12h, 90d) or never is expected",
				 expires);
			return false;
		}
		units_time_format(cli->now + seconds, until);
	}
	used = snprintf(line, TOKEN_LINE_MAX,
			"%s verbs=%s categories=%s feeds=%s expires=%s sha256=%s", name,
			call->value[TOKEN_VERBS_OPTION], categories, feeds, until, digest);
	if (used < TOKEN_LINE_MAX)
		return true;
	cli_fail(cli, CLI_USAGE, "token new: the lists are too long");
	return false;
}

/* What a person typed, not what the file would say of it. */
static int check_call(struct cli *cli, const struct call *call, const char *name)
{
	const char *verbs = call->value[TOKEN_VERBS_OPTION];
	const char *const lists[] = { call->value[TOKEN_CATEGORIES],
				      call->value[TOKEN_FEEDS_OPTION] };

	if (!token_name_ok(name))
		return cli_fail(cli, CLI_USAGE,
				"token new %s: a name is 1 to 47 of A-Z a-z 0-9 . _ -", name);
	if (!verbs || !token_verbs_parse(verbs))
		return cli_fail(cli, CLI_USAGE,
				"token new: --verbs: some of read,write,feeds,admin are expected");
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (lists[i] && !token_list_ok(lists[i]))
			return cli_fail(cli, CLI_USAGE,
					"token new: '%s': names with commas between are expected",
					lists[i]);
	return CLI_DONE;
}

static void show_secret(const struct cli *cli, const char *name, const char *secret,
			const char *line)
{
	if (cli->json) {
		json_t *json =
			json_pack("{s:s,s:s,s:s}", "name", name, "secret", secret, "line", line);

		if (json)
			json_dumpf(json, cli->out, JSON_COMPACT);
		json_decref(json);
		fputc('\n', cli->out);
		return;
	}
	fprintf(cli->out, "%s\n", secret);
}

static int run_new(struct cli *cli, const struct call *call, const char *name)
{
	char secret[TOKEN_SECRET + 1], digest[TOKEN_DIGEST_TEXT], line[TOKEN_LINE_MAX];
	_cleanup_(text_free) struct text file = {};
	struct problem why = {};
	int code = check_call(cli, call, name);

	if (code != CLI_DONE)
		return code;
	if (token_secret_new(secret, digest))
		return cli_fail(cli, CLI_REFUSED, "no random numbers can be had");
	if (!make_line(cli, call, name, digest, line))
		return CLI_USAGE;
	if (call->value[TOKEN_PRINT]) {
		show_secret(cli, name, secret, line);
		if (!cli->json)
			fprintf(cli->out, "%s\n", line);
		return CLI_DONE;
	}
	code = choose_file(cli, call, &file);
	if (code != CLI_DONE || !file.data)
		return code ?: CLI_REFUSED;
	if (token_file_add(file.data, name, line, &why))
		return cli_fail(cli, CLI_REFUSED, "%s", why.text);
	show_secret(cli, name, secret, line);
	fflush(cli->out);
	fprintf(cli->err, "This is the secret of '%s', shown once: Authorization: Bearer SECRET\n",
		name);
	return say_in_force(cli, file.data, "added");
}

/* ---- list, revoke ---- */

static void names_or_all(const json_t *token, const char *key, struct table *table)
{
	const json_t *names = json_object_get(token, key);
	struct text text = {};

	show_names(names, &text);
	table_add(table, TINT_NONE, json_is_array(names) && text.data ? text.data : "*");
	text_free(&text);
}

static void add_token(const struct cli *cli, const json_t *token, struct table *table)
{
	bool expired = strcmp(answer_text(token, "state"), "expired") == 0;
	char expires[SHOW_MAX], used[SHOW_MAX];

	table_add(table, TINT_BOLD, answer_text(token, "name"));
	table_add(table, expired ? TINT_BAD : TINT_NONE, answer_text(token, "state"));
	table_add(table, TINT_NONE, answer_text(token, "proof"));
	names_or_all(token, "verbs", table);
	names_or_all(token, "categories", table);
	names_or_all(token, "feeds", table);
	table_add(table, TINT_NONE,
		  show_time(json_object_get(token, "expires"), cli->now, "never", expires));
	table_add(table, TINT_NONE,
		  show_time(json_object_get(token, "last_used"), cli->now, "not since start",
			    used));
	table_add(table, TINT_NONE, answer_text(token, "last_from"));
}

static void show_tokens(const struct cli *cli, const json_t *answer)
{
	static const char *const titles[] = { "TOKEN",	 "STATE",      "PROOF",
					      "VERBS",	 "CATEGORIES", "FEEDS",
					      "EXPIRES", "LAST USED",  "FROM" };
	struct table table = { .columns = ARRAY_SIZE(titles) };
	const json_t *token;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(titles); i++)
		table_add(&table, TINT_DIM, titles[i]);
	json_array_foreach(json_object_get(answer, "tokens"), i, token)
		add_token(cli, token, &table);
	table_flush(&table, cli->out, cli->colour, "");
	table_free(&table);
	if (answer_text(answer, "problem")[0]) {
		show_clean(cli, TINT_BAD, answer_text(answer, "problem"));
		fputc('\n', cli->out);
	}
}

static int run_list(struct cli *cli)
{
	_cleanup_(answer_free) struct answer answer = {};
	int code = client_get(cli, "GET", "/api/v1/tokens", NULL, &answer);

	if (code != CLI_DONE)
		return code;
	if (cli->json)
		fputs(answer.body.data ? answer.body.data : "", cli->out);
	else
		show_tokens(cli, answer.json);
	return CLI_DONE;
}

static int run_revoke(struct cli *cli, const struct call *call, const char *name)
{
	_cleanup_(text_free) struct text file = {};
	struct problem why = {};
	int code = choose_file(cli, call, &file);

	if (code != CLI_DONE || !file.data)
		return code ?: CLI_REFUSED;
	if (token_file_remove(file.data, name, &why))
		return cli_fail(cli, CLI_REFUSED, "%s", why.text);
	return say_in_force(cli, file.data, "revoked");
}

static int run_token(struct cli *cli, const struct call *call)
{
	const char *what = call->arg[0];

	if (!strcmp(what, "list") && call->args == 1)
		return run_list(cli);
	if (!strcmp(what, "new") && call->args == 2)
		return run_new(cli, call, call->arg[1]);
	if (!strcmp(what, "revoke") && call->args == 2)
		return run_revoke(cli, call, call->arg[1]);
	return cli_fail(cli, CLI_USAGE,
			"token: new NAME, list or revoke NAME are expected; see "
			"'moatctl token --help'");
}

const struct verb verb_token = {
	.name = "token",
	.args = "new NAME | list | revoke NAME",
	.summary = "who may ask over TCP, and what: a line of the tokens file each",
	.details =
		"'new' prints a secret, once, and writes what it may do and its SHA-256 into the\n"
		"file. The one who has it sends it as 'Authorization: Bearer moat_...'. 'revoke'\n"
		"ends what it may, also what is under way. 'list' says when each was used last.",
	.min_args = 1,
	.max_args = 2,
	.options = token_options,
	.option_count = ARRAY_SIZE(token_options),
	.run = run_token,
};
