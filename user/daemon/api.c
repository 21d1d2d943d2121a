/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/api.h"

#include <microhttpd.h>

#include "daemon/api_body.h"
#include "daemon/api_negotiate.h"

/* A row a route; the last two columns are left out where they are nothing. */
/* clang-format off */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
static const struct api_route routes[] = {
	{ "GET", "/", API_ANYONE, api_web, "" },
	{ "GET", "/web/*", API_ANYONE, api_web, "" },
	{ "GET", "/metrics", API_ANYONE, api_metrics, "" },
	{ "GET", "/healthz", API_ANYONE, api_healthz, "" },
	{ "GET", "/readyz", API_ANYONE, api_readyz, "" },
	{ "GET", "/api/v1/openapi.json", API_READ, api_openapi, "", API_GIVES_JSON },
	{ "GET", "/api/v1/status", API_READ, api_status, "", API_GIVES_JSON },
	{ "GET", "/api/v1/listings", API_READ, api_listings_get,
	  "source category feed under expired review cursor limit", API_GIVES_JSON },
	{ "POST", "/api/v1/listings", API_WRITE, api_listings_add, "refused force dry_run results",
	  API_GIVES_JSON | API_TAKES_ROWS, &api_body_listings },
	{ "DELETE", "/api/v1/listings", API_WRITE, api_listings_remove,
	  "source category feed dry_run", API_GIVES_JSON | API_TAKES_ROWS, &api_body_keys },
	{ "POST", "/api/v1/reports", API_WRITE, api_reports, "ttl", API_GIVES_JSON | API_TAKES_ROWS,
	  &api_body_reports },
	{ "GET", "/api/v1/explain", API_READ, api_explain, "address proto port iface", API_GIVES_JSON },
	{ "GET", "/api/v1/top", API_READ, api_top, "by limit seen", API_GIVES_JSON },
	{ "GET", "/api/v1/rates", API_READ, api_rates, "since step", API_GIVES_JSON },
	{ "GET", "/api/v1/events", API_READ, api_events,
	  "topic verdict reason category iface source passes rate bytes format" },
	{ "GET", "/api/v1/audit", API_READ, api_audit, "since limit", API_GIVES_JSON },
	{ "GET", "/api/v1/audit/verify", API_READ, api_audit_verify, "head", API_GIVES_JSON },
	{ "POST", "/api/v1/audit/accept", API_ADMIN, api_audit_accept, "", API_GIVES_JSON },
	{ "GET", "/api/v1/whoami", API_READ, api_whoami, "", API_GIVES_JSON },
	{ "GET", "/api/v1/tokens", API_ADMIN, api_tokens, "", API_GIVES_JSON },
	{ "POST", "/api/v1/tokens/reload", API_ADMIN, api_tokens_reload, "", API_GIVES_JSON },
	{ "POST", "/api/v1/pause", API_ADMIN, api_pause, "", API_GIVES_JSON | API_TAKES_JSON },
	{ "POST", "/api/v1/resume", API_ADMIN, api_resume, "", API_GIVES_JSON },
	{ "POST", "/api/v1/interfaces/*/attach", API_ADMIN, api_attach, "confirm", API_GIVES_JSON },
	{ "POST", "/api/v1/interfaces/*/confirm", API_ADMIN, api_attach_confirm, "", API_GIVES_JSON },
	{ "POST", "/api/v1/interfaces/*/detach", API_ADMIN, api_detach, "", API_GIVES_JSON },
	{ "GET", "/api/v1/config", API_READ, api_config_get, "", API_GIVES_JSON },
	{ "POST", "/api/v1/config", API_ADMIN, api_config_apply, "confirm dry_run", API_GIVES_JSON },
	{ "POST", "/api/v1/config/confirm", API_ADMIN, api_config_confirm, "", API_GIVES_JSON },
	{ "POST", "/api/v1/config/rollback", API_ADMIN, api_config_rollback, "", API_GIVES_JSON },
	{ "GET", "/api/v1/feeds", API_READ, api_feeds, "", API_GIVES_JSON },
	{ "POST", "/api/v1/feeds/*/fetch", API_FEEDS, api_feed_fetch, "", API_GIVES_JSON },
	{ "POST", "/api/v1/feeds/*/hold", API_FEEDS, api_feed_hold, "", API_GIVES_JSON },
	{ "POST", "/api/v1/feeds/*/release", API_FEEDS, api_feed_release, "", API_GIVES_JSON },
	{ "POST", "/api/v1/feeds/*/import", API_FILE, api_feed_import,
	  "format category ttl dry_run force", API_GIVES_JSON },
};
#pragma GCC diagnostic pop
/* clang-format on */

const struct api_route *api_routes(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(routes);
	return routes;
}

const char *http_query(const struct http_request *rq, const char *key)
{
	for (size_t i = 0; i < rq->params; i++)
		if (strcmp(rq->param[i].key, key) == 0)
			return rq->param[i].value;
	return NULL;
}

