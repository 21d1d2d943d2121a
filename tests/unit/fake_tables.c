/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_tables.h"

#define WRONG_MAX 160

struct entry {
	struct entry *chain;
	struct prefix source;
	struct moat_source value;
};

struct tables {
	uint32_t room[2];
	uint32_t phases;
	struct entry **bucket;
	size_t buckets; /* a power of two */
	size_t entries[2];
	size_t by_length[2][MOAT_LENGTHS6];
	struct moat_phase *phase;
	struct moat_class class[2][MOAT_CLASSES];
	struct moat_policy policy[2][MOAT_CATEGORIES];
	struct moat_ports ports[2][MOAT_CATEGORIES];
	uint32_t bank;
	struct moat_lengths lengths[2];
	char name[MOAT_CATEGORIES][MOAT_CATEGORY_NAME];
	uint64_t paused;

	fake_fail_fn fail;
	void *fail_arg;
	bool judge;
	char wrong[WRONG_MAX];
	struct fake_write *write;
	size_t writes, write_room;
};

/* ---- the test's side ---- */

struct tables *fake_tables_new(const uint32_t room[static 2], uint32_t phases)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	memcpy(t->room, room, sizeof(t->room));
	t->phases = phases;
	t->phase = calloc(phases, sizeof(*t->phase));
	for (t->buckets = 64; t->buckets < (size_t)room[0] + room[1];)
		t->buckets *= 2;
	t->bucket = calloc(t->buckets, sizeof(struct entry *));
	if (!t->phase || !t->bucket)
		abort();
	return t;
}

void fake_tables_fail(struct tables *t, fake_fail_fn fn, void *arg)
{
	t->fail = fn;
	t->fail_arg = arg;
}

void fake_tables_judge(struct tables *t, bool judge)
{
	t->judge = judge;
}

const char *fake_tables_wrong(const struct tables *t)
{
	return *t->wrong ? t->wrong : NULL;
}

size_t fake_tables_entries(const struct tables *t, uint8_t family)
{
	return t->entries[family];
}

uint32_t fake_tables_room(const struct tables *t, uint8_t family)
{
	return t->room[family];
}

const struct fake_write *fake_tables_writes(const struct tables *t, size_t *ret_count)
{
	*ret_count = t->writes;
	return t->write;
}

size_t fake_tables_count(const struct tables *t, enum fake_op op)
{
	size_t count = 0;

	for (size_t i = 0; i < t->writes; i++)
		count += t->write[i].op == op;
	return count;
}

void fake_tables_forget(struct tables *t)
{
	t->writes = 0;
}

_printf_(2, 3) static void wrong(struct tables *t, const char *fmt, ...)
{
	va_list args;

	if (*t->wrong)
		return;
	va_start(args, fmt);
	vsnprintf(t->wrong, sizeof(t->wrong), fmt, args);
	va_end(args);
}

/* Notes an operation, or says why it fails. */
static int begin(struct tables *t, enum fake_op op, const struct prefix *source)
{
	int r = t->fail ? t->fail(t->fail_arg, op, source) : 0;

	if (r || op == FAKE_READ)
		return r;
	if (t->writes == t->write_room) {
		t->write_room = t->write_room ? t->write_room * 2 : 1024;
		t->write = reallocarray(t->write, t->write_room, sizeof(*t->write));
		if (!t->write)
			abort();
	}
	t->write[t->writes++] = (struct fake_write){ op, source ? *source : (struct prefix){} };
	return 0;
}

/* ---- entries ---- */

static struct entry **place(const struct tables *t, const struct prefix *source)
{
	uint64_t hash = source->family * 131U + source->len;
	struct entry *const *at;

	for (size_t i = 0; i < sizeof(source->addr); i++)
		hash = (hash ^ source->addr[i]) * 0x100000001B3ULL; /* FNV-1a */
	at = &t->bucket[(hash ^ hash >> 32) & (t->buckets - 1)];
	while (*at && prefix_compare(&(*at)->source, source) != 0)
		at = &(*at)->chain;
	return (struct entry **)at;
}

