/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A world of its own for tests of user/plane: mount and network namespace of
 * this process, a BPF file system in a temporary directory. All of it goes
 * with the process.
 *
 * What cannot go wrong in a sound test ends the test program and says why.
 */
#ifndef PROG_PLANE_FIXTURE_H
#define PROG_PLANE_FIXTURE_H

#include "core/prefix.h"
#include "plane/program.h"
#include "plane/tables.h"

/* cmocka's group setup and teardown. */
int fixture_enter(void **state);
int fixture_leave(void **state);

/* The temporary directory (not a BPF file system), and one on a BPF file system for a test. */
const char *fixture_dir(void);
const char *fixture_pins(void); /* a new name at every call; valid until the next */

/* Runs a command and waits: fixture_run("ip", "link", "add", ..., NULL). Returns its exit status. */
int fixture_run(const char *command, ...) __attribute__((sentinel));

/* A pair of interfaces, both up. */
void fixture_veth(const char *name, const char *peer);

/* Sends a frame out of an interface. */
void fixture_send(const char *iface, const void *frame, size_t size);

/* Waits until condition(arg) holds; false after the deadline. */
bool fixture_wait(bool (*condition)(void *arg), void *arg);

/* Seconds of the monotonic clock. */
double fixture_now(void);

/* What the kernel says of the memory of a map. */
uint64_t fixture_memory(int map);

/*
 * Whether that is true. Kernels from 5.11 to 6.3 say the size of all entries,
 * without what a table needs around them.
 */
bool fixture_memory_is_true(void);

/* Seconds that something may take which takes some on a machine, more of them on an emulated one. */
double fixture_patience(double seconds);

/* ---- tables for probes ---- */

enum { CATEGORY_DROP = 1, CATEGORY_LIMIT = 2, CATEGORY_TAG = 3 };

#define FIXTURE_MARK 0x2a

/* Makes the sieve of tables just opened, unless MOAT_SIEVE=0. */
void fixture_sieve(struct tables *t);

/* New tables with a policy a category and a class of the same number. */
struct tables *fixture_tables(const char *pins);
struct tables *fixture_tables_of(const char *pins, const uint32_t capacity[2]);

/* Lists a source under a category; its prefix length becomes the only one in use. */
void fixture_list(struct tables *t, const char *source, uint32_t class);

/* A probe that enforces, and what it says of a packet from a source. */
struct program *fixture_probe(const struct tables *t);
void fixture_ask(struct program *probe, const struct prefix *source, struct outcome *ret);

/* Ethernet, IPv4 or IPv6, UDP from source, into frame. Returns the size. */
uint32_t fixture_frame(uint8_t frame[static 128], const char *source);

#endif
