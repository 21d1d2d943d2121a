/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's metrics (Prometheus text 0.0.4) as JSON, an object a sample:
 * {"name", "labels": {}, "value"}.
 */
#include "cli/show.h"
#include "core/emit.h"

/* Copies a quoted label value without its escapes. Returns what follows the quote, or NULL. */
static const char *take_value(const char *at, struct text *out)
{
	for (; *at && *at != '"'; at++) {
		char c = *at;

		if (c == '\\') {
			c = *++at;
			if (!c)
				return NULL;
			if (c == 'n')
				c = '\n';
		}
		text_add(out, "%c", c);
	}
	return *at ? at + 1 : NULL;
}

/* name="value",... up to and past the brace. Returns what follows, or NULL. */
static const char *take_labels(const char *at, struct emit *e)
{
	while (at && *at && *at != '}') {
		size_t name = strcspn(at, "=");
		_cleanup_(text_free) struct text key = {}, value = {};

		if (at[name] != '=' || at[name + 1] != '"')
			return NULL;
		text_add(&key, "%.*s", (int)name, at);
		text_add(&value, "%s", "");
		at = take_value(at + name + 2, &value);
		if (key.failed || value.failed)
			return NULL;
		emit_text(e, key.data, value.data ? value.data : "");
		if (at && *at == ',')
			at++;
	}
	return at && *at ? at + 1 : NULL;
}

static void show_sample(struct emit *e, const char *line)
{
	size_t name = strcspn(line, "{ ");
	_cleanup_(text_free) struct text key = {};
	const char *at = line + name;

	text_add(&key, "%.*s", (int)name, line);
	if (key.failed)
		return;
	emit_begin(e, NULL, '{');
	emit_text(e, "name", key.data);
	emit_begin(e, "labels", '{');
	if (*at == '{')
		at = take_labels(at + 1, e);
	emit_end(e, '}');
	emit_real(e, "value", at ? strtod(at, NULL) : 0);
	emit_end(e, '}');
}

void show_metrics_json(const struct cli *cli, const char *metrics)
{
	_cleanup_(text_free) struct text out = {};
	_cleanup_free_ char *copy = strdup(metrics);
	struct emit e = { .out = &out };
	char *rest = NULL;

	emit_begin(&e, NULL, '[');
	for (char *line = copy ? strtok_r(copy, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest))
		if (*line != '#')
			show_sample(&e, line);
	emit_end(&e, ']');
	fputs(copy && !out.failed ? out.data : "[]", cli->out);
	fputc('\n', cli->out);
}
