/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real captures, packet by packet, through the loaded program and through the
 * reference model: floods, odd encapsulations, broken headers.
 *
 * The list of each capture is every other source address in it, with the
 * actions in turn. The captures are no part of the project: without
 * $MOAT_SHARED/pcap (../shared/pcap beside the tree) the tests are skipped,
 * and say so. Each capture must have the packets that README.md there says.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "tests/prog/capture.h"
#include "tests/prog/cmocka.h"
#include "tests/prog/install.h"
#include "tests/prog/packet.h"
#include "tests/prog/sentence.h"

#define SOURCES	    65536 /* of one capture */
#define SHORTEST    14	  /* frame the kernel takes; no driver hands in less */
#define FILES_LEAST 100	  /* in a complete folder */

struct totals {
	unsigned int files;
	uint64_t packets;
	uint64_t short_frames;
	uint64_t cut_frames;
	uint64_t unjudged;
	uint64_t decided;
};

struct replay {
	struct harness *h;
	const char *path;
	struct reference *world;
	size_t sources; /* seen, listed or not */
	struct moat_stats expected[MOAT_CELLS];
	struct totals totals;
};

static const char *shared_folder(void)
{
	static char path[512];
	const char *shared = getenv("MOAT_SHARED");

	snprintf(path, sizeof(path), "%s/pcap", shared ?: "../shared");
	return path;
}

/*
 * Packets of a capture by the table in README.md: a heading "## FOLDER/", then
 * rows "| NAME | bytes | link type | packets |". Returns -1 if it has no row.
 */
static long packets_by_readme(const char *folder, const char *name)
{
	char path[1024], line[1024];
	_cleanup_fclose_ FILE *readme = NULL;
	size_t length = strlen(name);
	bool here = false;
	long packets;

	snprintf(path, sizeof(path), "%s/README.md", shared_folder());
	readme = fopen(path, "re");
	while (readme && fgets(line, sizeof(line), readme)) {
		if (!strncmp(line, "## ", 3))
			here = !strncmp(line + 3, folder, strlen(folder));
		if (!here || strncmp(line, "| ", 2) || strncmp(line + 2, name, length))
			continue;
		if (sscanf(line + 2 + length, " | %*d | %*d | %ld |", &packets) == 1)
			return packets;
	}
	return -1;
}

/* ---- the list ---- */

static uint32_t hash(uint8_t family, const uint8_t addr[16])
{
	uint32_t h = 2166136261U ^ family;

	for (int i = 0; i < 16; i++)
		h = (h ^ addr[i]) * 16777619U;
	return h % SOURCES;
}

/* Lists the first, third, fifth ... source of the capture. */
static void list_sources(struct replay *r, const struct capture *c)
{
	static const enum category in_turn[] = { BOTNET,   SCANNER, TCP_ONLY, BRUTEFORCE, SCRAPER,
						 RESEARCH, ALLOW,   PINGER,   COLOURED };
	_cleanup_free_ struct reference_claim *seen = calloc(SOURCES, sizeof(*seen));

	assert_non_null(seen);
	r->world->claims = 0;
	r->sources = 0;
	for (size_t i = 0; i < c->frames; i++) {
		struct reference_claim claim = { 0 };
		uint32_t at;

		if (!reference_source(c->frame[i].bytes, c->frame[i].size, &claim.family,
				      claim.addr))
			continue;
		claim.len = claim.family == MOAT_IPV4 ? 32 : 128;
		at = hash(claim.family, claim.addr);
		while (seen[at].len &&
		       (seen[at].family != claim.family || memcmp(seen[at].addr, claim.addr, 16)))
			at = (at + 1) % SOURCES;
		if (seen[at].len)
			continue;
		seen[at] = claim;
		assert_true(r->sources < SOURCES - 1);
		claim.category = in_turn[r->world->claims % ARRAY_SIZE(in_turn)];
		if (r->sources++ % 2 == 0)
			r->world->claim[r->world->claims++] = claim;
	}
}

/* ---- the packets ---- */

static void fail_frame(const struct replay *r, size_t number, const char *what)
{
	fail_msg("%s: packet %zu: %s differs", r->path, number + 1, what);
}

