/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared maps: creates or adopts them, writes sources, policies, switches.
 *
 * Who uses it: the daemon's sync. With program.h the only code that calls
 * libbpf. A struct tables owns map fds and mappings; the pins outlive it.
 *
 * Pins: DIR/NAME for the maps of moat/abi.h that all interfaces share.
 */
#ifndef PLANE_TABLES_H
#define PLANE_TABLES_H

#include "core/prefix.h"
#include "core/problem.h"
#include "core/sieve.h"
#include "moat/abi.h"
#include "moat/control.h"
#include "moat/policy.h"
#include "moat/source.h"

struct tables;

/* Bytes of kernel memory that tables of this capacity take. */
uint64_t tables_memory(const uint32_t capacity[2]);

/* The same of a table of so many flows. */
uint64_t tables_flows_memory(uint32_t flows);

/* Sources that map has room for beyond capacity, for the self-test's own. */
#define TABLES_SPARE 8

/*
 * Opens the maps pinned in dir, or makes (and does not yet pin) new ones.
 * dir is made if missing; if it does not lie on a BPF file system, one is
 * mounted when permitted, on /sys/fs/bpf for a dir below it, else on dir itself
 * (said in why with return 0; why is empty otherwise).
 * If the pinned set is not whole, or of another capacity, a whole new set is
 * made beside it, and what is in force stays as it is: fill it, update the
 * links (program_load, program_attach), then tables_pin() replaces the pins.
 * A pause is carried over.
 *   -EPROTO pins of another ABI: refused, why says what to do
 *   -EPERM, -ENOMEM, -ENOTSUP with what is missing
 */
int tables_open(const char *dir, const uint32_t capacity[2], struct tables **ret,
		struct problem *why);
struct tables *tables_free(struct tables *t);
DEFINE_CLEANUP(struct tables, tables_free)

/* Whether the maps of a family were pinned before (their content is in force): both or none. */
bool tables_adopted(const struct tables *t, uint8_t family);

/*
 * Pins what is not pinned, replaces pins of replaced maps (rename: never a
 * moment without). Cheap when all is in place: call it now and then, somebody
 * may have removed the pins. why may say what tables_open() says.
 */
int tables_pin(struct tables *t, struct problem *why);

/*
 * Where flows opened from here are noted (moat/flow.h). flows: how many at
 * most, 0: none are. clients: local UDP ports whose datagrams open one. A
 * pinned table of that size is adopted, so that answers keep passing over a
 * restart; one of another size is replaced, and its flows are forgotten. On
 * failure nothing is noted, so that no answer passes as one.
 */
int tables_set_flows(struct tables *t, uint32_t flows, const struct moat_ports *clients,
		     struct problem *why);
/* How many flows have room; 0: none is noted. */
uint32_t tables_flows(const struct tables *t);

/*
 * The sieve (moat/sieve.h) of these tables: made, filled from what is installed
 * and in force for the programs that are loaded from then on. Any sieve of a
 * daemon before is out of force: programs that have one go by the records
 * until they are replaced. Call it once, as the only daemon on the pins,
 * before a program is loaded. room: bytes it may take. Not wanted, or on
 * failure (-ENOMEM, ...), lookups go by the records alone.
 *
 * Beside programs of interfaces, a program of program_load_probe() may read it
 * only while the tables are not written.
 */
int tables_set_sieve(struct tables *t, bool wanted, uint64_t room, struct problem *why);

/* Bytes it takes for tables of this capacity: kernel memory, and moatd's own beside it. */
uint64_t tables_sieve_memory(const uint32_t capacity[2]);

struct tables_sieve_state {
	bool wanted;
	bool on;
	const char *why; /* wanted and not on; else empty. Belongs to the tables. */
	uint64_t memory; /* of its maps, bytes */
	struct sieve_numbers numbers;
};
void tables_sieve_state(const struct tables *t, struct tables_sieve_state *ret);

/* fd of a shared map by its name in moat/abi.h, or -ENOENT. Belongs to t. */
int tables_fd(const struct tables *t, const char *name);

/* Entries moat_phases has. */
uint32_t tables_phases(const struct tables *t);

/*
 * Writes sources in batches, in place where the key exists (BPF_F_LOCK: a
 * reader never sees a recycled element). tat of the values must be 0: an entry
 * that exists keeps its own while its class, or that of a later phase, has a
 * category whose policy in force is limit, so that a rewrite is no new burst.
 * (Such entries are written one by one unless the map was empty.)
 * done[i] becomes 0 or the negative errno of that entry; -ENOSPC: the map is
 * full. The other entries are written all the same. Returns how many failed,
 * or a negative errno if the map as a whole did; then done is undefined.
 */
ssize_t tables_put4(struct tables *t, const struct moat_key4 *keys,
		    const struct moat_source *values, size_t count, int16_t *done);
ssize_t tables_put6(struct tables *t, const struct moat_key6 *keys,
		    const struct moat_source *values, size_t count, int16_t *done);

/* Deletes; keys that are not there are no error. 0 or negative errno. */
int tables_delete4(struct tables *t, const struct moat_key4 *keys, size_t count);
int tables_delete6(struct tables *t, const struct moat_key6 *keys, size_t count);

/* 0, -ENOENT, or another error. */
int tables_get(const struct tables *t, const struct prefix *source, struct moat_source *ret);

/*
 * Every entry of a family as the kernel has it, but for the state of limits.
 * fn must not write sources; it returns non-zero to stop, and that is returned.
 */
typedef int (*tables_each_fn)(void *arg, const struct prefix *source,
			      const struct moat_source *value);
int tables_each(struct tables *t, uint8_t family, tables_each_fn fn, void *arg);

/* Writes the bank not in force, flips, and waits a grace period. */
int tables_set_lengths(struct tables *t, uint8_t family, const struct moat_lengths *lengths);
void tables_get_lengths(const struct tables *t, uint8_t family, struct moat_lengths *ret);

/* Writes a class to both banks; nothing refers to it yet. */
int tables_set_class(struct tables *t, uint32_t class, const struct moat_class *value);
/* The class as the bank in force has it. */
int tables_get_class(const struct tables *t, uint32_t class, struct moat_class *ret);

int tables_set_phase(struct tables *t, uint32_t index, const struct moat_phase *value);
const struct moat_phase *tables_phase_array(
	const struct tables *t); /* mapped, tables_phases() entries */

/*
 * Puts policies, ports (NULL: none) and classes (count of them, by number) in
 * force at once: writes the other bank, flips, waits a grace period.
 */
int tables_set_policies(struct tables *t, const struct moat_policy policy[static MOAT_CATEGORIES],
			const struct moat_ports *const ports[static MOAT_CATEGORIES],
			const struct moat_class *(*class)(void *arg, uint32_t number), void *arg,
			size_t count);
int tables_get_policy(const struct tables *t, uint8_t category, struct moat_policy *ret);

int tables_set_name(struct tables *t, uint8_t category, const char *name);
int tables_get_name(const struct tables *t, uint8_t category, char ret[static MOAT_CATEGORY_NAME]);

/* boot ns, 0, or MOAT_PAUSE_FOREVER: moat_control.paused_until. */
void tables_pause(struct tables *t, uint64_t until);
uint64_t tables_paused_until(const struct tables *t);

/* Waits until no program runs that started before (membarrier, RCU grace period). */
void tables_grace(void);

#endif
