/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sieve of a struct tables: made anew by every daemon from the records,
 * then written with them. What it is and in which order it is written is said
 * in moat/sieve.h; core/sieve.h does the writing.
 *
 * Programs of another daemon have the sieve of that daemon, which nobody
 * writes any more: moat_control.sieve tells them to go by the records.
 */
#include "plane/tables_sieve.h"

#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "core/log.h"
#include "plane/kernel.h"
#include "plane/tables_map.h"

/*
 * A grace period takes milliseconds of the writer's time, so it has at most a
 * share of it, unless what waits for it becomes a share of the room there is.
 */
#define GRACE_SHARE	  10
#define GRACE_WAITING	  16
#define GRACE_WAITING_MIN 64
#define GRACE_EVERY	  16 /* writes between two looks */

struct tables_sieve {
	struct object_sieve maps;
	struct sieve_maps mapped;
	struct sieve *sieve;
	uint32_t capacity[2];
	bool lost;	   /* out of force: the writes failed to keep it in step */
	bool read;	   /* programs run on it that nobody waits for */
	size_t deleted;	   /* since the last grace period */
	uint64_t asked;	   /* sources that had no room at the last one */
	uint64_t grace_at; /* boot ns: not before, unless much was deleted */
};

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- the maps ---- */

uint64_t tables_sieve_memory(const uint32_t capacity[2])
{
	struct sieve_size size;

	sieve_size(capacity, &size);
	return sieve_memory(&size) + sieve_memory_beside(capacity);
}

static int check_room(const struct tables *t, uint64_t room, struct problem *why)
{
	uint64_t need = tables_sieve_memory(t->capacity);

	if (need <= room)
		return 0;
	return problem_set(why, -ENOMEM, "sieve: needs %llu MB of memory, %llu MB are available",
			   (unsigned long long)need >> 20, (unsigned long long)room >> 20);
}

struct part {
	void **at; /* where its mapping is noted */
	size_t size;
};

static struct part part_of(struct sieve_maps *m, enum object_sieve_part part)
{
	const struct part parts[SIEVE_PARTS] = {
		[SIEVE_VIEWS] = { (void **)&m->sieve, sizeof(*m->sieve) },
		[SIEVE_BLOCKS4] = { (void **)&m->blocks, m->size.blocks * sizeof(*m->blocks) },
		[SIEVE_HOSTS4] = { (void **)&m->hosts, m->size.hosts * sizeof(*m->hosts) },
		[SIEVE_NODES4] = { (void **)&m->cells,
				   m->size.parts * sizeof(struct moat_node_part) },
		[SIEVE_LEAVES4] = { (void **)&m->leaves, m->size.leaves * sizeof(*m->leaves) },
		[SIEVE_BUCKETS6] = { (void **)&m->buckets, m->size.buckets * sizeof(*m->buckets) },
		[SIEVE_FILTER6] = { (void **)&m->filter, m->size.buckets * sizeof(*m->filter) },
	};

	return parts[part];
}

struct tables_sieve *tables_sieve_free(struct tables_sieve *s)
{
	if (!s)
		return NULL;
	sieve_free(s->sieve);
	for (enum object_sieve_part i = 0; i < SIEVE_PARTS; i++) {
		struct part part = part_of(&s->mapped, i);

		if (*part.at)
			munmap(*part.at, part.size);
		base_closep(&s->maps.fd[i]);
	}
	free(s);
	return NULL;
}
DEFINE_CLEANUP(struct tables_sieve, tables_sieve_free)

static int map_parts(struct tables_sieve *s)
{
	for (enum object_sieve_part i = 0; i < SIEVE_PARTS; i++) {
		struct part part = part_of(&s->mapped, i);
		void *at =
			mmap(NULL, part.size, PROT_READ | PROT_WRITE, MAP_SHARED, s->maps.fd[i], 0);

		if (at == MAP_FAILED)
			return -errno;
		*part.at = at;
	}
	return 0;
}

