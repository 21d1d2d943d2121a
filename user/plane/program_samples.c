/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rings that the program writes samples to: mapped, so that a look costs no
 * system call, however many CPUs there are.
 */
#include <sys/mman.h>
#include <sys/random.h>

#include "plane/kernel.h"
#include "plane/program_state.h"

static size_t rings_size(void)
{
	size_t unit = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = kernel_cpus() * sizeof(struct moat_samples);

	return (size + unit - 1) / unit * unit;
}

int program_samples_open(struct program *p, struct problem *why)
{
	uint16_t seed = 0;
	void *at;

	p->samples_seen = calloc(kernel_cpus(), sizeof(*p->samples_seen));
	if (!p->samples_seen)
		return problem_set(why, -ENOMEM, "interface '%s': out of memory", p->name);
	at = mmap(NULL, rings_size(), PROT_READ | PROT_WRITE, MAP_SHARED, p->fd.samples, 0);
	if (at == MAP_FAILED)
		return kernel_error(why, -errno, "map '%s': cannot be mapped", MOAT_MAP_SAMPLES);
	p->samples = at;
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		return 0; /* the seed of the last program, or none, will do */
	__atomic_store_n(&p->iface->sample_seed, seed, __ATOMIC_RELEASE);
	return 0;
}

void program_samples_close(struct program *p)
{
	if (p->samples)
		munmap(p->samples, rings_size());
	p->samples = NULL;
	free(p->samples_seen);
	p->samples_seen = NULL;
}

void program_set_sampling(struct program *p, uint32_t chance)
{
	__atomic_store_n(&p->iface->sample_chance, chance, __ATOMIC_RELEASE);
}

uint32_t program_sampling(const struct program *p)
{
	return __atomic_load_n(&p->iface->sample_chance, __ATOMIC_ACQUIRE);
}

void program_set_drop_sampling(struct program *p, uint8_t n)
{
	__atomic_store_n(&p->iface->drop_sampling, n, __ATOMIC_RELEASE);
}

uint8_t program_drop_sampling(const struct program *p)
{
	return __atomic_load_n(&p->iface->drop_sampling, __ATOMIC_ACQUIRE);
}

size_t program_samples(struct program *p, program_sample_fn fn, void *arg, uint64_t *ret_missed)
{
	uint64_t missed = 0;
	size_t count = 0;

	for (size_t cpu = 0; p->samples && cpu < kernel_cpus(); cpu++) {
		struct moat_samples *ring = &p->samples[cpu];
		uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
		uint64_t tail = ring->tail;

		for (; tail < p->samples_seen[cpu]; tail++, count++)
			fn(arg, &ring->ring[tail & (MOAT_SAMPLE_RING - 1)]);
		__atomic_store_n(&ring->tail, tail, __ATOMIC_RELEASE);
		p->samples_seen[cpu] = head;
		missed += __atomic_load_n(&ring->missed, __ATOMIC_RELAXED);
	}
	*ret_missed = missed;
	return count;
}
