/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>

#include "cli/client.h"
#include "cli/show.h"
#include "core/units.h"
#include "core/when.h"

/* The families as the daemon names them, and as people do. */
static const struct {
	const char *key, *name;
} families[] = { { "ipv4", "IPv4" }, { "ipv6", "IPv6" } };

/* "DEGRADED (interface eth0, coverage)": who reads one line knows where to look. */
static void show_state(const struct cli *cli, const json_t *status)
{
	const json_t *degraded = json_object_get(status, "degraded");
	const char *separator = " (";
	json_t *thing;
	size_t i;

	if (strcmp(answer_text(status, "state"), "ok") == 0) {
		show_clean(cli, TINT_GOOD, "ok");
		return;
	}
	show_clean(cli, TINT_BAD, "DEGRADED");
	json_array_foreach(degraded, i, thing) {
		fputs(separator, cli->out);
		show_clean(cli, TINT_NONE, answer_text(thing, "what"));
		separator = ", ";
	}
	fputs(i ? ")" : "", cli->out);
}

static void show_head(const struct cli *cli, const json_t *status)
{
	char duration[32];
	int64_t started;

	fprintf(cli->out, "moatd %s: ", answer_text(status, "version"));
	show_state(cli, status);
	if (json_is_object(json_object_get(status, "paused"))) {
		fputs(", ", cli->out);
		show_clean(cli, TINT_BAD, "PAUSED");
	}
	if (when_parse(answer_text(status, "started_at"), &started) == 0 && started < cli->now)
		fprintf(cli->out, ", up %s", units_duration_format(cli->now - started, duration));
	fputc('\n', cli->out);
}

static void add_interface(struct table *table, const json_t *interface)
{
	bool attached = json_is_true(json_object_get(interface, "attached"));
	bool fallback = json_is_true(json_object_get(interface, "fallback"));
	bool enforce = json_is_true(json_object_get(interface, "enforce"));
	bool by_hand = json_is_true(json_object_get(interface, "by_hand"));
	bool replies = json_is_true(json_object_get(interface, "replies"));
	const char *chain = json_string_value(json_object_get(interface, "chain"));
	char mode[4 * SHOW_MAX];

	snprintf(mode, sizeof(mode), "%s%s%s%s", answer_text(interface, "mode"),
		 fallback ? " (fallback)" : "", chain ? ", " : "", chain ?: "");
	table_add(table, TINT_BOLD, answer_text(interface, "name"));
	table_add(table, attached ? TINT_GOOD : TINT_BAD, attached ? mode : "NOT ATTACHED");
	table_add(table, enforce ? TINT_NONE : TINT_WARN,
		  !attached  ? (by_hand ? "by hand" : "")
		  : !enforce ? "counting only"
		  : replies  ? "enforcing, replies pass"
			     : "enforcing");
	table_add(table, TINT_WARN, answer_text(interface, "problem"));
}

void show_interface(const struct cli *cli, const json_t *interface)
{
	struct table table = { .columns = 4 };

	add_interface(&table, interface);
	table_flush(&table, cli->out, cli->colour, "");
	table_free(&table);
}

static void show_interfaces(const struct cli *cli, const json_t *interfaces)
{
	struct table table = { .columns = 5 };
	json_t *interface;
	size_t i;

	json_array_foreach(interfaces, i, interface) {
		table_add(&table, TINT_NONE, i == 0 ? "interfaces" : "");
		add_interface(&table, interface);
	}
	table.width[0] = SHOW_LABEL;
	table_flush(&table, cli->out, cli->colour, "  ");
	table_free(&table);
}

/* A cut ratio, never a rounded one: 99.9999 % is not full. */
static void show_coverage(const struct cli *cli, const json_t *coverage)
{
	const json_t *wanted = json_object_get(coverage, "wanted");
	const json_t *installed = json_object_get(coverage, "installed");
	double ratio = json_number_value(json_object_get(coverage, "ratio"));
	int64_t hundredths = (int64_t)(ratio * 10000);
	enum tint tint = ratio < 1 ? TINT_BAD : TINT_GOOD;
	char have[SHOW_MAX], want[SHOW_MAX];

	show_label(cli, "coverage");
	fprintf(cli->out, "%s%" PRId64 ".%02" PRId64 " %%%s of the sources are in the kernel:",
		tint_begin(cli->colour, tint), hundredths / 100, hundredths % 100,
		tint_end(cli->colour, tint));
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		fprintf(cli->out, "%s %s of %s %s", i ? "," : "",
			show_count(show_number(installed, families[i].key), have),
			show_count(show_number(wanted, families[i].key), want), families[i].name);
	fputc('\n', cli->out);
}