/* Segment by segment; "*" takes one that is not empty and fits into name. */
static bool path_matches(const char *pattern, const char *path, char name[static HTTP_NAME_MAX])
{
	size_t want, have;

	for (;;) {
		want = strcspn(pattern, "/");
		have = strcspn(path, "/");
		if (want == 1 && pattern[0] == '*') {
			if (have == 0 || have >= HTTP_NAME_MAX)
				return false;
			memcpy(name, path, have);
			name[have] = '\0';
		} else if (want != have || memcmp(pattern, path, want) != 0) {
			return false;
		}
		pattern += want;
		path += have;
		if (!*pattern || !*path)
			return !*pattern && !*path;
		pattern++;
		path++;
	}
}

static bool method_matches(const struct api_route *route, const char *method)
{
	if (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0)
		return true;
	return strcmp(route->method, method) == 0;
}

static void add_method(struct http_reply *reply, const char *method)
{
	size_t used = strlen(reply->allow);

	snprintf(reply->allow + used, sizeof(reply->allow) - used, "%s%s", used ? ", " : "",
		 method);
	if (strcmp(method, "GET") == 0)
		add_method(reply, "HEAD");
}

static bool takes(const struct api_route *route, const char *key)
{
	const char *at = route->query;
	size_t len = strlen(key);

	while (*at) {
		size_t word = strcspn(at, " ");

		if (word == len && memcmp(at, key, len) == 0)
			return true;
		at += word + (at[word] == ' ');
	}
	return false;
}

static bool params_fit(const struct api_route *route, const struct http_request *rq,
		       struct http_reply *reply)
{
	for (size_t i = 0; i < rq->params; i++) {
		if (!takes(route, rq->param[i].key)) {
			http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
					   "unknown parameter '%.80s'; there are: %s",
					   rq->param[i].key, *route->query ? route->query : "none");
			return false;
		}
		if (http_query(rq, rq->param[i].key) != rq->param[i].value) {
			http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
					   "parameter '%s' is given twice", rq->param[i].key);
			return false;
		}
	}
	return true;
}

/* Whether client and route speak the same: Accept, Content-Type. */
static bool forms_fit(const struct api_route *route, const struct http_request *rq,
		      struct http_reply *reply)
{
	const char *accept = http_header(rq, MHD_HTTP_HEADER_ACCEPT);

	if (route->form & API_GIVES_JSON && !api_accepts(accept, HTTP_JSON)) {
		http_reply_problem(reply, MHD_HTTP_NOT_ACCEPTABLE, NULL,
				   "Accept '%.80s': there is only " HTTP_JSON, accept);
		return false;
	}
	if (!(route->form & (API_TAKES_JSON | API_TAKES_ROWS)))
		return true;
	return api_body_type_fits(rq, route->form & API_TAKES_ROWS, reply);
}

/* RFC 9110, 9.3.7: what may be asked of the path. No other site is let in by it (CORS). */
static void answer_options(struct http_reply *reply)
{
	add_method(reply, MHD_HTTP_METHOD_OPTIONS);
	reply->status = MHD_HTTP_NO_CONTENT;
}

const struct api_route *api_find(struct http_request *rq, struct http_reply *reply)
{
	const struct api_route *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(routes) && !found; i++) {
		if (!path_matches(routes[i].path, rq->path, rq->name))
			continue;
		add_method(reply, routes[i].method);
		if (method_matches(&routes[i], rq->method))
			found = &routes[i];
	}
	if (!found && !reply->allow[0]) {
		http_reply_problem(reply, MHD_HTTP_NOT_FOUND, NULL, "there is no %.200s", rq->path);
		return NULL;
	}
	if (!found && strcmp(rq->method, MHD_HTTP_METHOD_OPTIONS) == 0) {
		answer_options(reply);
		return NULL;
	}
	if (!found) {
		http_reply_problem(reply, MHD_HTTP_METHOD_NOT_ALLOWED, NULL, "%.200s takes %s",
				   rq->path, reply->allow);
		return NULL;
	}
	reply->allow[0] = '\0';
	if (!api_permitted(found, rq, reply) || !params_fit(found, rq, reply) ||
	    !forms_fit(found, rq, reply))
		return NULL;
	return found;
}

void api_finish(const struct api_route *route, const struct http_request *rq,
		struct http_reply *reply)
{
	bool good = !reply->status || reply->status == MHD_HTTP_OK;

	if (!method_matches(route, MHD_HTTP_METHOD_HEAD) || !good)
		return;
	if (route->form & API_GIVES_JSON && (reply->body.size || reply->fixed))
		api_etag_of_body(reply);
	api_conditions(rq, reply);
}

bool api_flag(const struct http_request *rq, const char *key, bool *ret, struct http_reply *reply)
{
	const char *text = http_query(rq, key);

	*ret = text && strcmp(text, "0") != 0;
	if (!text || !text[0] || !strcmp(text, "0") || !strcmp(text, "1"))
		return true;
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL, "%s='%.40s': 0 or 1 is expected", key,
			   text);
	return false;
}
