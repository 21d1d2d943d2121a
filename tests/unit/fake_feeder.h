/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A feeder without a child: what it "fetches" is what the test wrote down, and
 * what it is handed it parses at once. Lists end on the loop, like real ones.
 */
#ifndef TESTS_FAKE_FEEDER_H
#define TESTS_FAKE_FEEDER_H

#include "daemon/feeder.h"

struct fake_feeder {
	/* What the network says: */
	const char *list; /* NULL: nothing, the fetch fails */
	bool not_modified;
	const char *etag; /* NULL: none */
	int64_t retry_after;
	bool hold; /* lists never end */

	/* What it was asked: */
	unsigned int fetches, files, cancelled;
	char url[256], if_none_match[FEEDER_TAG_MAX];
};

extern struct fake_feeder fake_feeder;

#endif