static void show_refused(const struct cli *cli, const json_t *rows)
{
	const char *separator = "";
	char count[SHOW_MAX];
	const char *cause;
	json_t *n;

	if (!json_object_size(rows))
		return;
	show_label(cli, "refused");
	json_object_foreach((json_t *)rows, cause, n) {
		fprintf(cli->out, "%s%s %s", separator, show_count(json_integer_value(n), count),
			cause);
		separator = ", ";
	}
	fputs(" (rows; 'moatctl list' says which)\n", cli->out);
}

static void show_review(const struct cli *cli, const json_t *due)
{
	char count[SHOW_MAX];

	if (json_integer_value(due) <= 0)
		return;
	show_label(cli, "review");
	fprintf(cli->out, "%s%s listing%s past the review date%s: 'moatctl list --review-due'\n",
		tint_begin(cli->colour, TINT_WARN), show_count(json_integer_value(due), count),
		json_integer_value(due) == 1 ? "" : "s", tint_end(cli->colour, TINT_WARN));
}

static void show_never_block(const struct cli *cli, const json_t *never)
{
	const char *separator = ": ";
	char count[SHOW_MAX];
	const char *kind;
	json_t *n;

	if (!json_is_object(never))
		return;
	show_label(cli, "protected");
	fprintf(cli->out, "%s never-block prefixes",
		show_count(show_number(never, "prefixes"), count));
	json_object_foreach((json_t *)never, kind, n) {
		if (strcmp(kind, "prefixes") == 0)
			continue;
		fprintf(cli->out, "%s%s %s", separator, kind,
			show_count(json_integer_value(n), count));
		separator = ", ";
	}
	fputc('\n', cli->out);
}

static void show_elsewhere(const struct cli *cli, int64_t rows)
{
	char count[SHOW_MAX];

	if (rows <= 0)
		return;
	show_label(cli, "elsewhere");
	fprintf(cli->out, "%s%s in force in other regions only\n", show_count(rows, count),
		rows == 1 ? " listing is" : " listings are");
}

static void show_capacity(const struct cli *cli, const json_t *capacity)
{
	char have[SHOW_MAX], room[SHOW_MAX];

	show_label(cli, "capacity");
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const json_t *family = json_object_get(capacity, families[i].key);
		int64_t entries = show_number(family, "entries"),
			most = show_number(family, "capacity");

		fprintf(cli->out, "%s%s of %s %s (%" PRId64 " %%)", i ? ", " : "",
			show_count(entries, have), show_count(most, room), families[i].name,
			most > 0 ? entries * 100 / most : 0);
	}
	fputc('\n', cli->out);
}

static void show_sieve_fill(const struct cli *cli, const json_t *sieve)
{
	char have[SHOW_MAX], room[SHOW_MAX], other[SHOW_MAX];

	fprintf(cli->out, "%s hosts in %s slots,", show_count(show_number(sieve, "hosts"), have),
		show_count(show_number(sieve, "host_slots"), room));
	fprintf(cli->out, " %s prefixes in %s of %s nodes,",
		show_count(show_number(sieve, "prefixes"), other),
		show_count(show_number(sieve, "nodes"), have),
		show_count(show_number(sieve, "node_room"), room));
	fprintf(cli->out, " %s IPv6 in %s slots; %s MB",
		show_count(show_number(sieve, "sources6"), have),
		show_count(show_number(sieve, "slots6"), room),
		show_count(show_number(sieve, "memory_bytes") >> 20, other));
}

/* The index that lookups ask first: without it they are right all the same, and slower. */
static void show_sieve(const struct cli *cli, const json_t *sieve)
{
	int64_t asked = show_number(sieve, "asked");
	char count[SHOW_MAX];

	if (!json_is_object(sieve))
		return;
	show_label(cli, "sieve");
	if (json_is_true(json_object_get(sieve, "on"))) {
		show_sieve_fill(cli, sieve);
	} else if (json_is_true(json_object_get(sieve, "wanted"))) {
		fprintf(cli->out, "%snot in use%s (lookups go by the hash maps, slower): ",
			tint_begin(cli->colour, TINT_WARN), tint_end(cli->colour, TINT_WARN));
		show_clean(cli, TINT_NONE, answer_text(sieve, "problem"));
	} else {
		fputs("off (sieve: false); lookups go by the hash maps", cli->out);
	}
	if (json_is_true(json_object_get(sieve, "resizing")))
		fputs("; resizing", cli->out);
	if (asked > 0)
		fprintf(cli->out, "; no room in it for %s: the hash maps answer for %s",
			show_count(asked, count), asked == 1 ? "it" : "them");
	fputc('\n', cli->out);
}

