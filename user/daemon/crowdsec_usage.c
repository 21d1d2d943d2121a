/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/crowdsec_usage.h"

#include <sys/utsname.h>

#include "core/log.h"
#include "daemon/crowdsec.h"
#include "daemon/feed_schedule.h"
#include "daemon/feeder.h"

#define OS_RELEASE  "/etc/os-release"
#define DEADLINE_MS 30000

struct crowdsec_usage {
	struct daemon *d;
	struct feeder *feeder;	     /* owned; NULL: nothing under way */
	char feed[CONFIG_FEED_NAME]; /* of the report under way */
	char os_name[64], os_version[64];
	int64_t every;		       /* that next was made with; 0: not yet */
	int64_t next, begun, taken;    /* unix seconds; begun: of the report under way */
	unsigned int failures;	       /* in a row */
	struct crowdsec_counters last; /* when a report was last taken */
	struct crowdsec_counters sent; /* in the report under way */
	struct crowdsec_usage_numbers numbers;
	struct problem said; /* what was logged last */
};

/* ---- of this host ---- */

/* NAME=value, or NAME="value". */
static bool take_value(const char *line, const char *name, char *to, size_t room)
{
	size_t size = strlen(name);

	if (strncmp(line, name, size) != 0 || line[size] != '=')
		return false;
	line += size + 1;
	line += *line == '"' || *line == '\'';
	snprintf(to, room, "%.*s", (int)strcspn(line, "\"'\r\n"), line);
	return true;
}

/* The LAPI refuses a report without either. */
static void find_os(struct crowdsec_usage *u)
{
	_cleanup_fclose_ FILE *file = fopen(OS_RELEASE, "re");
	struct utsname name = {};
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!take_value(line, "ID", u->os_name, sizeof(u->os_name)))
			take_value(line, "VERSION_ID", u->os_version, sizeof(u->os_version));
	uname(&name);
	if (!u->os_name[0])
		snprintf(u->os_name, sizeof(u->os_name), "%.60s", name.sysname);
	if (!u->os_version[0])
		snprintf(u->os_version, sizeof(u->os_version), "%.60s", name.release);
}

static void add_traffic(struct crowdsec_traffic *to, const struct moat_stats *from)
{
	to->packets += from->packets;
	to->bytes += from->bytes;
}

static void add_cells(struct crowdsec_counters *to, const struct moat_stats *cells, uint32_t family,
		      uint32_t verdict)
{
	for (uint32_t reason = 0; reason < MOAT_REASON_MAX; reason++) {
		uint32_t categories = moat_reason_has_category(reason) ? MOAT_CATEGORIES : 1;

		for (uint32_t c = 0; c < categories; c++) {
			const struct moat_stats *cell =
				&cells[moat_cell(family, verdict, reason, c)];

			add_traffic(&to->processed[family], cell);
			if (categories > 1 && verdict == MOAT_VERDICT_DROP)
				add_traffic(&to->dropped[c][family], cell);
		}
	}
}

static void read_counters(struct daemon *d, struct crowdsec_counters *ret)
{
	_cleanup_free_ struct moat_stats *cells = calloc(MOAT_CELLS, sizeof(*cells));

	*ret = (struct crowdsec_counters){};
	for (size_t i = 0; cells && i < ifaces_count(d->ifaces); i++) {
		struct iface_view view;

		ifaces_view(d->ifaces, i, &view);
		if (!view.program || program_stats(view.program, cells))
			continue;
		for (uint32_t family = 0; family < 2; family++)
			for (uint32_t verdict = 0; verdict < MOAT_VERDICT_MAX; verdict++)
				add_cells(ret, cells, family, verdict);
	}
}

/* Counters of an interface that was detached begin anew: then all that they count is new. */
static void subtract(struct crowdsec_traffic *from, const struct crowdsec_traffic *last)
{
	if (from->packets < last->packets || from->bytes < last->bytes)
		return;
	from->packets -= last->packets;
	from->bytes -= last->bytes;
}

static void subtract_counters(struct crowdsec_counters *from, const struct crowdsec_counters *last)
{
	for (size_t family = 0; family < 2; family++) {
		subtract(&from->processed[family], &last->processed[family]);
		for (size_t c = 0; c < MOAT_CATEGORIES; c++)
			subtract(&from->dropped[c][family], &last->dropped[c][family]);
	}
}

/* ---- one report ---- */

