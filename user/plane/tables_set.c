/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything of the tables but the sources: prefix lengths, classes, phases,
 * policies, names, the switches; and the grace period between their banks.
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>

#include "plane/tables_map.h"
#include "plane/tables_sieve.h"

/* ---- grace ---- */

/*
 * A change of an inner map returns only when no program uses the old one: the
 * one bpf(2) call that promises to wait for programs.
 */
static int grace_by_inner_map(void)
{
	_cleanup_close_ int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "moat_inner",
						   sizeof(uint32_t), sizeof(uint32_t), 1, NULL);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = inner > 0 ? (uint32_t)inner : 0);
	_cleanup_close_ int outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "moat_outer",
						   sizeof(uint32_t), sizeof(uint32_t), 1, &opts);
	uint32_t zero = 0;

	if (inner < 0 || outer < 0)
		return -errno;
	return bpf_map_update_elem(outer, &zero, &inner, BPF_ANY);
}

/* membarrier's global command is an RCU grace period; kernels with nohz_full CPUs refuse it. */
void tables_grace(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		grace_by_inner_map();
}

/* ---- prefix lengths ---- */

int tables_set_lengths(struct tables *t, uint8_t family, const struct moat_lengths *lengths)
{
	uint32_t bank = !tables_lengths_bank(t, family);
	uint32_t index = MOAT_LENGTHS_INDEX(family, bank);
	int r;

	if (family > MOAT_IPV6)
		return -EINVAL;
	r = bpf_map_update_elem(t->fd[SHARED_LENGTHS], &index, lengths, BPF_ANY);
	if (r)
		return r;
	__atomic_store_n(&t->control->lengths_bank[family], bank, __ATOMIC_RELEASE);
	tables_sieve_lengths(t, family, lengths->count);
	tables_grace();
	return 0;
}

void tables_get_lengths(const struct tables *t, uint8_t family, struct moat_lengths *ret)
{
	uint32_t index = MOAT_LENGTHS_INDEX(family & 1, tables_lengths_bank(t, family));

	if (bpf_map_lookup_elem(t->fd[SHARED_LENGTHS], &index, ret))
		memset(ret, 0, sizeof(*ret));
}

/* ---- classes and phases ---- */

int tables_set_class(struct tables *t, uint32_t class, const struct moat_class *value)
{
	if (class >= MOAT_CLASSES)
		return -EINVAL;
	t->class[MOAT_CLASS_INDEX(class, 0)] = *value;
	t->class[MOAT_CLASS_INDEX(class, 1)] = *value;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return 0;
}

int tables_get_class(const struct tables *t, uint32_t class, struct moat_class *ret)
{
	if (class >= MOAT_CLASSES)
		return -EINVAL;
	*ret = t->class[MOAT_CLASS_INDEX(class, tables_policy_bank(t))];
	return 0;
}

int tables_set_phase(struct tables *t, uint32_t index, const struct moat_phase *value)
{
	if (!index || index >= t->phases)
		return -EINVAL;
	t->phase[index] = *value;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return 0;
}

const struct moat_phase *tables_phase_array(const struct tables *t)
{
	return t->phase;
}

/* ---- policies ---- */

static int read_policy(const struct tables *t, uint32_t index, struct moat_policy *ret)
{
	return bpf_map_lookup_elem(t->fd[SHARED_POLICIES], &index, ret);
}

void tables_note_policies(struct tables *t)
{
	uint32_t bank = tables_policy_bank(t);
	struct moat_policy policy;

	t->limiting = 0;
	for (uint32_t c = 0; c < MOAT_CATEGORIES; c++) {
		/* What cannot be read may limit: the cost is a system call a source. */
		if (read_policy(t, MOAT_POLICY_INDEX(c, bank), &policy) ||
		    policy.action == MOAT_ACTION_LIMIT)
			t->limiting |= 1ULL << c;
	}
}

static int write_policies(struct tables *t, uint32_t bank, const struct moat_policy *policy,
			  const struct moat_ports *const *ports)
{
	static const struct moat_ports none;
	int r = 0;

	for (uint32_t c = 0; !r && c < MOAT_CATEGORIES; c++) {
		uint32_t index = MOAT_POLICY_INDEX(c, bank);

		r = bpf_map_update_elem(t->fd[SHARED_POLICIES], &index, &policy[c], BPF_ANY)
			    ?: bpf_map_update_elem(t->fd[SHARED_PORTS], &index, ports[c] ?: &none,
						   BPF_ANY);
	}
	return r;
}

int tables_set_policies(struct tables *t, const struct moat_policy policy[static MOAT_CATEGORIES],
			const struct moat_ports *const ports[static MOAT_CATEGORIES],
			const struct moat_class *(*class)(void *arg, uint32_t number), void *arg,
			size_t count)
{
	static const struct moat_class unused;
	uint32_t bank = !tables_policy_bank(t);
	int r;

	if (count > MOAT_CLASSES)
		return -EINVAL;
	r = write_policies(t, bank, policy, ports);
	if (r)
		return r;
	for (uint32_t i = 0; i < count; i++) {
		const struct moat_class *value = class(arg, i);

		t->class[MOAT_CLASS_INDEX(i, bank)] = value ? *value : unused;
	}
	__atomic_store_n(&t->control->policy_bank, bank, __ATOMIC_RELEASE);
	tables_note_policies(t);
	tables_grace();
	return 0;
}

int tables_get_policy(const struct tables *t, uint8_t category, struct moat_policy *ret)
{
	if (category >= MOAT_CATEGORIES)
		return -EINVAL;
	return read_policy(t, MOAT_POLICY_INDEX(category, tables_policy_bank(t)), ret);
}

/* ---- names ---- */

int tables_set_name(struct tables *t, uint8_t category, const char *name)
{
	struct moat_name value = {};
	uint32_t index = category;
	size_t size = strlen(name);

	if (category >= MOAT_CATEGORIES || size >= sizeof(value.text))
		return -EINVAL;
	memcpy(value.text, name, size);
	return bpf_map_update_elem(t->fd[SHARED_NAMES], &index, &value, BPF_ANY);
}

int tables_get_name(const struct tables *t, uint8_t category, char ret[static MOAT_CATEGORY_NAME])
{
	struct moat_name value;
	uint32_t index = category;
	int r;

	if (category >= MOAT_CATEGORIES)
		return -EINVAL;
	r = bpf_map_lookup_elem(t->fd[SHARED_NAMES], &index, &value);
	if (r)
		return r;
	memcpy(ret, value.text, sizeof(value.text));
	ret[MOAT_CATEGORY_NAME - 1] = '\0';
	return 0;
}

/* ---- pause ---- */

void tables_pause(struct tables *t, uint64_t until)
{
	__atomic_store_n(&t->control->paused_until, until, __ATOMIC_RELEASE);
}

uint64_t tables_paused_until(const struct tables *t)
{
	return __atomic_load_n(&t->control->paused_until, __ATOMIC_ACQUIRE);
}
