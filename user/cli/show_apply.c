/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the configuration stands.
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
