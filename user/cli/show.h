/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's JSON as text for people: on cli->out, in colour if it has any,
 * with times relative to cli->now. What is missing in the JSON is left out.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <jansson.h>

#include "cli/cli.h"
#include "cli/table.h"

void show_status(const struct cli *cli, const json_t *status);
void show_interface(const struct cli *cli, const json_t *interface);
void show_explain(const struct cli *cli, const json_t *explain);
/* The line on the hits of a source, if they are noted. */
void show_hits(const struct cli *cli, const json_t *source);
void show_top(const struct cli *cli, const json_t *top);
/* The answer of /api/v1/audit/verify. */
void show_audit_proof(const struct cli *cli, const json_t *proof);

void show_audit(const struct cli *cli, const json_t *audit);
/* The member "configuration" of the status. */
void show_configuration(const struct cli *cli, const json_t *configuration);
/* The member "effect" of the answer to apply; dry_run: with what it changes. */
void show_effect(const struct cli *cli, const json_t *effect, bool dry_run);
void show_paused(const struct cli *cli, const json_t *answer);

/* Prometheus text as JSON. */
void show_metrics_json(const struct cli *cli, const char *metrics);
void show_feeds(const struct cli *cli, const json_t *feeds);
/* What a list did, or would do. */
void show_report(const struct cli *cli, const json_t *report);

/* What add did to one row of its answer. False: it is not in force. */
bool show_added(const struct cli *cli, const json_t *row);
/* What remove did. */
void show_removed(const struct cli *cli, const char *source, const json_t *answer);

/* Rows of listings; a table that lives over several pages prints its header once. */
void show_listings(const struct cli *cli, const json_t *listings, struct table *table,
		   const char *indent);

/* ---- words ---- */

#define SHOW_MAX 64

/* "1,234,567". Returns buf. */
const char *show_count(int64_t n, char buf[static SHOW_MAX]);

/* An RFC 3339 time against now: "in 3d 2h", "5m ago", "now"; else if_none. Returns buf. */
const char *show_time(const json_t *time, int64_t now, const char *if_none,
		      char buf[static SHOW_MAX]);

/* The name of what a line is about, in the column of names. */
#define SHOW_LABEL 10
void show_label(const struct cli *cli, const char *text);

/* What came from the daemon: nothing of it moves the cursor. */
void show_clean(const struct cli *cli, enum tint tint, const char *s);

/* A member that is a whole number; 0: there is none. */
int64_t show_number(const json_t *object, const char *key);

/* An array of texts, "a, b". */
void show_names(const json_t *names, struct text *out);

#endif
