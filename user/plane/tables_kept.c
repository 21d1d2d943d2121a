/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources that were read to fill the sieve, for the next tables_each(): at a
 * restart the kernel's maps are needed twice, and reading them costs more than
 * all that is done with them. In the order of prefixes, which both want.
 */
#include "core/prefix_sort.h"
#include "plane/tables_map.h"

#define KEPT_FIRST 1024

void tables_forget(struct tables *t, uint8_t family)
{
	struct kept *kept = &t->kept[family];

	free(kept->entry);
	*kept = (struct kept){};
}

static int keep(void *arg, const struct prefix *source, const struct moat_source *value)
{
	struct kept *kept = arg;

	if (kept->count == kept->room) {
		size_t room = kept->room ? kept->room * 2 : KEPT_FIRST;
		struct kept_entry *grown = reallocarray(kept->entry, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		kept->entry = grown;
		kept->room = room;
	}
	kept->entry[kept->count++] = (struct kept_entry){
		.source = *source,
		.class = value->class,
		.expires = value->expires,
		.next = value->next,
	};
	return 0;
}

int tables_keep(struct tables *t, uint8_t family)
{
	struct kept *kept = &t->kept[family];
	int r;

	tables_forget(t, family);
	r = tables_read(t, family, keep, kept);
	if (r) {
		tables_forget(t, family);
		return r;
	}
	prefix_sort(kept->entry, kept->count, sizeof(*kept->entry));
	return 0;
}

static int tell_kept(const struct kept *kept, tables_each_fn fn, void *arg)
{
	int r = 0;

	for (size_t i = 0; i < kept->count && !r; i++) {
		const struct kept_entry *entry = &kept->entry[i];
		struct moat_source value = {
			.class = entry->class,
			.expires = entry->expires,
			.next = entry->next,
		};

		r = fn(arg, &entry->source, &value);
	}
	return r;
}

int tables_each(struct tables *t, uint8_t family, tables_each_fn fn, void *arg)
{
	int r;

	if (!t->kept[family].entry)
		return tables_read(t, family, fn, arg);
	r = tell_kept(&t->kept[family], fn, arg);
	tables_forget(t, family);
	return r;
}
