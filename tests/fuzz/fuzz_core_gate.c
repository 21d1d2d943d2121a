// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any texts as a row that an SQL client left: a claim that keeps every promise
 * of the gate, or a cause. The fields are lines of the input; an empty one is
 * SQL's null.
 */
#include "core/gate.h"

#define FIELDS 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

/* Whether two prefixes have an address in common. */
static bool overlap(const struct prefix *a, const struct prefix *b)
{
	struct prefix x = *a, y = *b;
	uint8_t len = a->len < b->len ? a->len : b->len;

	if (a->family != b->family)
		return false;
	x.len = y.len = len;
	prefix_mask(&x);
	prefix_mask(&y);
	return !prefix_compare(&x, &y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct categories categories = { .name = { "allow", "botnet", "scanner" } };
	struct prefix never_block[2];
	struct gate gate = { .categories = &categories, .min_prefix = { 8, 19 } };
	char *text = strndup((const char *)data, size), *at = text, *field[FIELDS] = {};
	struct claim claim = {};
	struct row row;
	enum gate_cause cause;

	must(text && !prefix_parse("203.0.113.0/24", &never_block[0]) &&
	     !prefix_parse("2001:db8::/32", &never_block[1]));
	gate.never_block = never_block;
	gate.never_blocks = gate_sort_never_block(never_block, 2);
	gate.never_sorted = true;
	for (size_t i = 0; i < FIELDS && at; i++) {
		field[i] = strsep(&at, "\n");
		if (!*field[i])
			field[i] = NULL;
	}
	row = (struct row){ .source = field[0],
			    .category = field[1],
			    .feed = field[2],
			    .expires_at = field[3],
			    .confidence = field[4] };
	cause = gate_check(&gate, &row, &claim);
	must(cause < GATE_CAUSE_MAX);
	if (cause == GATE_PASSED) {
		struct prefix masked = claim.source;
		bool allow = !strcmp(row.category, "allow");

		prefix_mask(&masked);
		must(!prefix_compare(&masked, &claim.source) && claim.source.len);
		must(allow || claim.source.len >= gate.min_prefix[claim.source.family]);
		for (size_t i = 0; i < gate.never_blocks && !allow; i++)
			must(!(overlap(&claim.source, &never_block[i]) &&
			       claim.source.len >= never_block[i].len));
		must(gate_name_ok(row.feed, 64));
	} else {
		must(*gate_cause_label(cause) && *gate_cause_text(cause));
	}
	free(text);
	return 0;
}
