/* SPDX-License-Identifier: BSD-2-Clause */
/* What the configuration says of how rows become listings; feed_apply.h has the struct. */
#include "daemon/feed_apply.h"

int feed_rules_copy(const struct config_feed *feed, struct feed_rules *ret)
{
	_cleanup_free_ struct config_mapping *mapping =
		calloc(feed->mappings + 1, sizeof(*mapping));
	_cleanup_free_ char *basis = feed->basis ? strdup(feed->basis) : NULL;
	_cleanup_free_ char *region = feed->region ? strdup(feed->region) : NULL;

	if (!mapping || (feed->basis && !basis) || (feed->region && !region))
		return -ENOMEM;
	if (feed->mappings)
		memcpy(mapping, feed->mapping, feed->mappings * sizeof(*mapping));
	*ret = (struct feed_rules){
		.mapping = take_ptr(mapping),
		.mappings = feed->mappings,
		.ttl = feed->ttl,
		.linger = feed->linger,
		.confidence = feed->confidence,
		.basis = take_ptr(basis),
		.region = take_ptr(region),
		.review = feed->review,
		.min_entries = feed->min_entries,
		.allow_empty = feed->allow_empty,
		.limits = feed->limits,
	};
	memcpy(ret->feed, feed->name, sizeof(ret->feed));
	memcpy(ret->category, feed->category, sizeof(ret->category));
	return 0;
}

void feed_rules_free(struct feed_rules *r)
{
	free(r->mapping);
	free(r->basis);
	free(r->region);
	*r = (struct feed_rules){};
}
