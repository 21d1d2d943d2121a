/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random lists and packets through the loaded program and through the
 * reference model: no difference in verdict, reason, category, counters,
 * bytes or mark.
 *
 * MOAT_PAIRS: how many (list, packet) pairs; MOAT_SEED: which. The seed of a
 * run is printed; a difference is printed with what repeats it.
 */
#include <inttypes.h>

#include "tests/prog/cmocka.h"
#include "tests/prog/install.h"
#include "tests/prog/packet.h"
#include "tests/prog/random.h"

#define PAIRS	    240000
#define PACKETS	    128 /* a list */
#define CHANGES	    32	/* of a list that changes */
#define COMPILED_AT 1000000000ULL

/* NULL: run_changes() */
typedef void (*install_fn)(struct harness *, const struct reference *, uint64_t);

struct run {
	struct harness *h;
	uint64_t seed;
	struct moat_stats expected[MOAT_CELLS];
	struct moat_stats counted[MOAT_CELLS];
	struct random_list list;
	/* packet_build() wants room for any packet, random ones are far shorter. */
	uint8_t frame[PACKET_MAX];
	uint8_t model_frame[RANDOM_FRAME];
	uint8_t leaving[PACKET_MAX];
	uint64_t pairs;
	uint64_t by_reason[MOAT_REASON_MAX];
};

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void print_outcome(const char *who, const struct reference_outcome *o)
{
	print_message("%s: verdict %d reason %d family %d category %d mark %s0x%x\n", who,
		      o->verdict, o->reason, o->family, o->category, o->marked ? "" : "none ",
		      o->mark);
}

/* Says all there is to say about a difference, then fails. */
static void differ(const struct run *run, const char *what, size_t size,
		   const struct reference_outcome *model, const struct harness_seen *seen)
{
	print_message("MOAT_SEED=%" PRIu64 " repeats it: %s differs\n", run->seed, what);
	print_outcome("model", model);
	print_message("program: XDP %u, mark %s0x%x, %zu bytes\n", seen->xdp,
		      seen->marked ? "" : "none ", seen->mark, seen->size);
	print_message("frame, %zu bytes:", size);
	for (size_t i = 0; i < size; i++)
		print_message("%s%02x", i % 2 ? "" : " ", run->frame[i]);
	print_message("\nenforce %d, drop_reasons 0x%" PRIx64 ", paused_until %" PRIu64 "\n",
		      run->list.world.enforce, run->list.world.drop_reasons,
		      run->list.world.paused_until);
	for (size_t i = 0; i < run->list.world.claims; i++) {
		const struct reference_claim *c = &run->list.claim[i];

		if (c->family != model->family)
			continue;
		for (int byte = 0; byte < (c->family == MOAT_IPV4 ? 4 : 16); byte++)
			print_message("%02x", c->addr[byte]);
		print_message("/%u category %u action %d until %" PRIu64 "\n", c->len, c->category,
			      run->list.world.policy[c->category].action, c->expires);
	}
	fail();
}

static void compare(struct run *run, size_t size, const struct reference_outcome *model,
		    const struct harness_seen *seen)
{
	uint32_t cell = moat_cell(model->family, model->verdict, model->reason, model->category);
	struct moat_stats counted = harness_cell(run->h, cell);
	uint32_t xdp = model->verdict == MOAT_VERDICT_DROP ? XDP_DROP : XDP_PASS;

	run->expected[cell].packets++;
	run->expected[cell].bytes += size;
	if (seen->xdp != xdp)
		differ(run, "the verdict", size, model, seen);
	if (counted.packets != run->expected[cell].packets ||
	    counted.bytes != run->expected[cell].bytes)
		differ(run, "the reason", size, model, seen);
	if (seen->size != size || memcmp(seen->frame, run->model_frame, size))
		differ(run, "the frame", size, model, seen);
	if (!harness_mark_is(seen, model->marked, model->mark))
		differ(run, "the mark", size, model, seen);
}

/* Sometimes the host has opened a flow, or a few packets of one, that the packet is an answer to. */
static void leave(struct run *run, uint64_t now)
{
	struct reference *world = &run->list.world;

	for (unsigned int i = run->pairs % 4; i && world->flows < REFERENCE_FLOWS; i--) {
		size_t size = random_leaving(&run->list, run->leaving);

		assert_in_range(size, 14, RANDOM_FRAME);
		if (!harness_leave(run->h, run->leaving, size))
			reference_leave(world, now, run->leaving, size);
	}
}