static int make(const struct tables *t, struct tables_sieve **ret, struct problem *why)
{
	_cleanup_(tables_sieve_freep) struct tables_sieve *s = calloc(1, sizeof(*s));
	uint64_t key[SIEVE_KEYS];
	int r;

	if (!s)
		return problem_set(why, -ENOMEM, "sieve: out of memory");
	for (enum object_sieve_part i = 0; i < SIEVE_PARTS; i++)
		s->maps.fd[i] = -1;
	memcpy(s->capacity, t->capacity, sizeof(s->capacity));
	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return problem_set(why, -EIO, "sieve: no random numbers: %s", strerror(errno));
	sieve_size(s->capacity, &s->mapped.size);
	r = object_make_sieve(&s->mapped.size, s->maps.fd, why);
	if (r)
		return r;
	r = map_parts(s);
	if (r)
		return kernel_error(why, r, "BPF maps of the sieve: cannot be mapped");
	r = sieve_new(&s->mapped, key, (uint32_t)(boot_ns() >> MOAT_TICK_SHIFT), &s->sieve);
	if (r)
		return problem_set(why, r, "sieve: out of memory");
	*ret = take_ptr(s);
	return 0;
}

/* ---- filling ---- */

static bool is_masked(const struct prefix *source)
{
	struct prefix masked = *source;

	prefix_mask(&masked);
	return !memcmp(masked.addr, source->addr, sizeof(masked.addr));
}

/* Pins may hold what no moatd writes; no lookup of a record ever finds that. */
static bool is_sound(const struct prefix *source)
{
	return source->len <= prefix_max(source->family) && is_masked(source);
}

static int fill_entry(void *arg, const struct prefix *source, const struct moat_source *value)
{
	struct tables_sieve *s = arg;

	if (is_sound(source))
		sieve_put(s->sieve, source, value->class, value->expires);
	if (sieve_wants_grace(s->sieve)) /* nobody reads it yet */
		sieve_grace(s->sieve);
	return 0;
}

static int fill_family(struct tables *t, struct tables_sieve *s, uint8_t family)
{
	const struct kept *kept = &t->kept[family];
	int r = tables_keep(t, family);

	if (r == -ENOMEM) /* one by one as they are read, then */
		return tables_read(t, family, fill_entry, s);
	for (size_t i = 0; i < kept->count && !r; i++) {
		const struct moat_source value = {
			.class = kept->entry[i].class,
			.expires = kept->entry[i].expires,
		};

		if (i + SIEVE_AHEAD < kept->count && is_sound(&kept->entry[i + SIEVE_AHEAD].source))
			sieve_hint(s->sieve, &kept->entry[i + SIEVE_AHEAD].source);
		fill_entry(s, &kept->entry[i].source, &value);
	}
	return r;
}

static int fill(struct tables *t, struct tables_sieve *s, struct problem *why)
{
	struct moat_lengths lengths;

	for (uint8_t family = 0; family < 2; family++) {
		int r = t->filled[family] ? fill_family(t, s, family) : 0;

		if (r)
			return kernel_error(why, r, "sieve: the sources in force cannot be read");
		tables_get_lengths(t, family, &lengths);
		sieve_set_lengths(s->sieve, family, lengths.count);
	}
	return 0;
}

static uint32_t next_number(const struct tables *t)
{
	return __atomic_load_n(&t->control->sieve, __ATOMIC_ACQUIRE) + 1 ?: 1;
}

static void set_number(struct tables *t, uint32_t number)
{
	__atomic_store_n(&t->control->sieve, number, __ATOMIC_RELEASE);
	if (t->adopted)
		tables_grace();
}

int tables_set_sieve(struct tables *t, bool wanted, uint64_t room, struct problem *why)
{
	_cleanup_(tables_sieve_freep) struct tables_sieve *s = NULL;
	uint32_t number = next_number(t);
	struct problem cause = {};
	int r = 0;

	if (wanted)
		r = check_room(t, room, &cause) ?: make(t, &s, &cause) ?: fill(t, s, &cause);
	set_number(t, number); /* whatever was in force, nobody writes it from here on */
	t->sieve_wanted = wanted;
	if (r) {
		snprintf(t->sieve_problem, sizeof(t->sieve_problem), "%s", cause.text);
		return problem_set(why, r, "%s", cause.text);
	}
	if (s)
		s->maps.number = number;
	t->sieve = take_ptr(s);
	return 0;
}

const struct object_sieve *tables_object_sieve(const struct tables *t)
{
	return t->sieve ? &t->sieve->maps : NULL;
}

void tables_note_reader(const struct tables *t)
{
	if (t->sieve)
		t->sieve->read = true;
}

void tables_sieve_state(const struct tables *t, struct tables_sieve_state *ret)
{
	const struct tables_sieve *s = t->sieve;

	*ret = (struct tables_sieve_state){ .wanted = t->sieve_wanted, .why = t->sieve_problem };
	if (!s)
		return;
	ret->on = !s->lost;
	ret->memory = sieve_memory(&s->mapped.size);
	sieve_numbers(s->sieve, &ret->numbers);
}

