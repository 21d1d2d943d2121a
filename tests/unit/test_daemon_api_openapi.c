/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The document of the API against the table of routes, in both directions, and
 * against the labels that the code gives out.
 */
#include "core/gate.h"
#include "daemon/api.h"
#include "daemon/labels.h"
#include "moat/reason.h"
#include "moat/stats.h"
#include "tests/unit/http_lab.h"

#define DOCUMENT "/api/v1/openapi.json"

static const char *permission_of(enum api_permission permission)
{
	switch (permission) {
	case API_ANYONE:
		return "anyone";
	case API_READ:
		return "read";
	case API_WRITE:
		return "write";
	case API_FEEDS:
	case API_FILE:
		return "feeds";
	case API_ADMIN:
		break;
	}
	return "admin";
}

/* "/a/{name}/b" is "/a/" star "/b" in the table. */
static void pattern_of(const char *path, char *pattern, size_t room)
{
	size_t at = 0;

	for (; *path && at + 2 < room; path++) {
		if (*path == '{') {
			path += strcspn(path, "}");
			pattern[at++] = '*';
		} else {
			pattern[at++] = *path;
		}
	}
	pattern[at] = '\0';
}

static const struct api_route *route_of(const char *method, const char *path)
{
	char pattern[256];
	size_t count;
	const struct api_route *route = api_routes(&count);

	pattern_of(path, pattern, sizeof(pattern));
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(route[i].method, method) == 0 && !strcmp(route[i].path, pattern))
			return &route[i];
	return NULL;
}

/* What a route of the table is in the document; NULL: nothing. */
static const json_t *operation_of(const json_t *document, const struct api_route *route)
{
	json_t *paths = json_object_get(document, "paths"), *item, *operation;
	char pattern[256];
	const char *path, *method;

	json_object_foreach(paths, path, item) {
		pattern_of(path, pattern, sizeof(pattern));
		if (strcmp(pattern, route->path) != 0)
			continue;
		json_object_foreach(item, method, operation)
			if (strcasecmp(method, route->method) == 0)
				return operation;
	}
	return NULL;
}

static bool is_word(const char *words, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = words; *at; at += strspn(at, " ")) {
		size_t here = strcspn(at, " ");

		if (here == size && memcmp(at, word, size) == 0)
			return true;
		at += here;
	}
	return false;
}

static void every_route_is_described_as_it_is(void **state)
{
	_cleanup_response_ struct response r = get(state, DOCUMENT);
	size_t count;
	const struct api_route *route = api_routes(&count);

	assert_int_equal(r.status, 200);
	for (size_t i = 0; i < count; i++, route++) {
		const json_t *operation = operation_of(r.json, route), *answers;
		const json_t *body;

		if (!operation)
			fail_msg("%s %s is not in the document", route->method, route->path);
		if (strcmp(member(operation, "x-moat-permission"),
			   permission_of(route->permission)) != 0)
			fail_msg("%s %s: x-moat-permission is '%s', not '%s'", route->method,
				 route->path, member(operation, "x-moat-permission"),
				 permission_of(route->permission));
		answers = json_object_get(json_object_get(operation, "responses"), "200");
		answers = json_object_get(answers, "content");
		if (json_object_size(answers) == 1 && json_object_get(answers, HTTP_JSON) &&
		    !(route->form & API_GIVES_JSON))
			fail_msg("%s %s lacks API_GIVES_JSON", route->method, route->path);
		body = json_object_get(json_object_get(operation, "requestBody"), "content");
		if (!json_object_get(body, "application/x-ndjson") !=
		    !(route->form & API_TAKES_ROWS))
			fail_msg("%s %s: rows here, and not there", route->method, route->path);
	}
}

static void what_is_described_is_there(void **state)
{
	_cleanup_response_ struct response r = get(state, DOCUMENT);
	json_t *item, *operation;
	const char *path, *method;
	size_t count, seen = 0;

	api_routes(&count);
	json_object_foreach(json_object_get(r.json, "paths"), path, item) {
		json_object_foreach(item, method, operation) {
			if (!route_of(method, path))
				fail_msg("%s %s is described, and is not there", method, path);
			assert_true(member(operation, "summary")[0]);
			assert_true(member(operation, "operationId")[0]);
			seen++;
		}
	}
	assert_int_equal(seen, count);
}

/* Each parameter of the one is one of the other, and is said what it is. */
static void compare_parameters(const struct api_route *route, const json_t *operation)
{
	json_t *parameter, *parameters = json_object_get(operation, "parameters");
	size_t i, described = 0, words = 0;

	json_array_foreach(parameters, i, parameter) {
		assert_true(member(parameter, "description")[0]);
		assert_non_null(json_object_get(parameter, "schema"));
		if (strcmp(member(parameter, "in"), "query") != 0)
			continue;
		if (!is_word(route->query, member(parameter, "name")))
			fail_msg("%s %s does not take '%s'", route->method, route->path,
				 member(parameter, "name"));
		described++;
	}
	for (const char *at = route->query; *at; at += strspn(at, " ")) {
		at += strcspn(at, " ");
		words++;
	}
	if (described != words)
		fail_msg("%s %s takes %zu parameters (%s), %zu are described", route->method,
			 route->path, words, route->query, described);
}

