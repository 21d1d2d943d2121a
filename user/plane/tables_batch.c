/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sources: written, deleted and read in batches where the kernel can, one
 * by one where it cannot, and from the entry where a batch failed.
 *
 * All of it with BPF_F_LOCK: an update copies into the entry under its lock,
 * so that a program never sees half a value nor an entry taken from under it.
 */
#include <bpf/bpf.h>

#include "plane/kernel.h"
#include "plane/program.h"
#include "plane/tables_map.h"
#include "plane/tables_sieve.h"

#define BATCH	  65536 /* entries a system call */
#define READ_ROOM 65536 /* entries a read; no bucket of a hash is that long */

#define KERNEL_ENOTSUPP 524 /* not in errno.h, but bpf(2) returns it */

struct sources {
	int fd;
	size_t key_size;
};

static struct sources sources_of(const struct tables *t, uint8_t family)
{
	if (family == MOAT_IPV4)
		return (struct sources){ t->fd[SHARED_SOURCE4], sizeof(struct moat_key4) };
	return (struct sources){ t->fd[SHARED_SOURCE6], sizeof(struct moat_key6) };
}

static const void *key_at(const struct sources *s, const void *keys, size_t index)
{
	return (const char *)keys + index * s->key_size;
}

/* ---- put ---- */

/* The kernel says a full map in several ways. */
static int full_is_nospc(int error)
{
	return error == -E2BIG || error == -ENOMEM ? -ENOSPC : error;
}

/* Whether an error says more about the call than about the entry. */
static bool is_fatal(int error)
{
	return error == -EPERM || error == -EBADF || error == -EFAULT;
}

/* Whether a source of this value can be under a limit, now or in a later phase. */
static bool is_limited(const struct tables *t, const struct moat_source *value)
{
	uint32_t bank = tables_policy_bank(t);
	uint64_t set = t->class[MOAT_CLASS_INDEX(value->class & (MOAT_CLASSES - 1), bank)].set;
	uint32_t next = value->next;

	for (int i = 0; i < MOAT_PHASES_MAX && next && next < t->phases; i++) {
		const struct moat_phase *phase = &t->phase[next];

		set |= t->class[MOAT_CLASS_INDEX(phase->class & (MOAT_CLASSES - 1), bank)].set;
		next = phase->next;
	}
	return set & t->limiting;
}

static int put_one(const struct sources *s, const void *key, const struct moat_source *value)
{
	return full_is_nospc(bpf_map_update_elem(s->fd, key, value, BPF_F_LOCK));
}

/*
 * Keeps the state of the limit, which a rewritten entry would lose, giving the
 * source another burst. Between the two calls the program may have moved it on
 * by what passes in a microsecond; that is lost.
 */
static int put_keeping(const struct sources *s, const void *key, const struct moat_source *value)
{
	struct moat_source now = *value;
	struct moat_source was;
	int r;

	r = bpf_map_update_elem(s->fd, key, value, BPF_F_LOCK | BPF_NOEXIST);
	if (r != -EEXIST)
		return full_is_nospc(r);
	if (!bpf_map_lookup_elem_flags(s->fd, key, &was, BPF_F_LOCK))
		now.tat = was.tat;
	return put_one(s, key, &now);
}

/* Returns how many of the first entries are written; the next one, if any, failed. */
static size_t put_batch(const struct sources *s, const void *keys, const struct moat_source *values,
			size_t count)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = BPF_F_LOCK);
	uint32_t done = count;

	if (!program_features()->batch)
		return 0;
	if (!bpf_map_update_batch(s->fd, keys, values, &done, &opts))
		return count;
	/* A call refused as a whole leaves the count as it was. */
	return done < count ? done : 0;
}

/* At most BATCH entries. Returns how many failed, or a fatal error, which the rest has too. */
static ssize_t put_run(const struct sources *s, const void *keys, const struct moat_source *values,
		       size_t count, int16_t *done)
{
	size_t at = count > 1 ? put_batch(s, keys, values, count) : 0;
	ssize_t failed = 0;

	memset(done, 0, at * sizeof(*done));
	for (; at < count; at++) {
		int r = put_one(s, key_at(s, keys, at), &values[at]);

		done[at] = (int16_t)r;
		failed += r < 0;
		if (is_fatal(r)) {
			while (++at < count)
				done[at] = (int16_t)r;
			return r;
		}
	}
	return failed;
}

/* How many entries from the start can go without a look at what is there. */
static size_t run_length(const struct tables *t, bool keep, const struct moat_source *values,
			 size_t count)
{
	size_t most = count < BATCH ? count : BATCH;
	size_t n = 0;

	if (!keep)
		return most;
	while (n < most && !is_limited(t, &values[n]))
		n++;
	return n;
}

static ssize_t put(struct tables *t, uint8_t family, const void *keys,
		   const struct moat_source *values, size_t count, int16_t *done)
{
	struct sources s = sources_of(t, family);
	bool keep = t->filled[family] && t->limiting;
	ssize_t failed = 0;

	tables_forget(t, family);
	t->filled[family] = true;
	for (size_t at = 0; at < count;) {
		size_t run = run_length(t, keep, &values[at], count - at);
		ssize_t r;

		if (run) {
			r = put_run(&s, key_at(&s, keys, at), &values[at], run, &done[at]);
		} else {
			r = put_keeping(&s, key_at(&s, keys, at), &values[at]);
			done[at] = (int16_t)r;
			r = is_fatal((int)r) ? r : r < 0;
			run = 1;
		}
		tables_sieve_put(t, family, key_at(&s, keys, at), &values[at], &done[at], run);
		if (r < 0)
			return r;
		failed += r;
		at += run;
	}
	return failed;
}