static bool length_in_force(const struct moat_lengths *lengths, uint32_t len)
{
	for (uint32_t i = 0; i < lengths->count; i++)
		if (lengths->at[i].len == len)
			return true;
	return false;
}

static void judge_put(struct tables *t, const struct prefix *source,
		      const struct moat_source *value)
{
	char text[PREFIX_TEXT_MAX];
	uint32_t next = value->next, class = value->class;

	prefix_format(source, text);
	if (!length_in_force(&t->lengths[source->family], source->len))
		wrong(t, "%s is put before its length is in force", text);
	if (value->tat)
		wrong(t, "%s is put with a tat", text);
	for (int i = 0;; i++) {
		if (class && (!t->class[0][class].set || !t->class[1][class].set))
			wrong(t, "%s is put before its class %u is written", text, class);
		if (!next)
			return;
		if (next >= t->phases || i == MOAT_PHASES_MAX) {
			wrong(t, "%s has a chain of phases that does not end", text);
			return;
		}
		class = t->phase[next].class;
		next = t->phase[next].next;
	}
}

static int put(struct tables *t, const struct prefix *source, const struct moat_source *value)
{
	struct entry **at = place(t, source);
	int r = begin(t, FAKE_PUT, source);

	if (r)
		return r;
	if (!*at && t->entries[source->family] == t->room[source->family])
		return -ENOSPC;
	if (t->judge)
		judge_put(t, source, value);
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			abort();
		(*at)->source = *source;
		t->entries[source->family]++;
		t->by_length[source->family][source->len]++;
	}
	(*at)->value = *value;
	return 0;
}

static int delete_one(struct tables *t, const struct prefix *source)
{
	struct entry **at = place(t, source);
	struct entry *gone = *at;
	int r = begin(t, FAKE_DELETE, source);

	if (r || !gone)
		return r;
	*at = gone->chain;
	free(gone);
	t->entries[source->family]--;
	t->by_length[source->family][source->len]--;
	return 0;
}

/* -EPERM fails the call, all others one entry. */
static ssize_t put_result(int r, int16_t *done)
{
	if (r == -EPERM)
		return r;
	*done = (int16_t)r;
	return r < 0;
}

ssize_t tables_put4(struct tables *t, const struct moat_key4 *keys,
		    const struct moat_source *values, size_t count, int16_t *done)
{
	ssize_t failed = 0;

	for (size_t i = 0; i < count; i++) {
		struct prefix source = prefix_from_key4(&keys[i]);
		ssize_t r = put_result(put(t, &source, &values[i]), &done[i]);

		if (r < 0)
			return r;
		failed += r;
	}
	return failed;
}

ssize_t tables_put6(struct tables *t, const struct moat_key6 *keys,
		    const struct moat_source *values, size_t count, int16_t *done)
{
	ssize_t failed = 0;

	for (size_t i = 0; i < count; i++) {
		struct prefix source = prefix_from_key6(&keys[i]);
		ssize_t r = put_result(put(t, &source, &values[i]), &done[i]);

		if (r < 0)
			return r;
		failed += r;
	}
	return failed;
}

int tables_delete4(struct tables *t, const struct moat_key4 *keys, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		struct prefix source = prefix_from_key4(&keys[i]);

		r = delete_one(t, &source);
	}
	return r;
}

int tables_delete6(struct tables *t, const struct moat_key6 *keys, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		struct prefix source = prefix_from_key6(&keys[i]);

		r = delete_one(t, &source);
	}
	return r;
}

int tables_get(const struct tables *t, const struct prefix *source, struct moat_source *ret)
{
	const struct entry *e = *place(t, source);

	if (!e)
		return -ENOENT;
	*ret = e->value;
	return 0;
}

int tables_each(struct tables *t, uint8_t family, tables_each_fn fn, void *arg)
{
	int r = t->fail ? t->fail(t->fail_arg, FAKE_READ, NULL) : 0;

	for (size_t b = 0; b < t->buckets && !r; b++)
		for (const struct entry *e = t->bucket[b]; e && !r; e = e->chain)
			if (e->source.family == family)
				r = fn(arg, &e->source, &e->value);
	return r;
}

