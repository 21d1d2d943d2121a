/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The completion for zsh, by its own _arguments.
 */
#include "cli/complete.h"

static const char head[] =
	"#compdef moatctl\n"
	"# Completion of moatctl for zsh, made by 'moatctl completion zsh'.\n"
	"\n"
	"# Names that the running moatd has; the last word says of what, the others are for compadd.\n"
	"_moatctl_words() {\n"
	"\tlocal -a found ask\n"
	"\task=($_moatctl_command ${_moatctl_socket:+-s} $_moatctl_socket completion $argv[-1])\n"
	"\tfound=(${(f)\"$(_call_program $argv[-1] ${(q)ask} 2> /dev/null)\"})\n"
	"\t(( $#found )) && compadd \"${(@)argv[1,-2]}\" -a found\n"
	"}\n"
	"\n"
	"_moatctl() {\n"
	"\tlocal context state state_descr line _moatctl_command=$words[1] _moatctl_socket\n"
	"\ttypeset -A opt_args\n"
	"\tlocal -a verbs\n";

static const char tail[] = "\tesac\n"
			   "}\n"
			   "\n"
			   "if [[ $funcstack[1] == _moatctl ]]; then\n"
			   "\t_moatctl \"$@\"\n"
			   "else\n"
			   "\tcompdef _moatctl moatctl\n"
			   "fi\n";

/* Inside '...[TEXT]': neither quotes nor what _arguments reads. */
static void write_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (*text == '[' || *text == ']' || *text == ':' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

/* ":CATEGORY:_moatctl_words categories"; kind "": anything. */
static void write_action(FILE *out, const char *message, const char *kind)
{
	fputc(':', out);
	write_text(out, message);
	if (!*kind)
		fputs(": ", out);
	else if (strcmp(kind, COMPLETE_FILES) == 0)
		fputs(":_files", out);
	else if (*kind == '=')
		fprintf(out, ":(%s)", kind + 1);
	else
		fprintf(out, ":_moatctl_words %s", kind);
}

static void write_option(FILE *out, const struct verb_option *o)
{
	char buf[COMPLETE_KIND_MAX];
	const char *value = o->arg ? "=" : "";

	fputs(" \\\n\t\t\t", out);
	if (o->letter)
		fprintf(out, "'(-%c --%s)'{-%c%s,--%s%s}", o->letter, o->name, o->letter,
			o->arg ? "+" : "", o->name, value);
	else
		fprintf(out, "'--%s%s'", o->name, value);
	fputs("'[", out);
	write_text(out, o->help);
	fputc(']', out);
	if (o->arg)
		write_action(out, o->arg, complete_kind(o->arg, buf));
	fputc('\'', out);
}

static void write_arguments(FILE *out, const struct verb *verb)
{
	char buf[COMPLETE_KIND_MAX];
	bool many = strstr(verb->args, "...");

	for (unsigned int at = 0; at < COMPLETE_ARGUMENTS && verb->max_args; at++) {
		const char *kind = complete_argument(verb->args, at, buf);

		if (at >= (unsigned int)verb->max_args || (at && !*kind))
			break;
		fputs(" \\\n\t\t\t'", out);
		if (many)
			fputc('*', out);
		else
			fprintf(out, "%u", at + 1);
		write_action(out, verb->args, kind);
		fputc('\'', out);
		if (many)
			break;
	}
}

static void write_verb(FILE *out, const struct verb *verb)
{
	fprintf(out, "\t%s)\n\t\t_arguments -s", verb->name);
	for (size_t i = 0; i < verb->option_count; i++)
		write_option(out, &verb->options[i]);
	for (size_t i = 0; i < complete_commons; i++)
		write_option(out, &complete_common[i]);
	write_arguments(out, verb);
	fputs(" && return 0\n\t\t;;\n", out);
}

void complete_zsh(FILE *out)
{
	fputs(head, out);
	fputs("\tverbs=(\n", out);
	for (const struct verb *const *v = cli_verbs; *v; v++) {
		fprintf(out, "\t\t'%s:", (*v)->name);
		write_text(out, (*v)->summary);
		fputs("'\n", out);
	}
	fputs("\t)\n\t_arguments -C -s", out);
	for (size_t i = 0; i < complete_commons; i++)
		write_option(out, &complete_common[i]);
	fputs(" \\\n\t\t\t'1: :->verb' '*:: :->argument' && return 0\n"
	      "\t_moatctl_socket=${opt_args[-s]:-${opt_args[--socket]}}\n"
	      "\tif [[ $state == verb ]]; then\n"
	      "\t\t_describe -t verbs verb verbs\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tcase $words[1] in\n",
	      out);
	for (const struct verb *const *v = cli_verbs; *v; v++)
		write_verb(out, *v);
	fputs(tail, out);
}
