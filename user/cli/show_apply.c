/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the configuration stands, and what another one would have done.
 */
#include <inttypes.h>

#include "cli/client.h"
#include "cli/show.h"
#include "core/units.h"

static void show_line(const struct cli *cli, const char *label, const char *text, enum tint tint)
{
	if (!text[0])
		return;
	show_label(cli, label);
	show_clean(cli, tint, text);
	fputc('\n', cli->out);
}

void show_configuration(const struct cli *cli, const json_t *configuration)
{
	bool waits = !strcmp(answer_text(configuration, "state"), "unconfirmed");
	enum tint tint = waits ? TINT_WARN : TINT_GOOD;
	char left[32];

	fputs(tint_begin(cli->colour, tint), cli->out);
	if (waits)
		fprintf(cli->out, "unconfirmed, rolls back in %s",
			units_duration_format(show_number(configuration, "seconds_left"), left));
	else
		fputs("confirmed", cli->out);
	fprintf(cli->out, "%s%s", tint_end(cli->colour, tint),
		waits ? ": 'moatctl confirm' keeps it, 'moatctl rollback' ends it now\n"
		      : ": what runs is ");
	if (!waits) {
		show_clean(cli, TINT_NONE, answer_text(configuration, "path"));
		fputc('\n', cli->out);
	}
	show_line(cli, "by", answer_text(configuration, "by"), TINT_NONE);
	show_line(cli, "changes", answer_text(configuration, "changes"), TINT_NONE);
	show_line(cli, "problem", answer_text(configuration, "problem"), TINT_BAD);
}

/* ---- what it would have done ---- */

#define INDENT "              " /* below what stands behind a label */

/* Two digits of what is small, none lost of what is large. */
static const char *percent(double share, char buf[static SHOW_MAX])
{
	double value = share * 100;

	snprintf(buf, SHOW_MAX, "%.*f %%",
		 !(value > 0) ? 0
		 : value < 1  ? 3
		 : value < 10 ? 2
			      : 1,
		 value);
	return buf;
}

static double share_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* "botnet 0.20 %, scanner 0.11 %"; name is the member that names an element. */
static void show_parts(const struct cli *cli, const json_t *parts, const char *name,
		       const char *intro)
{
	const char *separator = intro;
	char number[SHOW_MAX];
	json_t *part;
	size_t i;

	json_array_foreach(parts, i, part) {
		if (!answer_text(part, name)[0])
			continue;
		fprintf(cli->out, "%s%s", i ? "" : INDENT "  ", separator);
		show_clean(cli, TINT_NONE, answer_text(part, name));
		fprintf(cli->out, " %s", percent(share_of(part, "share"), number));
		separator = ", ";
	}
	if (separator != intro)
		fputc('\n', cli->out);
}

static void show_share(const struct cli *cli, bool *begun, const json_t *share, const char *what,
		       const char *of)
{
	char part[SHOW_MAX], least[SHOW_MAX], most[SHOW_MAX];

	if (!(share_of(share, "share") > 0))
		return;
	if (*begun)
		fputs(INDENT, cli->out);
	else
		show_label(cli, "effect");
	*begun = true;
	fprintf(cli->out, "%s%s %s%s (%s to %s) of %s\n", tint_begin(cli->colour, TINT_BOLD), what,
		percent(share_of(share, "share"), part), tint_end(cli->colour, TINT_BOLD),
		percent(share_of(share, "at_least"), least),
		percent(share_of(share, "at_most"), most), of);
	show_parts(cli, json_object_get(share, "categories"), "category", "by ");
	show_parts(cli, json_object_get(share, "sources"), "source", "first: ");
}

void show_effect(const struct cli *cli, const json_t *effect, bool dry_run)
{
	const json_t *more = json_object_get(effect, "dropped_more");
	char passed[128], dropped[128], span[32], count[SHOW_MAX], most[SHOW_MAX];
	bool begun = false;

	if (!json_is_object(effect))
		return;
	if (dry_run)
		show_line(cli, "changes", answer_text(effect, "changes"), TINT_NONE);
	units_duration_format(show_number(effect, "seconds"), span);
	snprintf(passed, sizeof(passed), "what passed in the last %s, %s samples", span,
		 show_count(show_number(effect, "passed_samples"), count));
	snprintf(dropped, sizeof(dropped), "what was dropped, %s samples",
		 show_count(show_number(effect, "dropped_samples"), count));
	show_share(cli, &begun, more, "would have dropped", passed);
	show_share(cli, &begun, json_object_get(effect, "limited_more"), "would have limited",
		   passed);
	show_share(cli, &begun, json_object_get(effect, "tagged_otherwise"), "would have tagged",
		   passed);
	show_share(cli, &begun, json_object_get(effect, "dropped_less"), "would have let pass",
		   dropped);
	if (!begun) {
		show_label(cli, "effect");
		if (json_is_object(more))
			fprintf(cli->out, "none seen (at most %s) on %s\n",
				percent(share_of(more, "at_most"), most), passed);
		else
			fputs("unknown: too little traffic to judge by\n", cli->out);
	}
	show_line(cli, "not judged", answer_text(effect, "not_judged"), TINT_WARN);
}