/* Returns false if the list has been in use for too long to be judged exactly. */
static bool send_one(struct run *run, uint64_t begun)
{
	size_t size = random_packet(&run->list, run->frame);
	struct reference_outcome model;
	struct harness_seen seen;
	uint64_t now = harness_now();

	assert_in_range(size, 14, RANDOM_FRAME);
	if (now - begun > RANDOM_LIFE)
		return false;
	memcpy(run->model_frame, run->frame, size);
	leave(run, now);
	assert_int_equal(harness_send(run->h, run->frame, size, &seen), 0);
	reference_judge(&run->list.world, now, run->model_frame, size, &model);
	if (harness_now() - begun > RANDOM_LIFE) {
		harness_cells(run->h, run->expected);
		return false;
	}
	compare(run, size, &model, &seen);
	run->by_reason[model.reason]++;
	run->pairs++;
	return true;
}

static void send_packets(struct run *run, int packets)
{
	uint64_t begun = harness_now();

	for (int i = 0; i < packets; i++) {
		if (!send_one(run, begun))
			break;
	}
}

/* Every cell, not only those that a packet was expected in. */
static void check_counters(struct run *run)
{
	harness_cells(run->h, run->counted);
	assert_memory_equal(run->counted, run->expected, sizeof(run->counted));
	assert_true(harness_check_sum(run->h));
}

static void run_list(struct run *run, uint64_t seed, install_fn install)
{
	random_list(&run->list, seed, harness_now());
	install(run->h, &run->list.world, COMPILED_AT);
	send_packets(run, PACKETS);
	check_counters(run);
}

/* A list that changes while it is in force. */
static void run_changes(struct run *run, uint64_t seed)
{
	struct chain *chain = chain_new(run->h);

	random_list(&run->list, seed, harness_now());
	random_forget_limits(&run->list);
	for (int i = 0; i < CHANGES; i++) {
		chain_apply(chain, &run->list.world, COMPILED_AT);
		send_packets(run, PACKETS / 4);
		random_change(&run->list, harness_now());
	}
	chain_free(chain);
	check_counters(run);
}

/* A test of random pairs that never reach a branch proves nothing about it. */
static void assert_all_reasons_seen(const struct run *run)
{
	static const uint64_t never = 1ULL << MOAT_TAG_FAILED | 1ULL << MOAT_INTERNAL |
				      1ULL << MOAT_REPLY;

	for (unsigned int r = 0; r < MOAT_REASON_END; r++) {
		bool exists = r < MOAT_POLICY_REASON_END || r >= MOAT_POLICY_REASONS;

		if (exists && !(never >> r & 1) && !run->by_reason[r])
			fail_msg("no pair left with reason %u", r);
	}
}

static void run_road(install_fn install, uint64_t pairs, uint64_t seed)
{
	const struct harness_options options = { .capacity = { 1024, 1024 }, .phases = 65536 };
	_cleanup_free_ struct run *run = calloc(1, sizeof(*run));

	assert_non_null(run);
	assert_int_equal(harness_new(&options, &run->h), 0);
	print_message("MOAT_SEED=%" PRIu64 " MOAT_PAIRS=%" PRIu64 "\n", seed, pairs);
	for (run->seed = seed; run->pairs < pairs; run->seed++) {
		if (install)
			run_list(run, run->seed, install);
		else
			run_changes(run, run->seed);
	}
	if (pairs >= PAIRS / 4)
		assert_all_reasons_seen(run);
	harness_free(run->h);
}

/* The same lists and packets each run, so that a red run is red again; others by hand. */
#define SEED 20261123

static uint64_t seed_of_run(void)
{
	return number_from("MOAT_SEED", SEED);
}

static void no_difference_plain(void **state)
{
	(void)state;
	run_road(install_plain, number_from("MOAT_PAIRS", PAIRS) / 2, seed_of_run());
}

static void no_difference_chain(void **state)
{
	(void)state;
	run_road(install_chain, number_from("MOAT_PAIRS", PAIRS) / 4, seed_of_run());
}

static void no_difference_changes(void **state)
{
	(void)state;
	run_road(NULL, number_from("MOAT_PAIRS", PAIRS) / 4, seed_of_run());
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "random packets get what the model says, filled by hand", no_difference_plain,
		  NULL, NULL, NULL },
		{ "random packets get what the model says, filled by model and image",
		  no_difference_chain, NULL, NULL, NULL },
		{ "so they do while the list changes under model and image", no_difference_changes,
		  NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("differential", tests, NULL, NULL);
}