/* ---- lengths, classes, phases ---- */

int tables_set_lengths(struct tables *t, uint8_t family, const struct moat_lengths *lengths)
{
	int r = begin(t, FAKE_LENGTHS, NULL);

	if (r)
		return r;
	for (uint32_t len = 0; t->judge && len < MOAT_LENGTHS6; len++)
		if (t->by_length[family][len] && !length_in_force(lengths, len))
			wrong(t, "length %u goes while entries have it", len);
	t->lengths[family] = *lengths;
	return 0;
}

void tables_get_lengths(const struct tables *t, uint8_t family, struct moat_lengths *ret)
{
	*ret = t->lengths[family];
}

static bool chain_has(const struct tables *t, const struct moat_source *value, uint32_t class,
		      uint32_t phase)
{
	uint32_t next = value->next;

	if (class && value->class == class)
		return true;
	for (int i = 0; i < MOAT_PHASES_MAX && next && next < t->phases; i++) {
		if (next == phase || (class && t->phase[next].class == class))
			return true;
		next = t->phase[next].next;
	}
	return false;
}

static bool in_use(const struct tables *t, uint32_t class, uint32_t phase)
{
	for (size_t b = 0; b < t->buckets; b++)
		for (const struct entry *e = t->bucket[b]; e; e = e->chain)
			if (chain_has(t, &e->value, class, phase))
				return true;
	return false;
}

int tables_set_class(struct tables *t, uint32_t class, const struct moat_class *value)
{
	int r = begin(t, FAKE_CLASS, NULL);

	if (r)
		return r;
	if (t->judge && t->class[t->bank][class].set != value->set && in_use(t, class, 0))
		wrong(t, "class %u gets another set while entries have it", class);
	t->class[0][class] = *value;
	t->class[1][class] = *value;
	return 0;
}

int tables_get_class(const struct tables *t, uint32_t class, struct moat_class *ret)
{
	*ret = t->class[t->bank][class];
	return 0;
}

int tables_set_phase(struct tables *t, uint32_t index, const struct moat_phase *value)
{
	int r = begin(t, FAKE_PHASE, NULL);

	if (r)
		return r;
	if (!index || index >= t->phases)
		return -EINVAL;
	if (t->judge && memcmp(&t->phase[index], value, sizeof(*value)) != 0 && in_use(t, 0, index))
		wrong(t, "phase %u changes while an entry has it", index);
	t->phase[index] = *value;
	return 0;
}

const struct moat_phase *tables_phase_array(const struct tables *t)
{
	return t->phase;
}

uint32_t tables_phases(const struct tables *t)
{
	return t->phases;
}

/* ---- policies ---- */

static void judge_classes(struct tables *t)
{
	for (uint32_t class = 1; class < MOAT_CLASSES; class ++)
		if (t->class[0][class].set != t->class[1][class].set && in_use(t, class, 0))
			wrong(t, "class %u in use has another set in the other bank", class);
}

int tables_set_policies(struct tables *t, const struct moat_policy policy[static MOAT_CATEGORIES],
			const struct moat_ports *const ports[static MOAT_CATEGORIES],
			const struct moat_class *(*class)(void *arg, uint32_t number), void *arg,
			size_t count)
{
	uint32_t bank = !t->bank;
	int r;

	for (uint32_t c = 0; c < MOAT_CATEGORIES; c++) {
		r = begin(t, FAKE_POLICIES, NULL);
		if (r)
			return r;
		t->policy[bank][c] = policy[c];
		t->ports[bank][c] = ports[c] ? *ports[c] : (struct moat_ports){};
	}
	for (uint32_t i = 0; i < count; i++)
		t->class[bank][i] = *class(arg, i);
	if (t->judge)
		judge_classes(t);
	t->bank = bank;
	return 0;
}

int tables_get_policy(const struct tables *t, uint8_t category, struct moat_policy *ret)
{
	*ret = t->policy[t->bank][category];
	return 0;
}

