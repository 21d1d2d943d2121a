/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rates.c keeps and rates_json.c shows; nobody else looks.
 */
#ifndef DAEMON_RATES_STATE_H
#define DAEMON_RATES_STATE_H

#include "core/history.h"
#include "core/text.h"
#include "daemon/rates.h"
#include "moat/stats.h"

/* One for each verdict is for what came when there was no series left. */
#define RATES_SERIES_MAX (HISTORY_SERIES_MAX - MOAT_VERDICT_MAX)
#define RATES_CACHE	 8 /* different answers of one second that are kept */

struct series {
	char iface[sizeof(((struct config_interface *)NULL)->name)];
	char category[MOAT_CATEGORY_NAME];
	uint32_t verdict, reason;
	bool rest; /* of all other interfaces, reasons and categories */
	int history;
	uint64_t packets, bytes;	 /* as the counters stand */
	uint64_t new_packets, new_bytes; /* since the look before */
};

/* The counters of an interface at the last look. */
struct seen {
	char iface[sizeof(((struct config_interface *)NULL)->name)];
	struct moat_stats *cells; /* owned */
	bool there;
};

struct rates_answer {
	int64_t seconds;
	unsigned int step;
	int64_t at; /* second of the last look when it was made */
	struct text text;
};

struct rates {
	struct daemon *d;
	int timer;
	struct history *history;
	struct series series[HISTORY_SERIES_MAX];
	size_t count;
	struct seen *seen; /* owned */
	size_t interfaces;
	int64_t second;	   /* of the boot clock, in which the last look was; -1: none yet */
	int64_t first;	   /* in which the first was */
	int64_t to_unix;   /* added to it */
	unsigned int span; /* seconds that the last look found over */
	void (*on_look)(void *arg, const struct text *live);
	void *arg;
	struct rates_answer answer[RATES_CACHE];
	size_t oldest; /* which answer gives way */
};

/* What the last look found, as one line. */
void rates_live(const struct rates *r, struct text *out);

#endif
