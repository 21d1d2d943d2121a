// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a page of a TAXII collection: what is taken for its objects
 * must be one more list of JSON when it stands where pages are put together.
 */
#include "core/feed_taxii.h"
#include "core/json_read.h"
#include "core_feed_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int ignore_token(void *arg, const struct json_token *token)
{
	(void)arg;
	(void)token;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_read json = { .fn = ignore_token, .text_max = 4096 };
	const char *bytes = (const char *)data;
	struct taxii_page page = { .begin = 1 };
	struct problem why = {};
	int err = taxii_page_read(bytes, size, &page, &why);

	must(!err == !why.text[0]);
	if (err) {
		must(err == -EBADMSG && page.begin == 1);
		return 0;
	}
	must(page.begin <= page.end && page.end <= size);
	must(strnlen(page.next, sizeof(page.next)) < sizeof(page.next));
	err = json_read_push(&json, TAXII_BEGIN, sizeof(TAXII_BEGIN) - 1);
	for (int i = 0; i < 2 && page.end > page.begin && !err; i++) {
		err = i ? json_read_push(&json, ",", 1) : 0;
		err = err ?: json_read_push(&json, bytes + page.begin, page.end - page.begin);
	}
	err = err ?: json_read_push(&json, TAXII_END, sizeof(TAXII_END) - 1);
	err = err ?: json_read_finish(&json);
	must(!err);
	json_read_fini(&json);
	return 0;
}