static int64_t next_of(const struct crowdsec_usage *u, const struct config_feed *config,
		       int64_t now)
{
	const struct feed_timing timing = {
		.every = config->crowdsec.usage,
		.seed = feed_schedule_seed(config->name, "usage"),
		.attempt = u->numbers.sent + u->numbers.failed,
		.failures = u->failures,
	};

	return now + feed_schedule_next(&timing);
}

static void note_failure(struct crowdsec_usage *u, const struct problem *why)
{
	u->numbers.failed++;
	u->failures++;
	if (!strcmp(u->said.text, why->text))
		return;
	u->said = *why;
	log_warning("feed '%s': usage metrics are not taken: %s", u->feed, why->text);
}

static const struct config_feed *config_of(const struct crowdsec_usage *u)
{
	const struct config *config = u->d->config;

	for (size_t i = 0; i < config->feeds; i++)
		if (!strcmp(config->feed[i].name, u->feed))
			return &config->feed[i];
	return NULL;
}

static void on_done(void *arg, const struct feeder_result *result)
{
	struct crowdsec_usage *u = arg;
	const struct config_feed *config = config_of(u);

	u->feeder = NULL;
	if (result->ok) {
		u->last = u->sent;
		u->taken = u->begun;
		u->failures = 0;
		u->numbers.sent++;
		u->said.text[0] = '\0';
		log_debug("feed '%s': usage metrics are sent", u->feed);
	} else {
		note_failure(u, &result->why);
	}
	if (config)
		u->next = next_of(u, config, u->begun);
}

static int on_rows(void *arg, const struct feed_row *row, size_t count)
{
	(void)arg;
	(void)row;
	(void)count;
	return -EPROTO; /* the answer is no list */
}

static void report(struct crowdsec_usage *u, const struct config_feed *config,
		   const struct crowdsec_table *table, int64_t last_pull)
{
	struct crowdsec_counters since;
	char url[FEEDER_URL_MAX];
	struct text body = {};
	struct feeder_job job = {
		.fd = -1,
		.url = url,
		.header_file = config->header_file,
		.key_file = config->crowdsec.key_file,
		.deadline_ms = DEADLINE_MS,
		.parse = { .format = FEED_PLAIN },
	};
	struct problem why = {};
	int err;

	snprintf(u->feed, sizeof(u->feed), "%s", config->name);
	read_counters(u->d, &u->sent);
	since = u->sent;
	subtract_counters(&since, &u->last);
	crowdsec_report_write(&body, &(struct crowdsec_report){
					     .config = config,
					     .table = table,
					     .categories = sync_categories(u->d->sync),
					     .since = &since,
					     .os_name = u->os_name,
					     .os_version = u->os_version,
					     .started = u->d->started,
					     .last_pull = last_pull,
					     .window = u->begun - u->taken,
					     .now = u->begun,
				     });
	job.body = body.data;
	err = body.failed || crowdsec_usage_url(config, url)
		      ? problem_set(&why, -EINVAL, "the report cannot be made")
		      : feeder_start(u->d->loop, &job, on_rows, on_done, u, &u->feeder, &why);
	text_free(&body);
	if (err)
		note_failure(u, &why);
}

void crowdsec_usage_tick(struct crowdsec_usage *u, const struct config_feed *config,
			 const struct crowdsec_table *table, int64_t last_pull, int64_t now)
{
	if (u->feeder || !config->crowdsec.usage || !strncmp(config->url, "file:", 5))
		return;
	if (u->every != config->crowdsec.usage) {
		u->every = config->crowdsec.usage;
		u->next = next_of(u, config, now);
	}
	if (now < u->next)
		return;
	u->begun = now;
	u->next = next_of(u, config, now);
	report(u, config, table, last_pull);
}

/* ---- the whole ---- */

int crowdsec_usage_new(struct daemon *d, struct crowdsec_usage **ret)
{
	struct crowdsec_usage *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->d = d;
	u->taken = d->started;
	/* What was counted before belongs to another moatd, which may have told it. */
	read_counters(d, &u->last);
	find_os(u);
	*ret = u;
	return 0;
}

struct crowdsec_usage *crowdsec_usage_free(struct crowdsec_usage *u)
{
	if (!u)
		return NULL;
	feeder_cancel(u->feeder);
	free(u);
	return NULL;
}

void crowdsec_usage_numbers(const struct crowdsec_usage *u, struct crowdsec_usage_numbers *ret)
{
	*ret = u->numbers;
}
