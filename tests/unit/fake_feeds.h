/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds for the tests of the HTTP side: the symbols of feeds_run, answered
 * from one struct that the test fills. A list is done DONE_MS after it began.
 */
#ifndef TESTS_FAKE_FEEDS_H
#define TESTS_FAKE_FEEDS_H

#include "daemon/feeds_run.h"
#include "store/store.h"

#define FAKE_FEEDS   2
#define FAKE_FILE    4096 /* bytes of an imported file that are kept */
#define FAKE_DONE_MS 20

struct fake_feeds {
	size_t count; /* feeds that there are */
	struct feed_state state[FAKE_FEEDS];
	struct config_feed config[FAKE_FEEDS]; /* configured if it has a name */

	int start_error; /* of fetch and import */
	int done_error;	 /* given to done() */
	struct feed_report report;

	unsigned int imports, fetches;
	struct feeds_import import; /* the last one */
	char feed[CONFIG_FEED_NAME], category[MOAT_CATEGORY_NAME], actor[64];
	char file[FAKE_FILE];
	size_t file_size;
	bool sealed;		       /* nobody could write to the file any more */
	bool hold;		       /* never done */
	int hold_error;		       /* of feeds_run_hold() */
	struct radius_estimate radius; /* of every feed */

	feeds_done_fn done; /* of who waits */
	void *arg;
};

extern struct fake_feeds fake_feeds;

/* None there, nothing happened. Needs fake_reset() before. */
void fake_feeds_reset(void);

#endif
