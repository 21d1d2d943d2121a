/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_daemon.h"

#include "daemon/samples.h"

struct fake_daemon fake;

static struct config_category config_categories[3];
static struct moat_ports ports;
static char region[1][REGION_WORD] = { "de" };

const double sync_latency_bound[SYNC_LATENCY_BUCKETS] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
							  0.1,	 0.25,	 0.5,	1,    5,     30 };

static void set_category(size_t index, int id, const char *name, enum moat_action action)
{
	snprintf(config_categories[index].name, sizeof(config_categories[index].name), "%s", name);
	config_categories[index].policy.action = action;
	snprintf(fake.categories.name[id], sizeof(fake.categories.name[id]), "%s", name);
}

static void set_scope(struct config_category *category)
{
	category->policy.flags = MOAT_POLICY_PROTOCOLS | MOAT_POLICY_PORTS;
	category->policy.protocols[0] = 1ULL << 6;
	ports.set[22 / 64] |= 1ULL << 22 % 64;
	for (unsigned int port = 3389; port <= 3400; port++)
		ports.set[port / 64] |= 1ULL << port % 64;
	category->ports = &ports;
}

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(config_categories, 0, sizeof(config_categories));
	snprintf(fake.categories.name[MOAT_CATEGORY_ALLOW], MOAT_CATEGORY_NAME, "allow");
	set_category(0, FAKE_BOTNET, "botnet", MOAT_ACTION_DROP);
	set_category(1, FAKE_BRUTEFORCE, "bruteforce", MOAT_ACTION_DROP);
	set_category(2, FAKE_RESEARCH, "research", MOAT_ACTION_MONITOR);
	set_scope(&config_categories[1]);
	prefix_parse("203.0.113.0/24", &fake.never_block[0]);
	fake.gate = (struct gate){
		.categories = &fake.categories,
		.never_block = fake.never_block,
		.never_blocks = 1,
		.min_prefix = { 8, 19 },
		.only_routable = true,
		.region = region,
		.regions = ARRAY_SIZE(region),
	};
	fake.config.limits.wide[MOAT_IPV4] = 12;
	fake.config.limits.wide[MOAT_IPV6] = 28;
	fake.config.category = config_categories;
	fake.config.categories = ARRAY_SIZE(config_categories);
	fake.config.http = (struct config_http){
		.connections = CONFIG_HTTP_CONNECTIONS,
		.per_address = CONFIG_HTTP_PER_ADDRESS,
	};
	fake.config.database = (char *)"sqlite:///tmp/moat.db";
	fake.numbers.started = fake.numbers.current = true;
	fake.numbers.coverage = 1;
	fake.interfaces = 1;
	fake.view[0] = (struct iface_view){
		.name = "eth0",
		.attachment = { .mode = ATTACH_NATIVE, .ifindex = 7 },
		.enforce = true,
	};
	fake.daemon = (struct daemon){
		.config = &fake.config,
		.started = 1763895600,
		.selftest_ok = true,
	};
}

void fake_reset_state(void)
{
	struct store *store = fake.store;
	const struct daemon was = fake.daemon;
	char *listen = fake.config.listen, *path = fake.config.socket;

	fake_reset();
	fake.store = store;
	fake.daemon.loop = was.loop;
	fake.daemon.http = was.http;
	fake.daemon.streams = was.streams;
	fake.config.listen = listen;
	fake.config.socket = path;
}

/* ---- sync ---- */

static int count_row(void *arg, const struct listing *listing)
{
	(void)listing;
	++*(int64_t *)arg;
	return 0;
}

ssize_t sync_follow(struct sync *s, struct problem *why)
{
	int64_t rows = 0, seq;

	(void)s;
	fake.follows++;
	if (fake.store)
		store_snapshot(fake.store, count_row, &rows, &seq, NULL);
	fake.rows_at_follow = rows;
	if (fake.follow_error)
		return problem_set(why, fake.follow_error, "the maps do not answer");
	return 1;
}

int sync_hold(struct sync *s, const char *feed, bool hold, struct problem *why)
{
	(void)s;
	if (fake.hold_error)
		return problem_set(why, fake.hold_error, "the maps do not answer");
	if (!strcmp(fake.held, feed) == hold)
		return 0;
	fake.holds++;
	snprintf(fake.held, sizeof(fake.held), "%s", hold ? feed : "");
	return 0;
}

int samples_estimate(const struct samples *s, struct radius *r, struct radius_estimate *ret)
{
	(void)s;
	return radius_estimate(r, fake.window, fake.window_now, ret);
}

const struct window *samples_passed(const struct samples *s)
{
	(void)s;
	return fake.window;
}

const struct window *samples_dropped(const struct samples *s)
{
	(void)s;
	return NULL;
}

int64_t samples_now(void)
{
	return fake.window_now;
}

void sync_each_claim(const struct sync *s, const struct prefix *address, whatif_claim_fn fn,
		     void *arg)
{
	(void)s;
	(void)address;
	(void)fn;
	(void)arg;
}

void samples_numbers(const struct samples *s, struct samples_numbers *ret)
{
	(void)s;
	*ret = (struct samples_numbers){};
}

struct store *sync_store(struct sync *s)
{
	(void)s;
	return fake.store;
}

const struct categories *sync_categories(const struct sync *s)
{
	(void)s;
	return &fake.categories;
}

const struct gate *sync_gate(const struct sync *s)
{
	(void)s;
	return &fake.gate;
}

void sync_numbers(const struct sync *s, struct sync_numbers *ret)
{
	(void)s;
	*ret = fake.numbers;
}

void sync_each_count(const struct sync *s,
		     void (*fn)(void *arg, const char *feed, const char *category,
				const char *state, size_t count),
		     void *arg)
{
	(void)s;
	if (!fake.has_counts)
		return;
	fn(arg, "manual", "botnet", "live", 2);
	fn(arg, "manual", "botnet", "refused", 1);
}

