/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/counters.h"

#include "core/log.h"

struct counter counter_of(size_t cell)
{
	struct counter counter = {};
	size_t row;

	if (cell < MOAT_PLAIN_CELLS) {
		counter.reason = (uint32_t)(cell % MOAT_REASON_MAX);
		row = cell / MOAT_REASON_MAX;
	} else {
		cell -= MOAT_PLAIN_CELLS;
		counter.category = (uint32_t)(cell % MOAT_CATEGORIES);
		counter.reason = (uint32_t)(cell / MOAT_CATEGORIES % MOAT_POLICY_REASONS);
		counter.has_category = true;
		row = cell / MOAT_CATEGORIES / MOAT_POLICY_REASONS;
	}
	counter.verdict = (uint32_t)(row % MOAT_VERDICT_MAX);
	counter.family = (uint32_t)(row / MOAT_VERDICT_MAX);
	return counter;
}

void counters_categories(const struct daemon *d, struct categories *ret)
{
	*ret = *sync_categories(d->sync);
	for (uint8_t c = 0; c < MOAT_CATEGORIES; c++) {
		if (!ret->name[c][0] && tables_get_name(d->tables, c, ret->name[c]))
			ret->name[c][0] = '\0';
		if (!ret->name[c][0])
			snprintf(ret->name[c], sizeof(ret->name[c]), "%u", c);
	}
}

const char *counter_category(const struct categories *categories, const struct counter *counter)
{
	return counter->has_category ? category_shown(categories->name[counter->category]) : "";
}

struct moat_stats *counters_read(const struct iface_view *view)
{
	_cleanup_free_ struct moat_stats *cells = NULL;

	if (!view->program)
		return NULL;
	cells = calloc(MOAT_CELLS, sizeof(*cells));
	if (cells && program_stats(view->program, cells)) {
		log_warning("interface '%s': its counters cannot be read", view->name);
		return NULL;
	}
	return take_ptr(cells);
}

void counters_join_monitored(const struct categories *categories, struct moat_stats *cells)
{
	for (size_t c = 0; cells && c < MOAT_CATEGORIES; c++) {
		int real =
			categories->name[c][0] == CATEGORY_MONITORED
				? categories_find(categories, category_shown(categories->name[c]))
				: -1;

		for (size_t i = MOAT_PLAIN_CELLS; real >= 0 && i < MOAT_CELLS;
		     i += MOAT_CATEGORIES) {
			cells[i + (size_t)real].packets += cells[i + c].packets;
			cells[i + (size_t)real].bytes += cells[i + c].bytes;
			cells[i + c] = (struct moat_stats){};
		}
	}
}
