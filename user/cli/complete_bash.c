/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The completion for bash. Needs no package of completions.
 */
#include "cli/complete.h"

/* Sets verb, its number of the argument that is typed, and the option that waits for a value. */
static const char head[] = "# shellcheck shell=bash\n"
			   "# Completion of moatctl for bash, made by 'moatctl completion bash'.\n"
			   "\n"
			   "# Whether option $1 of verb $2 takes a value.\n"
			   "_moatctl_takes() {\n"
			   "\t[[ -n $(_moatctl_value \"$1\" \"$2\") ]]\n"
			   "}\n"
			   "\n";

static const char tail[] =
	"_moatctl() {\n"
	"\tlocal command=$1 current=${COMP_WORDS[COMP_CWORD]} verb='' waits='' kind='' word i\n"
	"\tlocal -i arguments=0\n"
	"\tlocal -a socket=()\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [[ $word == = && -n $waits ]]; then\n"
	"\t\t\tcontinue\n"
	"\t\telif [[ -n $waits ]]; then\n"
	"\t\t\t[[ $waits == -s || $waits == --socket ]] && socket=(-s \"$word\")\n"
	"\t\t\twaits=''\n"
	"\t\telif [[ $word == -?* ]]; then\n"
	"\t\t\t_moatctl_takes \"$word\" \"$verb\" && waits=$word\n"
	"\t\telif [[ -z $verb ]]; then\n"
	"\t\t\tverb=$word\n"
	"\t\telse\n"
	"\t\t\targuments+=1\n"
	"\t\tfi\n"
	"\tdone\n"
	"\t[[ $current == = ]] && current=''\n"
	"\tif [[ -n $waits ]]; then\n"
	"\t\tkind=$(_moatctl_value \"$waits\" \"$verb\")\n"
	"\telif [[ $current == -* ]]; then\n"
	"\t\tkind=\"=$(_moatctl_options \"$verb\")\"\n"
	"\telif [[ -z $verb ]]; then\n"
	"\t\tkind=\"=$(_moatctl_verbs)\"\n"
	"\telse\n"
	"\t\tkind=$(_moatctl_argument \"$verb\" \"$arguments\")\n"
	"\tfi\n"
	"\tcase $kind in\n"
	"\t'' | any) return ;;\n"
	"\tfiles)\n"
	"\t\tcompopt -o filenames 2> /dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
	"\t\t;;\n"
	"\t=*) mapfile -t COMPREPLY < <(compgen -W \"${kind#=}\" -- \"$current\") ;;\n"
	"\t*)\n"
	"\t\twhile IFS= read -r word; do\n"
	"\t\t\t[[ $word == \"$current\"* ]] && COMPREPLY+=(\"$(printf %q \"$word\")\")\n"
	"\t\tdone < <(\"$command\" \"${socket[@]}\" completion \"$kind\" 2> /dev/null)\n"
	"\t\t;;\n"
	"\tesac\n"
	"}\n"
	"complete -F _moatctl moatctl\n";

static void write_verbs(FILE *out)
{
	fputs("_moatctl_verbs() {\n\techo '", out);
	for (const struct verb *const *v = cli_verbs; *v; v++)
		fprintf(out, "%s%s", v == cli_verbs ? "" : " ", (*v)->name);
	fputs("'\n}\n\n", out);
}

static void write_names(FILE *out, const struct verb_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (options[i].letter)
			fprintf(out, " -%c", options[i].letter);
		fprintf(out, " --%s", options[i].name);
	}
}

static void write_options(FILE *out)
{
	fputs("# The options of verb $1.\n_moatctl_options() {\n\tcase $1 in\n", out);
	for (const struct verb *const *v = cli_verbs; *v; v++) {
		if (!(*v)->option_count)
			continue;
		fprintf(out, "\t%s) echo -n '", (*v)->name);
		write_names(out, (*v)->options, (*v)->option_count);
		fputs("' ;;\n", out);
	}
	fputs("\tesac\n\techo '", out);
	write_names(out, complete_common, complete_commons);
	fputs("'\n}\n\n", out);
}

static void write_values_of(FILE *out, const char *verb, const struct verb_option *options,
			    size_t count)
{
	char buf[COMPLETE_KIND_MAX];

	for (size_t i = 0; i < count; i++) {
		const struct verb_option *o = &options[i];
		const char *kind = o->arg ? complete_kind(o->arg, buf) : NULL;

		if (!kind)
			continue;
		fputc('\t', out);
		if (o->letter)
			fprintf(out, "'%s -%c' | ", verb, o->letter);
		fprintf(out, "'%s --%s') echo '%s' ;;\n", verb, o->name, *kind ? kind : "any");
	}
}

/* Of a pattern "* -s" only the blank and the dash are words. */
static void write_common_values(FILE *out)
{
	char buf[COMPLETE_KIND_MAX];

	for (size_t i = 0; i < complete_commons; i++) {
		const struct verb_option *o = &complete_common[i];

		if (!o->arg)
			continue;
		fputc('\t', out);
		if (o->letter)
			fprintf(out, "*' -%c' | ", o->letter);
		fprintf(out, "*' --%s') echo '%s' ;;\n", o->name, complete_kind(o->arg, buf));
	}
}

static void write_values(FILE *out)
{
	fputs("# What option $1 of verb $2 takes; nothing if it takes no value.\n"
	      "_moatctl_value() {\n\tcase \"$2 $1\" in\n",
	      out);
	for (const struct verb *const *v = cli_verbs; *v; v++)
		write_values_of(out, (*v)->name, (*v)->options, (*v)->option_count);
	write_common_values(out);
	fputs("\tesac\n}\n\n", out);
}

static void write_arguments(FILE *out)
{
	char buf[COMPLETE_KIND_MAX];

	fputs("# What verb $1 takes as argument number $2, from 0.\n"
	      "_moatctl_argument() {\n\tcase \"$1 $2\" in\n",
	      out);
	for (const struct verb *const *v = cli_verbs; *v; v++)
		for (unsigned int at = 0; at < COMPLETE_ARGUMENTS; at++) {
			const char *kind = complete_argument((*v)->args, at, buf);

			if (*kind)
				fprintf(out, "\t'%s %u') echo '%s' ;;\n", (*v)->name, at, kind);
		}
	fputs("\tesac\n}\n\n", out);
}

void complete_bash(FILE *out)
{
	fputs(head, out);
	write_verbs(out);
	write_options(out);
	write_values(out);
	write_arguments(out);
	fputs(tail, out);
}