bool sync_judge(const struct sync *s, const struct prefix *address, struct prefix *ret_key,
		struct plan *ret_plan)
{
	(void)s;
	if (ret_key)
		*ret_key = *address;
	if (ret_plan)
		*ret_plan = fake.plan;
	return fake.judged;
}

uint8_t sync_shared(const struct sync *s, uint64_t set)
{
	(void)s;
	(void)set;
	return 0;
}

uint64_t sync_sharing(const struct sync *s, const struct prefix *address)
{
	(void)s;
	(void)address;
	return 0;
}

void sync_each_quorum(const struct sync *s, const struct prefix *address,
		      void (*fn)(void *arg, const struct sync_quorum *quorum), void *arg)
{
	(void)s;
	(void)address;
	(void)fn;
	(void)arg;
}

void sync_each_owner(const struct sync *s, const struct prefix *source,
		     void (*fn)(void *arg, uint16_t feed, const char *name), void *arg)
{
	(void)s;
	fn(arg, 7, "first");
	fn(arg, 7, "first");
	if (source->family == MOAT_IPV6)
		fn(arg, 9, "six");
}

enum gate_cause sync_refused(const struct sync *s, const struct prefix *source)
{
	(void)s;
	return fake.full.len && prefix_compare(&fake.full, source) == 0 ? GATE_MAP_FULL
									: GATE_PASSED;
}

/* ---- ifaces, program, tables ---- */

size_t ifaces_count(const struct ifaces *i)
{
	(void)i;
	return fake.interfaces;
}

void ifaces_view(struct ifaces *i, size_t index, struct iface_view *ret)
{
	(void)i;
	*ret = fake.view[index];
	ret->program = fake.stats && index == 0 ? (struct program *)fake.stats : NULL;
}

ssize_t ifaces_find(const struct ifaces *i, const char *name)
{
	(void)i;
	for (size_t n = 0; n < fake.interfaces; n++)
		if (strcmp(fake.view[n].name, name) == 0)
			return (ssize_t)n;
	return -ENOENT;
}

int ifaces_attach(struct ifaces *i, const char *name, struct problem *why)
{
	ssize_t index = ifaces_find(i, name);

	if (fake.attach_error)
		return problem_set(why, fake.attach_error,
				   "interface '%s': XDP program 42 'other' is there", name);
	fake.view[index].attachment.mode = ATTACH_NATIVE;
	fake.view[index].by_hand = false;
	return 0;
}

int ifaces_detach(struct ifaces *i, const char *name, struct problem *why)
{
	ssize_t index = ifaces_find(i, name);

	(void)why;
	fake.view[index].attachment.mode = ATTACH_NONE;
	fake.view[index].by_hand = true;
	return 0;
}

size_t program_lacks(void (*fn)(void *arg, const char *what, const char *without), void *arg)
{
	if (fake.kernel_lacks)
		fn(arg, fake.kernel_lacks, "done without");
	return fake.kernel_lacks ? 1 : 0;
}

int program_stats(const struct program *p, struct moat_stats *ret)
{
	(void)p;
	memcpy(ret, fake.stats, MOAT_CELLS * sizeof(*ret));
	return 0;
}

int tables_get_name(const struct tables *t, uint8_t category, char ret[static MOAT_CATEGORY_NAME])
{
	(void)t;
	(void)category;
	ret[0] = '\0';
	return 0;
}

uint32_t tables_flows(const struct tables *t)
{
	(void)t;
	return fake.flows;
}

void tables_sieve_state(const struct tables *t, struct tables_sieve_state *ret)
{
	(void)t;
	*ret = fake.sieve;
}

uint32_t tables_hits(const struct tables *t)
{
	(void)t;
	return fake.hits;
}

int tables_each_hit(const struct tables *t, tables_hit_fn fn, void *arg)
{
	int r = 0;

	(void)t;
	for (size_t i = 0; i < fake.seen && !r; i++)
		r = fn(arg, &fake.hit[i].source, &fake.hit[i].hit);
	return r;
}

uint32_t tables_phases(const struct tables *t)
{
	(void)t;
	return ARRAY_SIZE(fake.phase);
}

const struct moat_phase *tables_phase_array(const struct tables *t)
{
	(void)t;
	return fake.phase;
}

/* ---- daemon ---- */

int daemon_pause(struct daemon *d, const struct actor *actor, int64_t seconds, struct problem *why)
{
	(void)d;
	(void)actor;
	(void)why;
	fake.paused = seconds ? seconds : -1;
	return 0;
}

int daemon_resume(struct daemon *d, const struct actor *actor, struct problem *why)
{
	(void)d;
	(void)actor;
	(void)why;
	fake.paused = 0;
	return 0;
}

int64_t daemon_paused(const struct daemon *d)
{
	(void)d;
	return fake.paused;
}

size_t daemon_degraded(struct daemon *d,
		       void (*fn)(void *arg, const char *what, const char *why,
				  const char *what_to_do),
		       void *arg)
{
	(void)d;
	for (size_t i = 0; i < fake.degraded; i++)
		if (fn)
			fn(arg, fake.degraded_what[i], "it broke", "mend it");
	return fake.degraded;
}

int daemon_explain(struct daemon *d, const struct explain_query *query, store_listing_fn fn,
		   void *arg, struct explanation *ret, struct problem *why)
{
	char text[PREFIX_TEXT_MAX];
	const char *source = text;

	(void)d;
	fake.asked = *query;
	*ret = fake.explanation;
	prefix_format(&query->address, text);
	return fn ? store_by_sources(fake.store, &source, 1, fn, arg, why) : 0;
}
