/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packets that each category decided, from the counters.
 */
#include "daemon/api_top.h"
#include "daemon/labels.h"
#include "moat/stats.h"

struct category_sum {
	const char *name;
	uint64_t packets, bytes;
	uint64_t by_verdict[MOAT_VERDICT_MAX];
};

static void add_cells(struct category_sum *sums, const struct moat_stats *cells)
{
	for (uint32_t family = MOAT_IPV4; family <= MOAT_IPV6; family++)
		for (uint32_t verdict = 0; verdict < MOAT_VERDICT_MAX; verdict++)
			for (uint32_t reason = 0; reason < MOAT_POLICY_REASONS; reason++)
				for (uint32_t c = 0; c < MOAT_CATEGORIES; c++) {
					const struct moat_stats *cell;

					if (!moat_reason_has_category(reason))
						continue;
					cell = &cells[moat_cell(family, verdict, reason, c)];
					sums[c].packets += cell->packets;
					sums[c].bytes += cell->bytes;
					sums[c].by_verdict[verdict] += cell->packets;
				}
}

/* What feeds in mode monitor list counts for the category that they list. */
static void join_monitored(const struct categories *categories, struct category_sum *sums)
{
	for (size_t c = 0; c < MOAT_CATEGORIES; c++) {
		const char *name = categories->name[c];
		int real = name[0] == CATEGORY_MONITORED
				   ? categories_find(categories, category_shown(name))
				   : -1;

		sums[c].name = real < 0 ? name : NULL;
		if (real < 0)
			continue;
		sums[real].packets += sums[c].packets;
		sums[real].bytes += sums[c].bytes;
		for (size_t v = 0; v < MOAT_VERDICT_MAX; v++)
			sums[real].by_verdict[v] += sums[c].by_verdict[v];
		sums[c] = (struct category_sum){};
	}
}

static int compare(const void *a, const void *b)
{
	const struct category_sum *left = a, *right = b;

	if (left->packets != right->packets)
		return left->packets < right->packets ? 1 : -1;
	return strcmp(left->name ? left->name : "", right->name ? right->name : "");
}

static int read_sums(struct daemon *d, struct category_sum *sums)
{
	_cleanup_free_ struct moat_stats *cells = calloc(MOAT_CELLS, sizeof(*cells));
	struct iface_view view;
	int err;

	if (!cells)
		return -ENOMEM;
	for (size_t i = 0; i < ifaces_count(d->ifaces); i++) {
		ifaces_view(d->ifaces, i, &view);
		if (!view.program)
			continue;
		err = program_stats(view.program, cells);
		if (err)
			return err;
		add_cells(sums, cells);
	}
	join_monitored(sync_categories(d->sync), sums);
	return 0;
}

void top_by_category(struct daemon *d, const struct top_request *rq, struct http_reply *reply)
{
	struct category_sum sums[MOAT_CATEGORIES] = {};
	struct problem why = {};
	struct emit e;
	size_t count = 0;
	int err = read_sums(d, sums);

	if (err) {
		problem_set(&why, err, "the counters cannot be read: %s", strerror(-err));
		http_reply_error(reply, err, &why);
		return;
	}
	qsort(sums, MOAT_CATEGORIES, sizeof(*sums), compare);
	e = http_reply_json(reply);
	emit_begin(&e, NULL, '{');
	emit_text(&e, "by", "category");
	emit_begin(&e, "categories", '[');
	for (size_t i = 0; i < MOAT_CATEGORIES && count < rq->limit; i++) {
		if (!sums[i].name || !sums[i].name[0])
			continue;
		count++;
		emit_begin(&e, NULL, '{');
		emit_text(&e, "category", sums[i].name);
		emit_whole(&e, "hits", (int64_t)sums[i].packets);
		emit_bool(&e, "hits_exact", true);
		emit_whole(&e, "bytes", (int64_t)sums[i].bytes);
		for (uint32_t v = 0; v < MOAT_VERDICT_MAX; v++)
			emit_whole(&e, label_verdict(v), (int64_t)sums[i].by_verdict[v]);
		emit_end(&e, '}');
	}
	emit_end(&e, ']');
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}
