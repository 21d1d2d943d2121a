/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli.h"

#include <getopt.h>
#include <stdarg.h>

#include "cli/client.h"

/* Long options without a letter get numbers above every character. */
#define LONG_ONLY 256

enum {
	OPTION_SOCKET = 's',
	OPTION_OUTPUT = 'o',
	OPTION_HELP = 'h',
	OPTION_VERSION = 'V',
	OPTION_COLOR = LONG_ONLY - 1,
};

/* Of moatctl itself; also taken behind the verb. */
static const struct option common[] = {
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "output", required_argument, NULL, OPTION_OUTPUT },
	{ "color", required_argument, NULL, OPTION_COLOR },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
};

#define COMMON_LETTERS "s:o:hV"

int cli_fail(const struct cli *cli, int code, const char *fmt, ...)
{
	va_list args;

	fputs("moatctl: ", cli->err);
	va_start(args, fmt);
	vfprintf(cli->err, fmt, args);
	va_end(args);
	fputc('\n', cli->err);
	return code;
}

static void show_common_help(FILE *out)
{
	fputs("  -s, --socket PATH        the daemon's socket (" CONFIG_SOCKET ")\n"
	      "  -o, --output text|json   how to print\n"
	      "      --color WHEN         auto (on a terminal, without NO_COLOR), always, never\n"
	      "  -h, --help               this help\n",
	      out);
}

static void show_help(FILE *out)
{
	fputs("usage: moatctl [-s SOCKET] [-o text|json] VERB ...\n\n", out);
	for (const struct verb *const *v = cli_verbs; *v; v++)
		fprintf(out, "  %-10s %s\n", (*v)->name, (*v)->summary);
	fputs("\n", out);
	show_common_help(out);
	fputs("  -V, --version            the version\n\n"
	      "'moatctl VERB --help' says more about a verb. Exit: 0 done, 1 refused, 2 usage, "
	      "3 no daemon.\n",
	      out);
}

static void show_verb_help(FILE *out, const struct verb *verb)
{
	char left[64];

	fprintf(out, "usage: moatctl %s%s%s%s\n\n%s\n", verb->name,
		verb->option_count ? " [OPTION ...]" : "", verb->args[0] ? " " : "", verb->args,
		verb->summary);
	if (verb->details)
		fprintf(out, "%s\n", verb->details);
	fputs("\n", out);
	for (size_t i = 0; i < verb->option_count; i++) {
		const struct verb_option *o = &verb->options[i];
		char letter[8] = "    ";

		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
		fprintf(out, "  %-24s %s\n", left, o->help);
	}
	show_common_help(out);
}

/* An option of moatctl itself. -1: go on. */
static int take_common(struct cli *cli, int option, const char *value, const struct verb *verb)
{
	switch (option) {
	case OPTION_SOCKET:
		cli->socket = value;
		return -1;
	case OPTION_OUTPUT:
		cli->json = value && strcmp(value, "json") == 0;
		if (!cli->json && (!value || strcmp(value, "text") != 0))
			return cli_fail(cli, CLI_USAGE, "-o: text or json is expected");
		return -1;
	case OPTION_COLOR:
		if (!value || (strcmp(value, "auto") != 0 && strcmp(value, "always") != 0 &&
			       strcmp(value, "never") != 0))
			return cli_fail(cli, CLI_USAGE,
					"--color: auto, always or never is expected");
		if (strcmp(value, "auto") != 0)
			cli->colour = strcmp(value, "always") == 0;
		return -1;
	case OPTION_HELP:
		if (verb)
			show_verb_help(cli->out, verb);
		else
			show_help(cli->out);
		return CLI_DONE;
	case OPTION_VERSION:
		fputs("moatctl " MOAT_VERSION "\n", cli->out);
		return CLI_DONE;
	}
	return -1;
}

