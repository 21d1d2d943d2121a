/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeder_mmdb.h"

#include <maxminddb.h>
#include <strings.h>

#include "core/feed_target.h"

#define MARK	   "\xab\xcd\xefMaxMind.com"
#define MARK_RANGE (128 << 10) /* the end of a file that it is looked for in */
#define BITS_MAX   128
#define V4_DEPTH   96	     /* of ::/96, under which IPv4 lies in a tree of IPv6 */
#define CACHE_SIZE (1 << 16) /* records whose AS is known */

/* A part of the tree that is still to be walked. */
struct branch {
	uint32_t node;
	unsigned int depth;
	range_address first;
};

struct walk {
	MMDB_s *db;
	struct feed_asn *asn;
	struct problem *why;
	uint32_t v4_root;  /* of a tree of IPv6; 0: there is none */
	unsigned int bits; /* of an address */
	uint64_t visited, found;
	struct branch branch[BITS_MAX + 1];
	size_t branches;
	struct {
		uint64_t record;
		uint32_t asn;
	} * cache; /* owned */
};

bool mmdb_recognise(int fd, off_t size)
{
	off_t range = size < MARK_RANGE ? size : MARK_RANGE;
	_cleanup_free_ char *end = malloc(MARK_RANGE);
	ssize_t n = end ? pread(fd, end, (size_t)range, size - range) : -1;

	return n > 0 && memmem(end, (size_t)n, MARK, sizeof(MARK) - 1);
}

static int broken(const struct walk *w, const char *what)
{
	return problem_set(w->why, -EBADMSG, "the database is damaged: %s", what);
}

/* ---- records ---- */

/* "AS64496", "64496" */
static uint32_t number_of_text(const char *text, size_t size)
{
	bool letters = size > 2 && !strncasecmp(text, "AS", 2);
	uint64_t number;

	if (!feed_number(text + (letters ? 2 : 0), size - (letters ? 2 : 0), UINT32_MAX, &number))
		return 0;
	return (uint32_t)number;
}

static uint32_t number_of(const MMDB_entry_data_s *data)
{
	switch (data->type) {
	case MMDB_DATA_TYPE_UINT16:
		return data->uint16;
	case MMDB_DATA_TYPE_UINT32:
		return data->uint32;
	case MMDB_DATA_TYPE_UINT64:
		return data->uint64 <= UINT32_MAX ? (uint32_t)data->uint64 : 0;
	case MMDB_DATA_TYPE_UTF8_STRING:
		return number_of_text(data->utf8_string, data->data_size);
	default:
		return 0;
	}
}

/* 0, also if the record names no AS. */
static int read_record(const struct walk *w, MMDB_entry_s *entry, uint32_t *ret)
{
	static const char *const names[] = { "autonomous_system_number", "asn" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *const path[] = { names[i], NULL };
		MMDB_entry_data_s data = {};
		int r = MMDB_aget_value(entry, &data, path);

		if (r == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR || (!r && !data.has_data))
			continue;
		if (r)
			return broken(w, MMDB_strerror(r));
		*ret = number_of(&data);
		return 0;
	}
	*ret = 0;
	return 0;
}

/* Thousands of networks share a record. */
static int number_of_record(struct walk *w, uint64_t record, MMDB_entry_s *entry, uint32_t *ret)
{
	size_t slot = record % CACHE_SIZE;
	int r = 0;

	if (w->cache[slot].record != record) {
		r = read_record(w, entry, &w->cache[slot].asn);
		w->cache[slot].record = r ? 0 : record;
	}
	*ret = w->cache[slot].asn;
	return r;
}

/* ---- the tree ---- */