ssize_t tables_put4(struct tables *t, const struct moat_key4 *keys,
		    const struct moat_source *values, size_t count, int16_t *done)
{
	return put(t, MOAT_IPV4, keys, values, count, done);
}

ssize_t tables_put6(struct tables *t, const struct moat_key6 *keys,
		    const struct moat_source *values, size_t count, int16_t *done)
{
	return put(t, MOAT_IPV6, keys, values, count, done);
}

/* ---- delete ---- */

static int delete_run(const struct sources *s, const void *keys, size_t count)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	bool batch = program_features()->batch;

	for (size_t at = 0; at < count; at++) {
		uint32_t done = count - at;
		int r;

		if (batch && count - at > 1) {
			r = bpf_map_delete_batch(s->fd, key_at(s, keys, at), &done, &opts);
			if (!r)
				return 0;
			/* The entry at which it stopped is tried again by itself. */
			if (done < count - at)
				at += done;
			else
				batch = false;
		}
		r = bpf_map_delete_elem(s->fd, key_at(s, keys, at));
		if (r && r != -ENOENT)
			return r;
	}
	return 0;
}

static int delete (struct tables *t, uint8_t family, const void *keys, size_t count)
{
	struct sources s = sources_of(t, family);
	int r = 0;

	tables_forget(t, family);
	for (size_t at = 0; !r && at < count; at += BATCH) {
		const void *from = key_at(&s, keys, at);
		size_t run = count - at < BATCH ? count - at : BATCH;

		tables_sieve_delete(t, family, from, run);
		r = delete_run(&s, from, run);
		if (r)
			tables_sieve_restore(t, family, from, run);
	}
	return r;
}

int tables_delete4(struct tables *t, const struct moat_key4 *keys, size_t count)
{
	return delete (t, MOAT_IPV4, keys, count);
}

int tables_delete6(struct tables *t, const struct moat_key6 *keys, size_t count)
{
	return delete (t, MOAT_IPV6, keys, count);
}

/* ---- read ---- */

int tables_get(const struct tables *t, const struct prefix *source, struct moat_source *ret)
{
	struct sources s = sources_of(t, source->family);
	struct moat_key4 key4;
	struct moat_key6 key6;

	if (source->family == MOAT_IPV4) {
		key4 = prefix_key4(source);
		return bpf_map_lookup_elem_flags(s.fd, &key4, ret, BPF_F_LOCK);
	}
	key6 = prefix_key6(source);
	return bpf_map_lookup_elem_flags(s.fd, &key6, ret, BPF_F_LOCK);
}

/* Both kinds of key begin with the length. One that the family does not have no lookup finds. */
static int tell(uint8_t family, const void *key, const struct moat_source *value, tables_each_fn fn,
		void *arg)
{
	if (*(const __u32 *)key > prefix_max(family))
		return 0;
	struct prefix source = family == MOAT_IPV4 ? prefix_from_key4(key) : prefix_from_key6(key);

	return fn(arg, &source, value);
}

static int each_single(const struct sources *s, uint8_t family, tables_each_fn fn, void *arg)
{
	struct moat_source value;
	struct moat_key6 key; /* the larger of the two */
	void *from = NULL;
	int r;

	while (!(r = bpf_map_get_next_key(s->fd, from, &key))) {
		from = &key;
		r = bpf_map_lookup_elem_flags(s->fd, &key, &value, BPF_F_LOCK);
		if (r == -ENOENT)
			continue;
		r = r ?: tell(family, &key, &value, fn, arg);
		if (r)
			return r;
	}
	return r == -ENOENT ? 0 : r;
}

/* -KERNEL_ENOTSUPP: the kernel cannot, and nothing was told. */
static int each_batch(const struct sources *s, uint8_t family, tables_each_fn fn, void *arg)
{
	_cleanup_free_ struct moat_source *values = calloc(READ_ROOM, sizeof(*values));
	_cleanup_free_ void *keys = calloc(READ_ROOM, s->key_size);
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = BPF_F_LOCK);
	uint32_t at = 0;
	int r = 0;

	if (!keys || !values)
		return -ENOMEM;
	for (bool first = true; !r; first = false) {
		uint32_t count = READ_ROOM;
		int told = 0;

		r = bpf_map_lookup_batch(s->fd, first ? NULL : &at, &at, keys, values, &count,
					 &opts);
		if (r && r != -ENOENT)
			return first ? -KERNEL_ENOTSUPP : r;
		for (uint32_t i = 0; !told && i < count; i++)
			told = tell(family, key_at(s, keys, i), &values[i], fn, arg);
		if (told)
			return told;
	}
	return 0; /* -ENOENT: that was the last part */
}

int tables_read(const struct tables *t, uint8_t family, tables_each_fn fn, void *arg)
{
	struct sources s = sources_of(t, family);
	int r;

	if (program_features()->batch) {
		r = each_batch(&s, family, fn, arg);
		if (r != -KERNEL_ENOTSUPP)
			return r;
	}
	return each_single(&s, family, fn, arg);
}