/* getopt() has said '?' or ':' about what stands at optind. */
static int bad_option(const struct cli *cli, int what, char *const *argv, const char *verb)
{
	const char *word = argv[optind - 1];
	const char *hint = verb ? verb : "";
	const char *space = verb ? " " : "";
	char letter[3] = { '-', (char)optopt, '\0' };

	if (strncmp(word, "--", 2) != 0 && optopt > ' ' && optopt < LONG_ONLY)
		word = letter;
	return cli_fail(cli, CLI_USAGE, "%s '%s'; see 'moatctl%s%s --help'",
			what == ':' ? "no value for option" : "unknown option", word, space, hint);
}

struct parser {
	struct option option[VERB_OPTIONS_MAX + ARRAY_SIZE(common) + 1];
	char letters[2 * VERB_OPTIONS_MAX + sizeof(COMMON_LETTERS) + 2];
};

/* getopt_long()'s two tables from the verb's one. */
static void parser_init(struct parser *p, const struct verb *verb)
{
	char *letter = p->letters;

	*letter++ = ':';
	for (size_t i = 0; i < verb->option_count; i++) {
		const struct verb_option *o = &verb->options[i];

		p->option[i] = (struct option){ o->name, o->arg ? required_argument : no_argument,
						NULL, LONG_ONLY + (int)i };
		if (!o->letter)
			continue;
		*letter++ = o->letter;
		if (o->arg)
			*letter++ = ':';
	}
	memcpy(p->option + verb->option_count, common, sizeof(common));
	memset(p->option + verb->option_count + ARRAY_SIZE(common), 0, sizeof(struct option));
	memcpy(letter, COMMON_LETTERS, sizeof(COMMON_LETTERS));
}

/* The number of a verb's option from what getopt_long() returned, or -1. */
static int option_number(const struct verb *verb, int got)
{
	if (got >= LONG_ONLY)
		return got - LONG_ONLY;
	for (size_t i = 0; i < verb->option_count; i++)
		if (verb->options[i].letter && verb->options[i].letter == got)
			return (int)i;
	return -1;
}

/* argv[0] is the verb. */
static int run_verb(struct cli *cli, const struct verb *verb, int argc, char **argv)
{
	struct call call = {};
	struct parser parser;
	int got, number, code;

	parser_init(&parser, verb);
	optind = 0; /* glibc: a new start */
	while ((got = getopt_long(argc, argv, parser.letters, parser.option, NULL)) != -1) {
		if (got == '?' || got == ':')
			return bad_option(cli, got, argv, verb->name);
		number = option_number(verb, got);
		if (number >= 0) {
			call.value[number] = optarg ? optarg : "";
			continue;
		}
		code = take_common(cli, got, optarg, verb);
		if (code >= 0)
			return code;
	}
	call.args = argc - optind;
	call.arg = argv + optind;
	if (call.args < verb->min_args)
		return cli_fail(cli, CLI_USAGE, "%s: %s is missing; see 'moatctl %s --help'",
				verb->name, verb->args, verb->name);
	if (call.args > verb->max_args)
		return cli_fail(cli, CLI_USAGE,
				"%s: '%s' is one word too many; see 'moatctl %s --help'",
				verb->name, call.arg[verb->max_args], verb->name);
	return verb->run(cli, &call);
}

int cli_run(struct cli *cli, int argc, char **argv)
{
	static const struct option end;
	struct option options[ARRAY_SIZE(common) + 1];
	int got, code;

	memcpy(options, common, sizeof(common));
	options[ARRAY_SIZE(common)] = end;
	opterr = 0;
	optind = 0;
	/* '+': what follows the verb is the verb's. */
	while ((got = getopt_long(argc, argv, "+:" COMMON_LETTERS, options, NULL)) != -1) {
		if (got == '?' || got == ':')
			return bad_option(cli, got, argv, NULL);
		code = take_common(cli, got, optarg, NULL);
		if (code >= 0)
			return code;
	}
	if (optind >= argc) {
		show_help(cli->err);
		return CLI_USAGE;
	}
	for (const struct verb *const *v = cli_verbs; *v; v++) {
		if (strcmp((*v)->name, argv[optind]) == 0) {
			code = run_verb(cli, *v, argc - optind, argv + optind);
			cli->client = client_free(cli->client);
			return code;
		}
	}
	return cli_fail(cli, CLI_USAGE, "there is no verb '%s'; see 'moatctl --help'",
			argv[optind]);
}