int tables_set_name(struct tables *t, uint8_t category, const char *name)
{
	int r = begin(t, FAKE_NAME, NULL);

	if (r)
		return r;
	snprintf(t->name[category], sizeof(t->name[category]), "%s", name);
	return 0;
}

int tables_get_name(const struct tables *t, uint8_t category, char ret[static MOAT_CATEGORY_NAME])
{
	memcpy(ret, t->name[category], MOAT_CATEGORY_NAME);
	return 0;
}

/* ---- the rest ---- */

struct tables *tables_free(struct tables *t)
{
	if (!t)
		return NULL;
	for (size_t b = 0; b < t->buckets; b++)
		while (t->bucket[b]) {
			struct entry *e = t->bucket[b];

			t->bucket[b] = e->chain;
			free(e);
		}
	free(t->bucket);
	free(t->phase);
	free(t->write);
	free(t);
	return NULL;
}

int tables_set_flows(struct tables *t, uint32_t flows, const struct moat_ports *clients,
		     struct problem *why)
{
	(void)t;
	(void)flows;
	(void)clients;
	(void)why;
	return 0;
}

int tables_set_hits(struct tables *t, uint32_t sources, struct problem *why)
{
	(void)t;
	(void)sources;
	(void)why;
	return 0;
}

int tables_hit(const struct tables *t, const struct prefix *source, struct moat_hit *ret)
{
	(void)t;
	(void)source;
	(void)ret;
	return -ENOENT;
}

void tables_pause(struct tables *t, uint64_t until)
{
	t->paused = until;
}

uint64_t tables_paused_until(const struct tables *t)
{
	return t->paused;
}

void tables_grace(void)
{
}

/* ---- the program ---- */

static bool live(uint32_t expires, uint64_t boot_ns)
{
	return expires == MOAT_NEVER || boot_ns >> MOAT_TICK_SHIFT < expires;
}

static bool live_class(const struct tables *t, const struct moat_source *value, uint64_t boot_ns,
		       uint32_t *ret)
{
	uint32_t next = value->next;

	*ret = value->class;
	if (live(value->expires, boot_ns))
		return true;
	for (int i = 0; i < MOAT_PHASES_MAX && next && next < t->phases; i++) {
		*ret = t->phase[next].class;
		if (live(t->phase[next].expires, boot_ns))
			return true;
		next = t->phase[next].next;
	}
	return false;
}

static bool fits(const struct tables *t, uint8_t category, uint8_t protocol, uint16_t port)
{
	const struct moat_policy *policy = &t->policy[t->bank][category];

	if (!(policy->flags & MOAT_POLICY_PROTOCOLS))
		return true;
	if (!(policy->protocols[protocol / 64] & 1ULL << protocol % 64))
		return false;
	return !(policy->flags & MOAT_POLICY_PORTS) ||
	       t->ports[t->bank][category].set[port / 64] & 1ULL << port % 64;
}

void fake_tables_packet(const struct tables *t, const struct prefix *address, uint64_t boot_ns,
			uint8_t protocol, uint16_t port, struct fake_verdict *ret)
{
	const struct moat_lengths *lengths = &t->lengths[address->family];
	const struct moat_class *class;
	uint32_t number = 0;

	*ret = (struct fake_verdict){};
	for (uint32_t i = 0; i < lengths->count && !ret->listed; i++) {
		const struct entry *e;

		ret->key = prefix_shorten(address, (uint8_t)lengths->at[i].len);
		e = *place(t, &ret->key);
		ret->listed = e && live_class(t, &e->value, boot_ns, &number);
	}
	if (!ret->listed)
		return;
	class = &t->class[t->bank][number];
	ret->set = number == MOAT_CLASS_ALLOW ? 1ULL << MOAT_CATEGORY_ALLOW : class->set;
	if (number == MOAT_CLASS_ALLOW)
		return;
	ret->shared = class->shared;
	for (uint32_t i = 0; i < class->count && !ret->in_scope; i++) {
		ret->category = class->order[i];
		ret->in_scope = !class->scoped || fits(t, class->order[i], protocol, port);
		ret->action = t->policy[t->bank][ret->category].action;
	}
}