/* ---- writing ---- */

static struct prefix source_at(uint8_t family, const void *keys, size_t index)
{
	return family == MOAT_IPV4 ? prefix_from_key4((const struct moat_key4 *)keys + index)
				   : prefix_from_key6((const struct moat_key6 *)keys + index);
}

static void hint_ahead(const struct tables_sieve *s, uint8_t family, const void *keys, size_t at,
		       size_t count)
{
	struct prefix later;

	if (at + SIEVE_AHEAD >= count)
		return;
	later = source_at(family, keys, at + SIEVE_AHEAD);
	sieve_hint(s->sieve, &later);
}

/* Whether what waits for a grace period is missed: room for what comes, or for larger tables. */
static bool is_urgent(const struct tables_sieve *s)
{
	size_t room = ((size_t)s->capacity[0] + s->capacity[1]) / GRACE_WAITING;
	struct sieve_numbers n;

	sieve_numbers(s->sieve, &n);
	return n.asked > s->asked ||
	       s->deleted >= (room > GRACE_WAITING_MIN ? room : GRACE_WAITING_MIN);
}

static void wait_for_readers(struct tables_sieve *s)
{
	uint64_t before = boot_ns(), after;

	tables_grace();
	after = boot_ns();
	s->grace_at = after + (after - before) * GRACE_SHARE;
}

/* Gives memory back to the sieve that programs may have been reading. */
static void settle(struct tables_sieve *s)
{
	struct sieve_numbers n;

	if (!sieve_wants_grace(s->sieve))
		return;
	if (s->read) {
		if (boot_ns() < s->grace_at && !is_urgent(s))
			return;
		wait_for_readers(s);
	}
	sieve_grace(s->sieve);
	sieve_numbers(s->sieve, &n);
	s->asked = n.asked;
	s->deleted = 0;
}

void tables_sieve_put(struct tables *t, uint8_t family, const void *keys,
		      const struct moat_source *values, const int16_t *done, size_t count)
{
	struct tables_sieve *s = t->sieve;

	if (!s)
		return;
	for (size_t i = 0; i < count; i++) {
		struct prefix source = source_at(family, keys, i);

		hint_ahead(s, family, keys, i, count);
		if (!done[i])
			sieve_put(s->sieve, &source, values[i].class, values[i].expires);
		if ((i + 1) % GRACE_EVERY == 0)
			settle(s);
	}
	settle(s);
}

void tables_sieve_delete(struct tables *t, uint8_t family, const void *keys, size_t count)
{
	struct tables_sieve *s = t->sieve;

	if (!s)
		return;
	for (size_t i = 0; i < count; i++) {
		struct prefix source = source_at(family, keys, i);

		hint_ahead(s, family, keys, i, count);
		if (is_sound(&source))
			sieve_delete(s->sieve, &source);
		s->deleted++;
		if ((i + 1) % GRACE_EVERY == 0)
			settle(s);
	}
	settle(s);
}

/*
 * Every program goes by the records from here on, as if there were no sieve.
 * The number goes up, not to 0: the next daemon counts on from it, and must not
 * come to that of a program that still has this sieve.
 */
static void lose(struct tables *t, int error)
{
	if (t->sieve->lost)
		return;
	t->sieve->lost = true;
	set_number(t, next_number(t));
	snprintf(t->sieve_problem, sizeof(t->sieve_problem),
		 "the kernel maps could not be read back after an error: %s", strerror(-error));
	log_error("sieve: out of use until moatd is restarted: %s", t->sieve_problem);
}

void tables_sieve_restore(struct tables *t, uint8_t family, const void *keys, size_t count)
{
	if (!t->sieve)
		return;
	for (size_t i = 0; i < count; i++) {
		struct prefix source = source_at(family, keys, i);
		struct moat_source value;
		int r = is_sound(&source) ? tables_get(t, &source, &value) : -ENOENT;

		if (!r)
			sieve_put(t->sieve->sieve, &source, value.class, value.expires);
		else if (r != -ENOENT)
			lose(t, r);
	}
}

void tables_sieve_lengths(struct tables *t, uint8_t family, uint32_t count)
{
	if (t->sieve)
		sieve_set_lengths(t->sieve->sieve, family, count);
}