static int add_network(struct walk *w, const struct branch *at, uint32_t asn)
{
	unsigned int below = w->bits - at->depth;
	range_address size = below < 128 ? ((range_address)1 << below) - 1 : ~(range_address)0;
	struct range range = { .first = at->first, .last = at->first | size };
	bool v4 = w->bits == 32 || (at->depth >= V4_DEPTH && !(at->first >> 32));
	int r;

	range.family = v4 ? MOAT_IPV4 : MOAT_IPV6;
	w->found++;
	r = feed_asn_add(w->asn, &range, asn);
	if (r == -EFBIG)
		return problem_set(w->why, r, "more than %u networks", ASN_ENTRIES_MAX);
	return r < 0 ? problem_set(w->why, r, "%s", strerror(-r)) : 0;
}

/* One side of a node: another node, nothing, or a record. */
static int take_side(struct walk *w, const struct branch *at, uint8_t type, uint64_t record,
		     MMDB_entry_s *entry)
{
	uint32_t asn;
	int r;

	switch (type) {
	case MMDB_RECORD_TYPE_EMPTY:
		return 0;
	case MMDB_RECORD_TYPE_SEARCH_NODE:
		/* 2002::/16 and others point to where IPv4 lies: the same networks once more. */
		if (record == w->v4_root && w->v4_root && (at->first || at->depth != V4_DEPTH))
			return 0;
		if (at->depth >= w->bits)
			return broken(w, "its tree is deeper than an address is long");
		w->branch[w->branches] = *at;
		w->branch[w->branches++].node = (uint32_t)record;
		return 0;
	case MMDB_RECORD_TYPE_DATA:
		r = number_of_record(w, record, entry, &asn);
		return r || !asn ? r : add_network(w, at, asn);
	default:
		return broken(w, "a node of its tree points nowhere");
	}
}

static int walk_node(struct walk *w, const struct branch *at)
{
	struct branch side = { .depth = at->depth + 1, .first = at->first };
	MMDB_search_node_s node;
	int r;

	if (++w->visited > w->db->metadata.node_count)
		return broken(w, "its tree has a loop");
	r = MMDB_read_node(w->db, at->node, &node);
	if (r)
		return broken(w, MMDB_strerror(r));
	r = take_side(w, &side, node.left_record_type, node.left_record, &node.left_record_entry);
	if (r)
		return r;
	side.first |= (range_address)1 << (w->bits - side.depth);
	return take_side(w, &side, node.right_record_type, node.right_record,
			 &node.right_record_entry);
}

/* Where 96 zeros lead. */
static int find_v4_root(struct walk *w)
{
	MMDB_search_node_s node;
	uint64_t at = 0;

	if (w->bits == 32)
		return 0;
	for (int i = 0; i < V4_DEPTH; i++) {
		int r = MMDB_read_node(w->db, (uint32_t)at, &node);

		if (r)
			return broken(w, MMDB_strerror(r));
		if (node.left_record_type != MMDB_RECORD_TYPE_SEARCH_NODE)
			return 0;
		at = node.left_record;
	}
	w->v4_root = (uint32_t)at;
	return 0;
}

static int walk(struct walk *w)
{
	int r = find_v4_root(w);

	w->branch[w->branches++] = (struct branch){};
	while (w->branches && !r) {
		struct branch at = w->branch[--w->branches];

		r = walk_node(w, &at);
	}
	if (!r && !w->found)
		r = problem_set(w->why, -ENODATA,
				"it is a database of type '%.40s' without AS numbers: one such as "
				"GeoLite2-ASN is wanted",
				w->db->metadata.database_type ?: "");
	return r;
}

int mmdb_read(int fd, struct feed_asn *asn, struct problem *why)
{
	MMDB_s db = {};
	struct walk w = { .db = &db, .asn = asn, .why = why };
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = MMDB_open(path, MMDB_MODE_MMAP, &db);
	if (r)
		return problem_set(why, -EBADMSG, "the database cannot be read: %s",
				   MMDB_strerror(r));
	w.bits = db.metadata.ip_version == 4 ? 32 : 128;
	w.cache = calloc(CACHE_SIZE, sizeof(*w.cache));
	r = w.cache ? walk(&w) : problem_set(why, -ENOMEM, "out of memory");
	free(w.cache);
	MMDB_close(&db);
	return r;
}