static void parameters_are_those_of_the_table(void **state)
{
	_cleanup_response_ struct response r = get(state, DOCUMENT);
	size_t count;
	const struct api_route *route = api_routes(&count);

	for (size_t i = 0; i < count; i++, route++)
		compare_parameters(route, operation_of(r.json, route));
}

/* ---- components ---- */

/* Text of a whole reference, to look for. */
static bool is_referred_to(const char *document, const char *kind, const char *name)
{
	char reference[128];

	snprintf(reference, sizeof(reference), "\"#/components/%s/%s\"", kind, name);
	return strstr(document, reference);
}

static void what_is_described_once_is_used(void **state)
{
	static const char *const kinds[] = { "schemas", "responses", "headers" };
	_cleanup_response_ struct response r = get(state, DOCUMENT);
	json_t *components = json_object_get(r.json, "components"), *component;
	const char *name;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_true(json_object_size(json_object_get(components, kinds[i])) > 0);
		json_object_foreach(json_object_get(components, kinds[i]), name, component)
			if (!is_referred_to(r.body, kinds[i], name))
				fail_msg("%s %s is described, and nothing refers to it", kinds[i],
					 name);
	}
}

/* Every route is counted against the rate of an address before it is looked at. */
static void who_asks_too_fast_is_told_so_everywhere(void **state)
{
	_cleanup_response_ struct response r = get(state, DOCUMENT);
	json_t *item, *operation;
	const char *path, *method;

	json_object_foreach(json_object_get(r.json, "paths"), path, item) {
		json_object_foreach(item, method, operation) {
			const json_t *answers = json_object_get(operation, "responses");

			if (strcmp(member(json_object_get(answers, "429"), "$ref"),
				   "#/components/responses/TooMany") != 0)
				fail_msg("%s %s: 429 is not described", method, path);
		}
	}
}

/* ---- labels ---- */

static void compare_labels(const struct response *r, const char *schema, const char *const *labels,
			   size_t count)
{
	json_t *node = json_object_get(json_object_get(r->json, "components"), "schemas");
	size_t found = 0;

	node = json_object_get(json_object_get(node, schema), "enum");
	for (size_t i = 0; i < count; i++) {
		const json_t *entry;
		size_t at;

		json_array_foreach(node, at, entry)
			found += strcmp(json_string_value(entry), labels[i]) == 0;
		if (found != i + 1)
			fail_msg("schema %s lacks '%s'", schema, labels[i]);
	}
	assert_int_equal(json_array_size(node), count);
}

static void labels_are_those_of_the_code(void **state)
{
	_cleanup_response_ struct response r = get(state, DOCUMENT);
	const char *labels[64];
	size_t count = 0;

	for (int cause = GATE_PASSED + 1; cause < GATE_CAUSE_MAX; cause++)
		labels[count++] = gate_cause_label(cause);
	compare_labels(&r, "GateCause", labels, count);
	count = 0;
	for (uint32_t verdict = 0; verdict < MOAT_VERDICT_MAX; verdict++)
		labels[count++] = label_verdict(verdict);
	compare_labels(&r, "Verdict", labels, count);
	count = 0;
	for (uint32_t reason = 0; reason < MOAT_REASON_MAX; reason++)
		if (label_reason(reason)[0]) /* numbers that no reason has */
			labels[count++] = label_reason(reason);
	compare_labels(&r, "Reason", labels, count);
}

/* ---- headers ---- */

