// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a MaxMind database, through libmaxminddb and moat's walk of the
 * tree. The seeds were written by tests/unit/mmdb_lab.h.
 */
#include <sys/mman.h>

#include "core_feed_fuzz.h"
#include "daemon/feeder_mmdb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The library forgets some memory of a file it refuses; the child ends with its list. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb";
}

static int check(void *arg, const struct feed_row *row)
{
	struct prefix masked = row->source;

	must(row->source.len && row->source.len <= prefix_max(row->source.family));
	prefix_mask(&masked);
	must(!prefix_compare(&masked, &row->source));
	++*(uint64_t *)arg;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
	_cleanup_(feed_asn_freep) struct feed_asn *a = NULL;
	struct feed_row row = { .kind = FEED_ROW_ASN };
	struct problem why = {};
	int err;

	must(fd >= 0 && !feed_asn_new(&a));
	if (!size || write(fd, data, size) != (ssize_t)size)
		return 0;
	if (!mmdb_recognise(fd, (off_t)size))
		return 0;
	err = mmdb_read(fd, a, &why);
	must(!err == !why.text[0]);
	if (err)
		return 0;
	must(!feed_asn_end_table(a));
	feed_asn_ready(a);
	for (row.asn = 64496; row.asn < 64500; row.asn++) {
		uint64_t rows = 0, prefixes;

		must(!feed_asn_expand(a, &row, check, &rows, &prefixes) && rows == prefixes);
	}
	return 0;
}
