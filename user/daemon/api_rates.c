/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/rates: what became of packets, a second, over the last time.
 */
#include <microhttpd.h>

#include "core/history.h"
#include "core/units.h"
#include "core/when.h"
#include "daemon/api.h"
#include "daemon/api_listing.h"
#include "daemon/rates.h"

#define SINCE_PRESET 300

/* How far back: a duration, or a time. */
static bool take_since(const struct http_request *rq, int64_t *ret, struct http_reply *reply)
{
	const char *text = http_query(rq, "since");
	int64_t at;

	*ret = SINCE_PRESET;
	if (!text)
		return true;
	if (units_duration(text, ret)) {
		if (when_parse(text, &at)) {
			http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
					   "since='%.40s': a duration (10m, 6h, 7d), seconds since "
					   "1970 or an RFC 3339 time is expected",
					   text);
			return false;
		}
		*ret = api_now() - at;
	}
	if (*ret < 1)
		*ret = 1;
	if (*ret > HISTORY_SECONDS_MAX)
		*ret = HISTORY_SECONDS_MAX;
	return true;
}

static bool take_step(const struct http_request *rq, int64_t seconds, unsigned int *ret,
		      struct http_reply *reply)
{
	const char *text = http_query(rq, "step");
	int64_t step;

	*ret = rates_step(seconds);
	if (!text)
		return true;
	if (!units_duration(text, &step) && step <= UINT32_MAX) {
		*ret = (unsigned int)step;
		return true;
	}
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
			   "step='%.40s': 1s, 10s, 1m, 5m or 30m is expected", text);
	return false;
}

void api_rates(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	const struct text *answer = NULL;
	unsigned int step;
	int64_t seconds;
	int err;

	if (!take_since(rq, &seconds, reply) || !take_step(rq, seconds, &step, reply))
		return;
	err = d->rates ? rates_history(d->rates, seconds, step, &answer) : -EBUSY;
	if (err == -EINVAL)
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "step: 1s back to 10m, 10s to 6h, 1m to 36h, 5m or 30m to 7d is "
				   "expected");
	else if (err)
		http_reply_error(reply, err, &(struct problem){ "rates" });
	if (err)
		return;
	reply->type = HTTP_JSON;
	text_add(&reply->body, "%.*s", (int)answer->size, answer->data);
}
