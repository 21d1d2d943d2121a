/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/sentence.h"

#include <arpa/inet.h>

#define CLAIMS_MAX 64
#define HOUR	   (3600 * SENTENCE_SECOND)

static const struct harness_options options = {
	.capacity = { 1024, 1024 },
	.phases = 1024,
};

/* Of a frame that fits a page with what the kernel keeps there; longer ones take several buffers. */
#define LINEAR_PAYLOAD 3000

static struct harness *harness;

/* Burst and a half, so that the time a test takes does not matter. */
static const struct reference_policy policies[] = {
	[BOTNET] = { .action = MOAT_ACTION_DROP },
	[BRUTEFORCE] = { .action = MOAT_ACTION_DROP,
			 .protocol = { PACKET_TCP },
			 .protocols = 1,
			 .port = { 22, 3389 },
			 .ports = 2 },
	[TCP_ONLY] = { .action = MOAT_ACTION_DROP, .protocol = { PACKET_TCP }, .protocols = 1 },
	[PINGER] = { .action = MOAT_ACTION_DROP,
		     .protocol = { PACKET_ICMP, PACKET_ICMPV6 },
		     .protocols = 2,
		     .port = { 8, 128 },
		     .ports = 2 },
	[SCRAPER] = { .action = MOAT_ACTION_LIMIT,
		      .period = HOUR,
		      .burst = SCRAPER_BURST * HOUR + HOUR / 2 },
	[QUOTA] = { .action = MOAT_ACTION_LIMIT,
		    .bits = true,
		    .period = 10 * SENTENCE_SECOND,
		    .burst = QUOTA_BYTES * 10 * SENTENCE_SECOND },
	[RESOLVER] = { .action = MOAT_ACTION_LIMIT,
		       .protocol = { PACKET_UDP },
		       .protocols = 1,
		       .port = { 53 },
		       .ports = 1,
		       .period = HOUR,
		       .burst = HOUR + HOUR / 2 },
	[SCANNER] = { .action = MOAT_ACTION_TAG,
		      .marks = true,
		      .mark = 0x10,
		      .has_dscp = true,
		      .dscp = 8 },
	[MARKED] = { .action = MOAT_ACTION_TAG, .marks = true, .mark = 0x20 },
	[COLOURED] = { .action = MOAT_ACTION_TAG, .has_dscp = true, .dscp = 46 },
	[PROXY] = { .action = MOAT_ACTION_DROP, .k_of = 2, .below = PROXY_FEW },
	[PROXY_FEW] = { .action = MOAT_ACTION_MONITOR },
	[TELNET] = { .action = MOAT_ACTION_DROP,
		     .protocol = { PACKET_TCP },
		     .protocols = 1,
		     .port = { 23 },
		     .ports = 1,
		     .k_of = 3,
		     .below = TELNET_FEW },
	[TELNET_FEW] = { .action = MOAT_ACTION_MONITOR,
			 .protocol = { PACKET_TCP },
			 .protocols = 1,
			 .port = { 23 },
			 .ports = 1 },
	[CGNAT] = { .action = MOAT_ACTION_TAG,
		    .shared = true,
		    .marks = true,
		    .mark = 0x40,
		    .has_dscp = true,
		    .dscp = 5 },
	[MOBILE] = { .action = MOAT_ACTION_TAG, .shared = true, .marks = true, .mark = 0x41 },
	[RESEARCH] = { .action = MOAT_ACTION_MONITOR },
	[WATCHED] = { .action = MOAT_ACTION_MONITOR,
		      .protocol = { PACKET_UDP },
		      .protocols = 1,
		      .port = { 53 },
		      .ports = 1 },
};

struct harness *sentence_harness(void)
{
	return harness;
}

struct reference *sentence_world(void)
{
	struct reference *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->claim = calloc(CLAIMS_MAX, sizeof(*world->claim));
	assert_non_null(world->claim);
	for (size_t c = 0; c < ARRAY_SIZE(policies); c++) {
		world->policy[c] = policies[c];
		world->policy[c].rank = c;
	}
	world->enforce = true;
	return world;
}

struct reference *sentence_world_free(struct reference *world)
{
	if (world)
		free(world->claim);
	free(world);
	return NULL;
}

void sentence_add(struct reference *world, const char *source, enum category category,
		  uint64_t expires)
{
	struct reference_claim *c = &world->claim[world->claims];
	char text[64];
	char *slash;
	bool ip6 = strchr(source, ':');

	assert_true(world->claims < CLAIMS_MAX && strlen(source) < sizeof(text));
	memcpy(text, source, strlen(source) + 1);
	slash = strchr(text, '/');
	if (slash)
		*slash = '\0';
	*c = (struct reference_claim){
		.family = ip6 ? MOAT_IPV6 : MOAT_IPV4,
		.len = slash ? strtoul(slash + 1, NULL, 10)
		       : ip6 ? 128
			     : 32,
		.category = category,
		.expires = expires,
	};
	assert_int_equal(inet_pton(ip6 ? AF_INET6 : AF_INET, text, c->addr), 1);
	world->claims++;
}

/* So many seconds from now, in whole seconds of the boot clock. */
static uint64_t in_seconds(uint64_t now, int seconds)
{
	return (now / SENTENCE_SECOND + seconds) * SENTENCE_SECOND;
}

