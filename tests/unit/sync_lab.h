/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of daemon/sync share: a database in a directory of its own,
 * maps in memory (fake_tables.h), a clock that only the test moves, and a store
 * whose calls can be made to fail.
 *
 * The seams are the linker's: tables.h is fake_tables.c, and time(),
 * clock_gettime() and some calls of store.h are wrapped (see the Makefile).
 * The store is the real one, on a real file; tests write to it as a foreign
 * client would.
 */
#ifndef TESTS_SYNC_LAB_H
#define TESTS_SYNC_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "daemon/sync.h"
#include "tests/unit/fake_tables.h"

#define LAB_NEVERS 8
/* A packet of the tests that no policy with a scope fits. */
#define LAB_PROTOCOL 17
#define LAB_PORT     9

/* The configuration most tests run with: capacity 100 each. */
#define LAB_CATEGORIES                                                                             \
	"categories:\n"                                                                            \
	"  botnet: { action: drop }\n"                                                             \
	"  ssh: { action: drop, protocol: tcp, ports: [22] }\n"                                    \
	"  scraper: { action: limit, rate: 10pps }\n"                                              \
	"  scanner: { action: tag, mark: 7 }\n"                                                    \
	"  research: { action: monitor }\n"

enum lab_call { LAB_CHANGES, LAB_SNAPSHOT, LAB_REFUSED, LAB_CALLS };

/* A call of the store fails with this, after so many rows; 0: it works. */
struct lab_fault {
	int error;
	size_t after;
	unsigned int calls; /* how many calls there were */
};

struct lab {
	char directory[64];
	char path[128];
	sqlite3 *client; /* the foreign client */
	struct config *config;
	struct prefix never[LAB_NEVERS];
	size_t nevers;
	struct tables *tables;
	struct sync *sync;
	struct problem why;
};

/* One lab at a time. */
extern struct lab lab;
extern struct lab_fault lab_fault[LAB_CALLS];
extern bool lab_read_only;		 /* what store_read_only() says */
extern int64_t lab_wall_ns, lab_boot_ns; /* both clocks; the monotonic one is boot */

int lab_setup(void **state);
int lab_teardown(void **state);
#define LAB_TEST(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

/* Both clocks go on; the wall clock is set. */
void lab_pass(int64_t seconds);
void lab_set_wall(int64_t seconds);
int64_t lab_now(void);

/* Takes categories and what else there is but the database. */
void lab_config(const char *yaml);
void lab_never(const char *prefix);
/* New maps with room for entries of each family. */
void lab_maps(uint32_t room4, uint32_t room6, uint32_t phases);

/* A new daemon on the maps there are. What it was before is gone as by kill -9. */
void lab_restart(void);
int lab_start(void);	  /* sync_start() */
ssize_t lab_follow(void); /* sync_follow() */
/* What the daemon's loop does: follows as long as sync_next() wants, time passing. 0 once in step. */
int lab_settle(void);

_printf_(1, 2) void lab_sql(const char *fmt, ...);
/* Returns the SQLite result code. */
int lab_sql_try(const char *sql);
int64_t lab_sql_number(const char *sql);
/* lab_sql(): one listing. */
void lab_list(const char *source, const char *category);

/* What the kernel makes of a packet of an address, in one word. */
const char *lab_verdict(const char *address);
const char *lab_verdict_of(const char *address, uint8_t protocol, uint16_t port);
#define assert_verdict(address, word) assert_string_equal(lab_verdict(address), word)

bool lab_in_kernel(const char *source);
struct sync_numbers lab_numbers(void);
/* Cause of a row in the daemon's list of refused ones, NULL if it is not there. */
const char *lab_refused(const char *source, const char *category);
/* moat_listings{feed,category,state}. */
size_t lab_count(const char *feed, const char *category, const char *state);

/* Whether all that is refused is so for want of room. */
bool lab_room_is_used(void);

/*
 * Holds maps, numbers and refusals against the table, row by row through the
 * gate, by brute force. Fails the test where they differ.
 */
void lab_check(void);
/* The same for what packets get alone, as time has passed without a daemon. */
void lab_check_packets(void);

#endif
