// SPDX-License-Identifier: BSD-2-Clause
#include "tools/bench/sources.h"

#include <arpa/inet.h>
#include <string.h>

#define SEED 0x9E3779B9U /* the IPv4 source of this number is 0.0.0.0: above SOURCES_MAX */

_Static_assert(SEED > SOURCES_MAX, "0.0.0.0 must not be a source");

static const uint8_t lengths6[] = { 128, 64, 56, 48, 44, 40, 36, 32 };

static uint32_t word_mask(unsigned int len, unsigned int word)
{
	unsigned int bits = len > word * 32 ? len - word * 32 : 0;

	return bits >= 32 ? UINT32_MAX : htonl(~(uint32_t)(UINT32_MAX >> bits));
}

static struct moat_length length_of(uint8_t len)
{
	struct moat_length ret = { .len = len };

	for (unsigned int i = 0; i < 4; i++)
		ret.mask[i] = word_mask(len, i);
	return ret;
}

const struct moat_lengths *sources_lengths(uint8_t family)
{
	static struct moat_lengths ret;

	memset(&ret, 0, sizeof(ret));
	if (family == MOAT_IPV4) {
		ret.at[ret.count++] = length_of(32);
		return &ret;
	}
	for (size_t i = 0; i < sizeof(lengths6); i++)
		ret.at[ret.count++] = length_of(lengths6[i]);
	return &ret;
}

/* MurmurHash3's finalizer: one-to-one. */
static uint32_t mix32(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x85EBCA6B;
	x ^= x >> 13;
	x *= 0xC2B2AE35;
	return x ^ x >> 16;
}

static uint64_t mix64(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xFF51AFD7ED558CCD;
	x ^= x >> 33;
	x *= 0xC4CEB9FE1A85EC53;
	return x ^ x >> 33;
}

/* The same idea on the 29 bits that 2000::/3 leaves of a /32. */
static uint32_t mix29(uint32_t x)
{
	const uint32_t mask = (1U << 29) - 1;

	x &= mask;
	x ^= x >> 15;
	x = (x * 0x85EBCA6B) & mask;
	x ^= x >> 13;
	x = (x * 0xC2B2AE35) & mask;
	return x ^ x >> 15;
}

/* An address inside source n; IPv6 has random bits behind the /32. */
static struct bench_source address(uint8_t family, uint32_t n)
{
	uint64_t low = mix64(n);

	if (family == MOAT_IPV4)
		return (struct bench_source){ .addr = { htonl(mix32(n ^ SEED)) } };
	return (struct bench_source){
		.addr = { htonl(0x20000000 | mix29(n)), htonl(mix32(n)), (uint32_t)low, low >> 32 },
	};
}

static uint8_t length(uint8_t family, uint32_t n)
{
	return family == MOAT_IPV4 ? 32 : lengths6[n % sizeof(lengths6)];
}

struct moat_key6 sources_key(uint8_t family, uint32_t n)
{
	struct bench_source source = address(family, n);
	struct moat_key6 key = { .len = length(family, n) };

	for (unsigned int i = 0; i < 4; i++)
		key.addr[i] = source.addr[i] & word_mask(key.len, i);
	return key;
}

uint64_t sources_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545F4914F6CDD1D;
}

static uint32_t below(uint32_t bound, uint64_t *state)
{
	return ((sources_random(state) >> 32) * bound) >> 32;
}

/* Outside of every listed prefix: no other source shares the /32. */
static struct bench_source neighbour6(uint32_t n)
{
	struct bench_source ret = address(MOAT_IPV6, n);
	unsigned int last = length(MOAT_IPV6, n) - 1;

	if (last >= 32)
		ret.addr[last / 32] ^= htonl(1U << (31 - last % 32));
	return ret;
}

struct bench_source sources_packet(uint8_t family, uint32_t count, bool listed, uint64_t *state)
{
	const uint32_t numbers = family == MOAT_IPV4 ? UINT32_MAX : 1U << 29;
	uint32_t n = listed ? below(count, state) : count + below(numbers - count, state);
	struct bench_source ret;

	if (!listed && family == MOAT_IPV6 && sources_random(state) >> 63) {
		n = below(count, state);
		if (length(family, n) > 32)
			return neighbour6(n);
		n = count;
	}
	ret = address(family, n);
	if (n == SEED && family == MOAT_IPV4)
		ret = address(family, count);
	if (family == MOAT_IPV6 && listed) {
		struct moat_key6 key = sources_key(family, n);
		uint64_t host = sources_random(state);

		for (unsigned int i = 0; i < 4; i++)
			ret.addr[i] = key.addr[i] |
				      ((uint32_t)(host >> (i & 1) * 32) & ~word_mask(key.len, i));
	}
	return ret;
}
