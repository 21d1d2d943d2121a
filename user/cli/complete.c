/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/complete.h"

#include "cli/live.h"
#include "moat/reason.h"

#define PATIENCE_MS 1500 /* of somebody who pressed the tab key */

/* ---- what takes what ---- */

static const struct {
	const char *name, *kind;
} kinds[] = {
	{ "CATEGORY", "categories" },
	{ "FEED", "feeds" },
	{ "IFACE", "interfaces" },
	{ "REASON", "reasons" },
	{ "VERDICT", "verdicts" },
	{ "FILE", COMPLETE_FILES },
	{ "PATH", COMPLETE_FILES },
	{ "SOCKET", COMPLETE_FILES },
	{ "PROTOCOL", "=tcp udp icmp icmpv6" },
	{ "FORMAT", "=auto plain spamhaus dshield firehol emerging abuseipdb csv stix taxii misp "
		    "crowdsec asn warninglist cloud" },
	{ "WHAT", "=source prefix category feed" },
	{ "SHELL", "=bash zsh" },
};

const struct verb_option complete_common[] = {
	{ 's', "socket", "SOCKET", "the socket of moatd" },
	{ 'o', "output", "text|json", "how to print" },
	{ 0, "color", "auto|always|never", "colour" },
	{ 'h', "help", NULL, "help" },
};
const size_t complete_commons = ARRAY_SIZE(complete_common);

const char *complete_kind(const char *name, char buf[static COMPLETE_KIND_MAX])
{
	if (strchr(name, '|')) {
		snprintf(buf, COMPLETE_KIND_MAX, "=%s", name);
		for (char *at = buf; *at; at++)
			if (*at == '|')
				*at = ' ';
		return buf;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].kind;
	return "";
}

/* Word number at of one form, "new NAME"; "...": the last goes on. False: it has not so many. */
static bool word_of(const char *form, size_t size, unsigned int at,
		    char word[static COMPLETE_KIND_MAX])
{
	static const char between[] = " []";
	const char *end = form + size;

	word[0] = '\0';
	for (unsigned int number = 0;; number++) {
		size_t len;

		form += strspn(form, between);
		if (form >= end)
			return false;
		len = strcspn(form, between);
		if (len == 3 && strncmp(form, "...", 3) == 0)
			return word[0];
		snprintf(word, COMPLETE_KIND_MAX, "%.*s", (int)len, form);
		if (number == at)
			return true;
		form += len;
	}
}

/* args: "SOURCE ...", "[fetch|hold FEED]", "new NAME | list | revoke NAME" */
const char *complete_argument(const char *args, unsigned int at, char buf[static COMPLETE_KIND_MAX])
{
	char word[COMPLETE_KIND_MAX], words[COMPLETE_KIND_MAX] = "";
	size_t used = 0;

	for (;;) {
		const char *next = strstr(args, " | ");

		if (word_of(args, next ? (size_t)(next - args) : strlen(args), at, word) &&
		    !strstr(words, word) && used + strlen(word) + 2 < sizeof(words))
			used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s",
						 used ? "|" : "", word);
		if (!next)
			return complete_kind(words, buf);
		args = next + 3;
	}
}

void complete_script(const struct cli *cli, const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		complete_bash(cli->out);
	else
		complete_zsh(cli->out);
}

/* ---- words ---- */

static void print_reasons(FILE *out)
{
#define X(name, verdict, label, text) fputs(label "\n", out);
	fputs(MOAT_CLEAN_LABEL "\n", out);
	MOAT_REASONS_POLICY(X)
	MOAT_REASONS_PLAIN(X)
#undef X
}

static void print_verdicts(FILE *out)
{
#define X(name, label) fputs(label "\n", out);
	MOAT_VERDICTS(X)
#undef X
}

static void print_members(FILE *out, const json_t *rows, const char *member)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		if (*answer_text(row, member))
			fprintf(out, "%s\n", answer_text(row, member));
	}
}

/* Names that the daemon knows. Nothing is said if it does not answer: somebody is typing. */
static int print_asked(struct cli *cli, const char *path, const char *array, const char *member)
{
	const struct live_options options = { .timeout_ms = PATIENCE_MS };
	_cleanup_(live_freep) struct live *live = NULL;
	_cleanup_(answer_free) struct answer answer = {};
	char why[CLIENT_WHY_MAX];
	int code = live_new(cli, LIVE_NO_SIGNALS, &live);

	if (code != CLI_DONE)
		return code;
	if (!live_get(live, 0, path, &options))
		return CLI_REFUSED;
	while (live_busy(live, 0))
		live_wait(live, PATIENCE_MS);
	code = live_answer(live, 0, &answer, why);
	if (code == CLI_DONE)
		print_members(cli->out, json_object_get(answer.json, array), member);
	return code;
}

int complete_words(struct cli *cli, const char *what)
{
	static const struct {
		const char *what, *path, *array, *member;
	} asked[] = {
		{ "categories", "/api/v1/top?by=category&limit=1000", "categories", "category" },
		{ "feeds", "/api/v1/feeds", "feeds", "name" },
		{ "interfaces", "/api/v1/status", "interfaces", "name" },
	};

	if (strcmp(what, "reasons") == 0) {
		print_reasons(cli->out);
		return CLI_DONE;
	}
	if (strcmp(what, "verdicts") == 0) {
		print_verdicts(cli->out);
		return CLI_DONE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		if (strcmp(asked[i].what, what) == 0)
			return print_asked(cli, asked[i].path, asked[i].array, asked[i].member);
	return cli_fail(cli, CLI_USAGE,
			"completion: bash, zsh, categories, feeds, interfaces, reasons or verdicts "
			"is expected, not '%s'",
			what);
}