static void show_sync(const struct cli *cli, const json_t *sync)
{
	int64_t behind = show_number(sync, "seq_database") - show_number(sync, "seq_kernel");
	const char *problem = answer_text(sync, "problem");
	char when[SHOW_MAX], count[SHOW_MAX];

	show_label(cli, "sync");
	if (problem[0]) {
		show_clean(cli, TINT_BAD, problem);
		fputs("; ", cli->out);
	}
	if (behind > 0)
		fprintf(cli->out, "%s change%s behind for %.1f s; ", show_count(behind, count),
			behind == 1 ? "" : "s",
			json_number_value(json_object_get(sync, "lag_seconds")));
	else if (!problem[0])
		fprintf(cli->out, "the kernel has every change of the database; ");
	fprintf(cli->out, "last in step %s\n",
		show_time(json_object_get(sync, "last_success"), cli->now, "never", when));
}

static void show_selftest(const struct cli *cli, const json_t *selftest)
{
	bool ok = json_is_true(json_object_get(selftest, "ok"));

	show_label(cli, "self-test");
	if (ok)
		fprintf(cli->out, "%sok%s\n", tint_begin(cli->colour, TINT_GOOD),
			tint_end(cli->colour, TINT_GOOD));
	else
		show_clean(cli, TINT_BAD, answer_text(selftest, "problem"));
	if (!ok)
		fputc('\n', cli->out);
}

/* Only while somebody watches. */
static void show_events(const struct cli *cli, const json_t *events)
{
	int64_t readers = show_number(events, "readers");
	char count[SHOW_MAX], rate[SHOW_MAX];

	if (!readers)
		return;
	show_label(cli, "events");
	fprintf(cli->out, "%s reader%s, up to %s a second\n", show_count(readers, count),
		readers == 1 ? "" : "s", show_count(show_number(events, "rate"), rate));
}

/* Only what it lacks: that there is a kernel is no news. */
static void show_kernel(const struct cli *cli, const json_t *kernel)
{
	json_t *thing;
	size_t i;

	json_array_foreach(json_object_get(kernel, "lacks"), i, thing) {
		show_label(cli, i ? "" : "kernel");
		show_clean(cli, TINT_NONE, answer_text(kernel, "release"));
		fputs(": ", cli->out);
		show_clean(cli, TINT_NONE, answer_text(thing, "without"));
		fputc('\n', cli->out);
	}
}

static void show_database(const struct cli *cli, const json_t *database)
{
	show_label(cli, "database");
	show_clean(cli, TINT_NONE, answer_text(database, "uri"));
	if (json_is_false(json_object_get(database, "open")))
		fprintf(cli->out, " %s(not open)%s", tint_begin(cli->colour, TINT_BAD),
			tint_end(cli->colour, TINT_BAD));
	if (json_is_true(json_object_get(database, "read_only")))
		fputs(" (read only)", cli->out);
	fputc('\n', cli->out);
}

/* Before everything that is as it should be. */
static void show_degraded(const struct cli *cli, const json_t *degraded)
{
	json_t *thing;
	size_t i;

	json_array_foreach(degraded, i, thing) {
		fputs("  ", cli->out);
		show_clean(cli, TINT_BAD, answer_text(thing, "what"));
		fputs(": ", cli->out);
		show_clean(cli, TINT_NONE, answer_text(thing, "why"));
		fputs("\n    do: ", cli->out);
		show_clean(cli, TINT_BOLD, answer_text(thing, "do"));
		fputc('\n', cli->out);
	}
	if (i)
		fputc('\n', cli->out);
}

void show_status(const struct cli *cli, const json_t *status)
{
	show_head(cli, status);
	show_degraded(cli, json_object_get(status, "degraded"));
	if (json_is_object(json_object_get(status, "paused"))) {
		show_label(cli, "paused");
		show_paused(cli, status);
	}
	if (!strcmp(answer_text(json_object_get(status, "configuration"), "state"),
		    "unconfirmed")) {
		show_label(cli, "config");
		show_configuration(cli, json_object_get(status, "configuration"));
	}
	show_interfaces(cli, json_object_get(status, "interfaces"));
	show_coverage(cli, json_object_get(status, "coverage"));
	show_refused(cli, json_object_get(status, "refused_rows"));
	show_review(cli, json_object_get(status, "review_due"));
	show_elsewhere(cli, show_number(status, "elsewhere"));
	show_never_block(cli, json_object_get(status, "never_block"));
	show_capacity(cli, json_object_get(status, "capacity"));
	show_sieve(cli, json_object_get(status, "sieve"));
	show_sync(cli, json_object_get(status, "sync"));
	show_selftest(cli, json_object_get(status, "selftest"));
	show_events(cli, json_object_get(status, "events"));
	show_kernel(cli, json_object_get(status, "kernel"));
	show_database(cli, json_object_get(status, "database"));
}