static struct response ask_with(void **state, const char *method, const char *path,
				const char *header, const char *body)
{
	struct text request = {};
	struct response r;

	text_add(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n",
		 method, path, header);
	text_add(&request, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	r = lab_send(*state, LAB_UNIX, request.data, request.size);
	text_free(&request);
	return r;
}

/* The tag of an answer, with its quotes; "" if there is none. */
static void etag_of(const struct response *r, char tag[static 64])
{
	const char *at = strstr(r->text, "ETag: ");

	tag[0] = '\0';
	if (at)
		snprintf(tag, 64, "%.*s", (int)strcspn(at + 6, "\r"), at + 6);
}

static void what_the_client_has_is_not_sent_again(void **state)
{
	_cleanup_response_ struct response first = get(state, "/api/v1/listings");
	char tag[64], header[128], other[64];

	etag_of(&first, tag);
	assert_int_equal(strlen(tag), 34);
	assert_non_null(strstr(first.text, "Cache-Control: private, no-cache\r\n"));
	snprintf(header, sizeof(header), "If-None-Match: \"x\", W/%s", tag);

	_cleanup_response_ struct response same =
		ask_with(state, "GET", "/api/v1/listings", header, "");
	assert_int_equal(same.status, 304);
	assert_string_equal(same.body, "");
	etag_of(&same, other);
	assert_string_equal(tag, other);

	_cleanup_response_ struct response head =
		ask_with(state, "HEAD", "/api/v1/listings", header, "");
	assert_int_equal(head.status, 304);

	_cleanup_response_ struct response added =
		post(state, "/api/v1/listings",
		     "{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}");
	_cleanup_response_ struct response changed =
		ask_with(state, "GET", "/api/v1/listings", header, "");
	assert_int_equal(added.status, 200);
	assert_null(strstr(added.text, "ETag: "));
	assert_int_equal(changed.status, 200);

	_cleanup_response_ struct response wrong =
		ask_with(state, "GET", "/api/v1/listings", "If-Match: \"x\"", "");
	assert_int_equal(wrong.status, 412);
}

static void listings_end_only_as_they_were_seen(void **state)
{
	static const char path[] = "/api/v1/listings?source=192.0.2.1&category=botnet";
	_cleanup_response_ struct response one =
		post(state, "/api/v1/listings",
		     "{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}");
	_cleanup_response_ struct response seen = get(state, path);
	char tag[64], header[128];

	etag_of(&seen, tag);
	snprintf(header, sizeof(header), "If-Match: %s", tag);
	assert_int_equal(listings_in(&seen), 1);

	_cleanup_response_ struct response two =
		post(state, "/api/v1/listings",
		     "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"feed\":\"f\"}");
	_cleanup_response_ struct response late = ask_with(state, "DELETE", path, header, "");

	assert_int_equal(one.status, 200);
	assert_int_equal(two.status, 200);
	assert_int_equal(late.status, 412);
	assert_int_equal(rows_in_database(), 2);

	_cleanup_response_ struct response again = get(state, path);
	etag_of(&again, tag);
	snprintf(header, sizeof(header), "If-Match: %s", tag);
	_cleanup_response_ struct response done = ask_with(state, "DELETE", path, header, "");
	assert_int_equal(done.status, 200);
	assert_int_equal(rows_in_database(), 0);
}

static void the_media_types_of_a_client_count(void **state)
{
	static const char row[] = "{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}";
	static const struct {
		const char *method, *path, *header, *body;
		int status;
	} asked[] = {
		{ "GET", "/api/v1/status", "Accept: application/json", "", 200 },
		{ "GET", "/api/v1/status", "Accept: text/html, */*;q=0.8", "", 200 },
		{ "GET", "/api/v1/status", "Accept: application/*", "", 200 },
		{ "GET", "/api/v1/status", "Accept: text/html", "", 406 },
		{ "GET", "/api/v1/status", "Accept: application/json;q=0, text/html", "", 406 },
		{ "GET", "/metrics", "Accept: text/html", "", 200 },
		{ "POST", "/api/v1/listings", "Content-Type: application/json; charset=utf-8", row,
		  200 },
		{ "POST", "/api/v1/listings", "Content-Type: application/x-ndjson", row, 200 },
		{ "POST", "/api/v1/listings", "Content-Type: application/x-www-form-urlencoded",
		  row, 200 },
		{ "POST", "/api/v1/listings", "Content-Type: text/csv", row, 415 },
		{ "POST", "/api/v1/listings", "Content-Encoding: gzip", row, 415 },
		{ "POST", "/api/v1/pause", "Content-Type: application/xml", "{}", 415 },
		{ "OPTIONS", "/api/v1/listings", "X-A: b", "", 204 },
		{ "OPTIONS", "/api/v1/nosuch", "X-A: b", "", 404 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		_cleanup_response_ struct response r = ask_with(state, asked[i].method,
								asked[i].path, asked[i].header,
								asked[i].body);

		if (r.status != asked[i].status)
			fail_msg("%s %s with '%s' is %d, not %d", asked[i].method, asked[i].path,
				 asked[i].header, r.status, asked[i].status);
		if (r.status == 204)
			assert_non_null(strstr(r.text, "Allow: GET, HEAD, POST, DELETE, OPTIONS"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(every_route_is_described_as_it_is),
		with_lab(what_is_described_is_there),
		with_lab(parameters_are_those_of_the_table),
		with_lab(what_is_described_once_is_used),
		with_lab(who_asks_too_fast_is_told_so_everywhere),
		with_lab(labels_are_those_of_the_code),
		with_lab(what_the_client_has_is_not_sent_again),
		with_lab(listings_end_only_as_they_were_seen),
		with_lab(the_media_types_of_a_client_count),
	};

	return cmocka_run_group_tests_name("daemon api openapi", tests, NULL, NULL);
}
