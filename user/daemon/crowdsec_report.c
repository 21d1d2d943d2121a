/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/crowdsec_usage.h"

#include "core/emit.h"

#define ORIGINS_MAX  64	 /* that are told apart */
#define ORIGIN_SIZE  128 /* the LAPI takes 255 */
#define ORIGIN_OTHER "other"

static const char *const ip_types[] = { "ipv4", "ipv6" };

struct origins {
	size_t count;
	struct {
		char name[ORIGIN_SIZE];
		uint64_t decisions[2]; /* by family */
	} origin[ORIGINS_MAX];
};

/* "CAPI: crowdsecurity/ssh-bf" is of CAPI, "lists: firehol" of lists:firehol. */
static void name_origin(const char *reason, char ret[static ORIGIN_SIZE])
{
	const char *colon = strstr(reason, ": ");
	int size = colon ? (int)(colon - reason) : (int)strlen(reason);

	if (!size)
		snprintf(ret, ORIGIN_SIZE, "%s", ORIGIN_OTHER);
	else if (colon && size == 5 && !strncmp(reason, "lists", 5))
		snprintf(ret, ORIGIN_SIZE, "lists:%s", colon + 2);
	else
		snprintf(ret, ORIGIN_SIZE, "%.*s", size, reason);
}

static void count_origin(void *arg, const char *reason, const uint64_t count[2])
{
	struct origins *origins = arg;
	char name[ORIGIN_SIZE];
	size_t i;

	name_origin(reason, name);
	for (i = 0; i < origins->count && strcmp(origins->origin[i].name, name) != 0; i++)
		;
	if (i == ORIGINS_MAX)
		i--;
	if (i == origins->count)
		snprintf(origins->origin[origins->count++].name, ORIGIN_SIZE, "%s",
			 i == ORIGINS_MAX - 1 ? ORIGIN_OTHER : name);
	origins->origin[i].decisions[0] += count[0];
	origins->origin[i].decisions[1] += count[1];
}

static int64_t whole(uint64_t number)
{
	return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

struct labels {
	const char *origin, *remediation; /* NULL: none */
	int family;
};

static void write_item(struct emit *e, const char *name, const char *unit, uint64_t value,
		       const struct labels *labels)
{
	emit_begin(e, NULL, '{');
	emit_text(e, "name", name);
	emit_text(e, "unit", unit);
	emit_whole(e, "value", whole(value));
	emit_begin(e, "labels", '{');
	if (labels->origin)
		emit_text(e, "origin", labels->origin);
	if (labels->remediation)
		emit_text(e, "remediation", labels->remediation);
	emit_text(e, "ip_type", ip_types[labels->family]);
	emit_end(e, '}');
	emit_end(e, '}');
}

static void write_traffic(struct emit *e, const char *name, const struct crowdsec_traffic *traffic,
			  const struct labels *labels)
{
	write_item(e, name, "packet", traffic->packets, labels);
	write_item(e, name, "byte", traffic->bytes, labels);
}

static void write_decisions(struct emit *e, const struct origins *origins)
{
	for (size_t i = 0; i < origins->count; i++)
		for (int family = 0; family < 2; family++)
			if (origins->origin[i].decisions[family])
				write_item(e, "active_decisions", "ip",
					   origins->origin[i].decisions[family],
					   &(struct labels){ .origin = origins->origin[i].name,
							     .family = family });
}

/* The type whose decisions are listed in the category; NULL: none, or several. */
static const char *remediation_of(const struct config_feed *config, const char *category)
{
	const char *found = NULL;

	for (size_t i = 0; i < config->mappings; i++) {
		if (strcmp(config->mapping[i].to, category) != 0)
			continue;
		if (found)
			return NULL;
		found = config->mapping[i].from;
	}
	if (strcmp(config->category, category) != 0)
		return found;
	/* What is not mapped comes here too: with one type it is that one. */
	if (found || (config->types && strchr(config->types, ',')))
		return NULL;
	return config->types ?: "ban";
}

static bool lists_in(const struct config_feed *config, const char *category)
{
	bool found = category[0] && !strcmp(config->category, category);

	for (size_t i = 0; i < config->mappings && !found; i++)
		found = category[0] && !strcmp(config->mapping[i].to, category);
	return found;
}

static void write_dropped(struct emit *e, const struct crowdsec_report *r,
			  const struct origins *origins)
{
	struct labels labels = { .origin = origins->count == 1 ? origins->origin[0].name : NULL };

	for (size_t c = 0; c < MOAT_CATEGORIES; c++) {
		const char *category = r->categories->name[c];

		if (!lists_in(r->config, category))
			continue;
		labels.remediation = remediation_of(r->config, category);
		for (labels.family = 0; labels.family < 2; labels.family++)
			write_traffic(e, "dropped", &r->since->dropped[c][labels.family], &labels);
	}
}

static void write_metrics(struct emit *e, const struct crowdsec_report *r)
{
	struct origins origins = {};

	if (r->table && crowdsec_table_reasons(r->table, r->now, count_origin, &origins))
		e->out->failed = true;
	emit_begin(e, "metrics", '[');
	emit_begin(e, NULL, '{');
	emit_begin(e, "meta", '{');
	emit_whole(e, "window_size_seconds", r->window);
	emit_whole(e, "utc_now_timestamp", r->now);
	emit_end(e, '}');
	emit_begin(e, "items", '[');
	write_decisions(e, &origins);
	write_dropped(e, r, &origins);
	for (int family = 0; family < 2; family++)
		write_traffic(e, "processed", &r->since->processed[family],
			      &(struct labels){ .family = family });
	emit_end(e, ']');
	emit_end(e, '}');
	emit_end(e, ']');
}

void crowdsec_report_write(struct text *out, const struct crowdsec_report *r)
{
	struct emit e = { .out = out };

	emit_begin(&e, NULL, '{');
	emit_begin(&e, "remediation_components", '[');
	emit_begin(&e, NULL, '{');
	emit_text(&e, "type", "moat");
	emit_text(&e, "name", "moat");
	emit_text(&e, "version", MOAT_VERSION);
	emit_begin(&e, "os", '{');
	emit_text(&e, "name", r->os_name);
	emit_text(&e, "version", r->os_version);
	emit_end(&e, '}');
	emit_begin(&e, "feature_flags", '[');
	emit_end(&e, ']');
	emit_whole(&e, "utc_startup_timestamp", r->started);
	emit_whole(&e, "last_pull", r->last_pull);
	write_metrics(&e, r);
	emit_end(&e, '}');
	emit_end(&e, ']');
	emit_end(&e, '}');
}
