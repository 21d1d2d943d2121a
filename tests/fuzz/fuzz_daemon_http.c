// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any target, header line and body of a request to the real server over a fake
 * daemon: it answers, with a status, and errors are problem JSON.
 *
 * The first byte chooses the method, whether it comes by TCP, and the route that
 * the target begins with; then the target until a line feed, a header line
 * until another, and the body.
 */
#include "tests/unit/http_lab.h"

#include <strings.h>

#define REQUESTS 2000 /* then it begins with a new database */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const methods[] = { "GET", "POST", "DELETE", "PUT" };
static const char *const routes[] = {
	"/",
	"/api/v1/listings",
	"/api/v1/listings?",
	"/api/v1/explain?",
	"/api/v1/feeds",
	"/api/v1/feeds/abuse/import?",
	"/api/v1/feeds/abuse",
	"/api/v1/audit?",
	"/api/v1/status",
	"/metrics",
	"/api/v1/pause",
	"/api/v1/interfaces/in0/attach",
	"/api/v1/listings/",
	"/api/v1/openapi.json?",
	"/readyz",
	"/healthz",
};

static void must(bool good)
{
	if (!good)
		abort();
}

/* Bytes until a line feed, as text that a request line may have. */
static size_t take_line(const uint8_t *data, size_t size, bool target, char *to, size_t room)
{
	size_t i;

	for (i = 0; i < size && data[i] != '\n'; i++)
		if (i + 1 < room) {
			*to = (char)data[i];
			if (*to == '\r' || !*to || (target && (unsigned char)*to <= ' '))
				*to = '+';
			to++;
		}
	*to = '\0';
	return i < size ? i + 1 : i;
}

/* Not what says how the request ends: the client would wait for an answer that cannot come. */
static bool may_have(const char *header)
{
	static const char *const framing[] = { "Content-Length", "Transfer-Encoding", "Connection",
					       "Expect", "Upgrade" };

	for (size_t i = 0; i < ARRAY_SIZE(framing); i++)
		if (strcasestr(header, framing[i]))
			return false;
	return strchr(header, ':') && *header > ' ';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned int requests;
	static void *state;
	char target[12000], header[2000];
	struct response response;
	struct text request = {};
	const char *route;
	char *whole;
	uint8_t choice;

	if (!size)
		return 0;
	if (requests++ % REQUESTS == 0) {
		if (state)
			lab_teardown(&state);
		must(lab_setup(&state) == 0);
	}
	choice = *data++;
	size--;
	route = routes[choice >> 4];
	for (int line = 0; line < 2; line++) {
		size_t used = take_line(data, size, !line, line ? header : target,
					line ? sizeof(header) : sizeof(target));

		data += used;
		size -= used;
	}
	text_add(&request, "%s %s%s HTTP/1.1\r\nHost: localhost\r\n", methods[choice & 3], route,
		 target);
	if (may_have(header))
		text_add(&request, "%s\r\n", header);
	text_add(&request, "Connection: close\r\nContent-Length: %zu\r\n\r\n", size);
	whole = malloc(request.size + size);
	must(whole);
	memcpy(whole, request.data, request.size);
	memcpy(whole + request.size, data, size);
	response = lab_send(state, choice & 4 ? LAB_TCP : LAB_UNIX, whole, request.size + size);
	must(response.status == 0 || (response.status >= 200 && response.status < 600));
	response_free(&response);
	text_free(&request);
	free(whole);
	return 0;
}
