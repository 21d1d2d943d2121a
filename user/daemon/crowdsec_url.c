/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/crowdsec.h"

#define STREAM "/v1/decisions/stream"
#define USAGE  "/v1/usage-metrics"

/* Appends; false once it does not fit. */
_printf_(3, 4) static bool add(char *to, size_t room, const char *fmt, ...)
{
	size_t used = strlen(to);
	va_list args;
	int size;

	va_start(args, fmt);
	size = vsnprintf(to + used, room - used, fmt, args);
	va_end(args);
	return size >= 0 && (size_t)size < room - used;
}

/* Where the API begins: "http://host:8080", without the slash. */
static size_t base_size(const char *url)
{
	size_t size = strcspn(url, "?#"), stream = strlen(STREAM);

	if (size >= stream && !memcmp(url + size - stream, STREAM, stream))
		size -= stream;
	while (size && url[size - 1] == '/')
		size--;
	return size;
}

static bool is_file(const struct config_feed *config)
{
	return !strncmp(config->url, "file:", 5);
}

/* What the operator's own query says stays, but for what is ours to say. */
static bool add_query(char *to, size_t room, const char *url, bool *ret_scopes)
{
	const char *at = strchr(url, '?');
	bool fits = true;

	for (at = at ? at + 1 : ""; *at && *at != '#' && fits; at += *at == '&') {
		size_t size = strcspn(at, "&#");

		if (size && strncmp(at, "startup=", 8) != 0)
			fits = add(to, room, "&%.*s", (int)size, at);
		*ret_scopes |= !strncmp(at, "scopes=", 7);
		at += size;
	}
	return fits;
}

int crowdsec_stream_url(const struct config_feed *config, bool all, char ret[static FEEDER_URL_MAX])
{
	const struct config_crowdsec *c = &config->crowdsec;
	const struct {
		const char *key, *words;
	} filters[] = {
		{ "origins", c->origins },
		{ "scenarios_containing", c->containing },
		{ "scenarios_not_containing", c->not_containing },
	};
	bool scopes = false, fits;

	ret[0] = '\0';
	if (is_file(config)) /* an answer that somebody saved */
		return add(ret, FEEDER_URL_MAX, "%s", config->url) ? 0 : -EINVAL;
	fits = add(ret, FEEDER_URL_MAX, "%.*s" STREAM "?startup=%s", (int)base_size(config->url),
		   config->url, all ? "true" : "false");
	fits = fits && add_query(ret, FEEDER_URL_MAX, config->url, &scopes);
	if (!scopes)
		fits = fits && add(ret, FEEDER_URL_MAX, "&scopes=ip,range,as");
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		if (filters[i].words)
			fits = fits &&
			       add(ret, FEEDER_URL_MAX, "&%s=%s", filters[i].key, filters[i].words);
	return fits ? 0 : -EINVAL;
}

int crowdsec_usage_url(const struct config_feed *config, char ret[static FEEDER_URL_MAX])
{
	ret[0] = '\0';
	if (is_file(config))
		return -EINVAL;
	return add(ret, FEEDER_URL_MAX, "%.*s" USAGE, (int)base_size(config->url), config->url)
		       ? 0
		       : -EINVAL;
}
