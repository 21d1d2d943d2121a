/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/api_store.h"

#include <microhttpd.h>

#include "core/units.h"

struct store *api_store(struct daemon *d, bool to_write, struct http_reply *reply)
{
	struct store *store = sync_store(d->sync);
	struct sync_numbers numbers;

	if (!store) {
		sync_numbers(d->sync, &numbers);
		http_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
				   "the database is not open (%s): %s; moatd keeps trying, and the "
				   "filter stays in force",
				   d->config->database,
				   numbers.problem[0] ? numbers.problem : "not yet");
		return NULL;
	}
	if (to_write && store_read_only(store)) {
		http_reply_error(reply, -EROFS, &(struct problem){ "nothing was changed" });
		return NULL;
	}
	return store;
}

bool api_follow(struct daemon *d, struct http_reply *reply)
{
	struct problem why = {};
	ssize_t done = sync_follow(d->sync, &why);

	if (done >= 0)
		return true;
	http_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
			   "written to the database, but not in force yet: %s; moatd keeps trying",
			   why.text[0] ? why.text : strerror((int)-done));
	return false;
}

bool api_limit(const struct http_request *rq, size_t preset, size_t max, size_t *ret,
	       struct http_reply *reply)
{
	const char *text = http_query(rq, "limit");
	uint64_t number = preset;

	if (text && (units_number(text, &number) || number < 1 || number > max)) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "limit='%.40s': a number from 1 to %zu is expected", text, max);
		return false;
	}
	*ret = (size_t)number;
	return true;
}
