// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any text into prefix_parse(). What is accepted must come back from its own
 * text, and an address must be one for the C library too.
 */
#include <arpa/inet.h>

#include "core/prefix.h"

#define TEXT_MAX 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_round_trip(const struct prefix *p)
{
	char text[PREFIX_TEXT_MAX];
	struct prefix back, masked = *p;

	prefix_mask(&masked);
	check(!prefix_compare(&masked, p));
	check(p->len <= prefix_max(p->family));
	check(!prefix_parse(prefix_format(p, text), &back) && !prefix_compare(p, &back));
	check(!prefix_parse(prefix_format_cidr(p, text), &back) && !prefix_compare(p, &back));
	check(prefix_covers(p, &back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 1];
	uint8_t address[16];
	struct prefix p;
	bool is_address;
	int err;

	if (size > TEXT_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	err = prefix_parse(text, &p);
	check(err == 0 || err == -EINVAL || err == -ERANGE || err == -EDOM);
	if (err == 0 || err == -EDOM)
		check_round_trip(&p);

	is_address = inet_pton(AF_INET, text, address) == 1 ||
		     inet_pton(AF_INET6, text, address) == 1;
	if (!strchr(text, '/'))
		check(is_address == !err);
	return 0;
}