static void replay_frame(struct replay *r, size_t number, const uint8_t *bytes, size_t size)
{
	static uint8_t expected[PACKET_MAX];
	struct reference_outcome model;
	struct moat_stats counted;
	struct harness_seen seen;
	uint32_t cell;

	memcpy(expected, bytes, size);
	reference_judge(r->world, harness_now(), expected, size, &model);
	assert_int_equal(harness_send(r->h, bytes, size, &seen), 0);
	cell = moat_cell(model.family, model.verdict, model.reason, model.category);
	r->expected[cell].packets++;
	r->expected[cell].bytes += size;

	counted = harness_cell(r->h, cell);
	if (counted.packets != r->expected[cell].packets ||
	    counted.bytes != r->expected[cell].bytes)
		fail_frame(r, number, "the reason");
	if (seen.xdp != (model.verdict == MOAT_VERDICT_DROP ? XDP_DROP : XDP_PASS))
		fail_frame(r, number, "the verdict");
	if (seen.size != size || memcmp(seen.frame, expected, size))
		fail_frame(r, number, "the frame");
	if (!harness_mark_is(&seen, model.marked, model.mark))
		fail_frame(r, number, "the mark");
	if (moat_reason_has_category(model.reason))
		r->totals.decided++;
	else if (model.reason >= MOAT_TRUNCATED)
		r->totals.unjudged++;
}

static void replay_capture(struct replay *r, const struct capture *c)
{
	for (size_t i = 0; i < c->frames; i++) {
		size_t size = c->frame[i].size;

		r->totals.packets++;
		if (size < SHORTEST) {
			r->totals.short_frames++;
			continue;
		}
		if (size > PACKET_MAX) {
			r->totals.cut_frames++;
			size = PACKET_MAX;
		}
		replay_frame(r, i, c->frame[i].bytes, size);
	}
}

static void replay_file(struct replay *r, const char *folder, const char *path, const char *name)
{
	struct capture *c = capture_read(path);
	struct moat_stats *counted = calloc(MOAT_CELLS, sizeof(*counted));
	long packets = packets_by_readme(folder, name);

	assert_non_null(counted);
	r->path = path;
	r->totals.files++;
	if (packets < 0 || (size_t)packets != c->frames)
		fail_msg("%s: %zu packets read, README.md says %ld", path, c->frames, packets);
	list_sources(r, c);
	install_chain(r->h, r->world, SENTENCE_SECOND);
	replay_capture(r, c);
	harness_cells(r->h, counted);
	assert_memory_equal(counted, r->expected, sizeof(r->expected));
	assert_true(harness_check_sum(r->h));
	free(counted);
	capture_free(c);
}

static void replay_folder(struct replay *r, const char *name)
{
	char path[1024], file[2048];
	const struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", shared_folder(), name);
	dir = opendir(path);
	if (!dir)
		fail_msg("%s: %s", path, strerror(errno));
	while ((entry = readdir(dir))) {
		if (!strstr(entry->d_name, ".pcap"))
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		replay_file(r, name, file, entry->d_name);
	}
	closedir(dir);
}

static struct reference *replay_world(void)
{
	struct reference *world = sentence_world();

	free(world->claim);
	world->claim = calloc(SOURCES, sizeof(*world->claim));
	assert_non_null(world->claim);
	return world;
}

static void no_difference(void **state)
{
	static const char *const folders[] = { "stopddos", "zeek", "suricata-verify", "tcpdump" };
	const struct harness_options options = { .capacity = { SOURCES, SOURCES }, .phases = 1024 };
	_cleanup_free_ struct replay *r = NULL;
	struct stat st;

	(void)state;
	if (stat(shared_folder(), &st)) {
		print_message(
			"SKIPPED: no captures in %s; set MOAT_SHARED to the folder that holds pcap/\n",
			shared_folder());
		skip();
	}
	r = calloc(1, sizeof(*r));
	assert_non_null(r);
	r->world = replay_world();
	assert_int_equal(harness_new(&options, &r->h), 0);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		replay_folder(r, folders[i]);
	harness_free(r->h);
	sentence_world_free(r->world);

	print_message("%u captures, %llu packets: %llu decided by a policy, %llu broken; "
		      "%llu of less than %d bytes not sent, %llu sent cut to %d bytes\n",
		      r->totals.files, (unsigned long long)r->totals.packets,
		      (unsigned long long)r->totals.decided, (unsigned long long)r->totals.unjudged,
		      (unsigned long long)r->totals.short_frames, SHORTEST,
		      (unsigned long long)r->totals.cut_frames, PACKET_MAX);
	assert_true(r->totals.files >= FILES_LEAST);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "every packet of every capture gets what the model says", no_difference, NULL,
		  NULL, NULL },
	};

	return cmocka_run_group_tests_name("captures", tests, NULL, NULL);
}
