/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the audit log is whole.
 */
#include "cli/client.h"
#include "cli/show.h"

void show_audit_proof(const struct cli *cli, const json_t *proof)
{
	bool whole = json_is_true(json_object_get(proof, "whole"));
	json_int_t entries = json_integer_value(json_object_get(proof, "entries"));
	json_int_t waiting = json_integer_value(json_object_get(proof, "unsealed"));
	json_int_t accepted = json_integer_value(json_object_get(proof, "accepted_entry"));
	json_int_t found = json_integer_value(json_object_get(proof, "found_entry"));
	enum tint tint = whole ? TINT_GOOD : TINT_BAD;
	char count[SHOW_MAX];

	fprintf(cli->out, "%s%s%s: %s entries", tint_begin(cli->colour, tint),
		whole ? "whole" : "BROKEN", tint_end(cli->colour, tint),
		show_count(entries, count));
	if (accepted)
		fprintf(cli->out, " after entry %s", show_count(accepted, count));
	fprintf(cli->out, ", head %s", answer_text(proof, "head"));
	if (entries)
		fprintf(cli->out, ", from %s to %s", answer_text(proof, "from"),
			answer_text(proof, "to"));
	fputc('\n', cli->out);
	if (waiting)
		fprintf(cli->out, "  the last %s wait%s to be sealed\n", show_count(waiting, count),
			waiting == 1 ? "s" : "");
	if (found)
		fprintf(cli->out, "  the head that was given is that of entry %s\n",
			show_count(found, count));
	if (!whole)
		fprintf(cli->out, "  %s\n", answer_text(json_object_get(proof, "fault"), "text"));
}