static struct reference *world_of(const struct sentence *row, uint64_t now)
{
	struct reference *world = sentence_world();

	for (int i = 0; i < SENTENCE_CLAIMS && row->claim[i].source; i++) {
		const struct sentence_claim *c = &row->claim[i];

		sentence_add(world, c->source, c->category,
			     c->seconds ? in_seconds(now, c->seconds) : 0);
		world->claim[i].feed = c->feed;
		world->claim[i].trusted = c->trusted;
	}
	world->enforce = !row->observe;
	world->paused_until = row->paused ? in_seconds(now, row->paused) : 0;
	world->drop_reasons = row->drop;
	world->replies = !row->judge;
	return world;
}

static void assert_outcome(const struct reference_outcome *is, enum moat_verdict verdict,
			   enum moat_reason reason, enum category category, const char *who)
{
	if (is->verdict == verdict && is->reason == reason && is->category == category)
		return;
	fail_msg("%s says verdict %d reason %d category %d, not %d %d %d", who, is->verdict,
		 is->reason, is->category, verdict, reason, category);
}

void sentence_expect(struct harness *h, const struct packet *packet, enum moat_verdict verdict,
		     enum moat_reason reason, enum category category)
{
	_cleanup_free_ uint8_t *frame = calloc(1, PACKET_MAX);
	size_t size = packet_build(packet, frame);
	struct reference_outcome counted;
	struct harness_seen seen;
	uint32_t cell;

	harness_grown(h);
	assert_int_equal(harness_send(h, frame, size, &seen), 0);
	cell = harness_grown(h);
	assert_true(cell != HARNESS_NO_CELL);
	harness_cell_meaning(cell, &counted);
	assert_outcome(&counted, verdict, reason, category, "the program");
	assert_int_equal(seen.xdp, verdict == MOAT_VERDICT_DROP ? XDP_DROP : XDP_PASS);
}

/* What left this host before, as long ago as the row says. */
static void leave(const struct sentence *row, struct reference *world, uint64_t now)
{
	_cleanup_free_ uint8_t *frame = calloc(1, PACKET_MAX);

	for (int i = 0; i < SENTENCE_LEFT && row->left[i].source; i++) {
		size_t size = packet_build(&row->left[i], frame);

		assert_int_equal(harness_leave(harness, frame, size), 0);
		reference_leave(world, now, frame, size);
	}
	if (!row->later)
		return;
	harness_age_flows(harness, row->later);
	for (size_t i = 0; i < world->flows; i++)
		world->flow[i].ends -= row->later * SENTENCE_SECOND;
}

/* The row's packet through the program as it is filled, and through the model. */
static void judge(const struct sentence *row, struct reference *world, uint64_t now)
{
	_cleanup_free_ uint8_t *frame = calloc(1, PACKET_MAX), *expected = calloc(1, PACKET_MAX);
	size_t size = packet_build(&row->packet, frame);
	struct reference_outcome counted, model;
	struct harness_seen seen;

	for (unsigned int i = 0; i <= row->before; i++) {
		memcpy(expected, frame, size);
		harness_grown(harness);
		assert_int_equal(harness_send(harness, frame, size, &seen), 0);
		reference_judge(world, now, expected, size, &model);
	}
	harness_cell_meaning(harness_grown(harness), &counted);
	assert_outcome(&model, row->verdict, row->reason, row->category, "the model");
	assert_outcome(&counted, row->verdict, row->reason, row->category, "the program");
	assert_int_equal(counted.family, model.family);
	assert_int_equal(seen.xdp, row->verdict == MOAT_VERDICT_DROP ? XDP_DROP : XDP_PASS);
	assert_int_equal(seen.size, size);
	assert_memory_equal(seen.frame, expected, size);
	assert_true(harness_mark_is(&seen, model.marked, model.mark));
	assert_true(harness_check_sum(harness));
}

static void run_row(void **state)
{
	static void (*const roads[])(struct harness *, const struct reference *, uint64_t) = {
		install_plain,
		install_chain,
	};
	const struct sentence *row = *state;

	if (row->packet.payload > LINEAR_PAYLOAD && !harness_takes_frags(harness))
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(roads); i++) {
		uint64_t now = harness_now();
		_cleanup_(sentence_world_freep) struct reference *world = world_of(row, now);

		roads[i](harness, world, SENTENCE_SECOND);
		leave(row, world, now);
		judge(row, world, now);
	}
}

static int group_setup(void **state)
{
	(void)state;
	return harness_new(&options, &harness);
}

static int group_teardown(void **state)
{
	(void)state;
	harness = harness_free(harness);
	return 0;
}

int sentence_run(const char *group, const struct sentence *rows, size_t count,
		 const struct CMUnitTest *more, size_t mores)
{
	_cleanup_free_ struct CMUnitTest *tests = calloc(count + mores, sizeof(*tests));

	if (!tests)
		return 1;
	for (size_t i = 0; i < count; i++) {
		tests[i] = (struct CMUnitTest){
			.name = rows[i].says,
			.test_func = run_row,
			.initial_state = (void *)&rows[i],
		};
	}
	for (size_t i = 0; i < mores; i++)
		tests[count + i] = more[i];
	return _cmocka_run_group_tests(group, tests, count + mores, group_setup, group_teardown);
}
