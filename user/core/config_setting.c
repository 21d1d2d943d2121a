// SPDX-License-Identifier: BSD-2-Clause
#include <strings.h>

#include <yaml.h>

#include "core/config_setting.h"
#include "core/units.h"

#define FILE_NAME_MAX 255 /* characters of the file's name in a message */

struct setting *setting_free(struct setting *n)
{
	while (n) {
		struct setting *next = n->next;

		setting_free(n->first);
		free(n->text);
		free(n->key);
		free(n);
		n = next;
	}
	return NULL;
}

/* buf takes 4 * max + 4 bytes. */
static const char *escape(const char *text, size_t max, char *buf)
{
	char *out = buf;
	size_t i;

	for (i = 0; text[i] && i < max; i++) {
		unsigned char c = text[i];

		if (c >= 0x20 && c < 0x7f)
			*out++ = c;
		else
			out += snprintf(out, 5, "\\x%02x", c);
	}
	memcpy(out, text[i] ? "..." : "", text[i] ? 4 : 1);
	return buf;
}

const char *setting_shown(const char *text, char buf[static SETTING_SHOWN])
{
	return escape(text, SETTING_SHOWN_MAX, buf);
}

_printf_(5, 0) static int fail_at(const struct setting_file *file, unsigned int line,
				  unsigned int column, int error, const char *fmt, va_list args)
{
	char name[4 * FILE_NAME_MAX + 4], what[PROBLEM_MAX];

	vsnprintf(what, sizeof(what), fmt, args);
	return problem_set(file->why, error, "%s:%u:%u: %s",
			   escape(file->name, FILE_NAME_MAX, name), line, column, what);
}

int setting_fail(const struct setting_file *file, const struct setting *at, const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = fail_at(file, at->line, at->column, -EINVAL, fmt, args);
	va_end(args);
	return err;
}

int setting_fail_key(const struct setting_file *file, const struct setting *at, const char *fmt,
		     ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = fail_at(file, at->key_line, at->key_column, -EINVAL, fmt, args);
	va_end(args);
	return err;
}

/* ---- from libyaml's events to the tree ---- */

struct builder {
	const struct setting_file *file;
	const char *text; /* the whole file, for errors below the level of YAML */
	size_t size;
	yaml_parser_t parser;
};

_printf_(4, 5) static int fail_mark(const struct builder *b, const yaml_mark_t *mark, int error,
				    const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail_at(b->file, mark->line + 1, mark->column + 1, error, fmt, args);
	va_end(args);
	return error;
}

/* libyaml gives these errors a byte offset instead of a mark. */
static yaml_mark_t mark_of_offset(const struct builder *b, size_t offset)
{
	yaml_mark_t mark = {};

	for (size_t i = 0; i < offset && i < b->size; i++) {
		if (b->text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if ((b->text[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

static int fail_parser(const struct builder *b)
{
	const yaml_parser_t *parser = &b->parser;
	const char *problem = parser->problem ? parser->problem : "not YAML";
	yaml_mark_t mark = parser->problem_mark;

	if (parser->error == YAML_MEMORY_ERROR)
		return fail_mark(b, &parser->mark, -ENOMEM, "out of memory");
	if (parser->error == YAML_READER_ERROR)
		mark = mark_of_offset(b, parser->problem_offset);
	if (parser->context)
		return fail_mark(b, &mark, -EINVAL, "%s (%s)", problem, parser->context);
	return fail_mark(b, &mark, -EINVAL, "%s", problem);
}

static int next_event(struct builder *b, yaml_event_t *event)
{
	return yaml_parser_parse(&b->parser, event) ? 0 : fail_parser(b);
}

/* The control characters of ISO 646 and, in UTF-8, those of ISO 6429 (U+0080 to U+009F). */
static bool has_control(const yaml_char_t *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f)
			return true;
		if (text[i] == 0xc2 && i + 1 < length && text[i + 1] < 0xa0)
			return true;
	}
	return false;
}

/* A copy of a scalar's text, refused if a terminal or a C string would stumble over it. */
static int copy_text(const struct builder *b, const yaml_event_t *event, char **ret)
{
	const yaml_char_t *value = event->data.scalar.value;
	size_t length = event->data.scalar.length;

	if (has_control(value, length))
		return fail_mark(b, &event->start_mark, -EINVAL,
				 "control character or line break in a value");
	*ret = strndup((const char *)value, length);
	if (!*ret)
		return fail_mark(b, &event->start_mark, -ENOMEM, "out of memory");
	return 0;
}

static const char *event_tag(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return (const char *)event->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return (const char *)event->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return (const char *)event->data.mapping_start.tag;
	default:
		return NULL;
	}
}

static int build(struct builder *b, const yaml_event_t *event, const char *name, unsigned int depth,
		 struct setting **ret);

static int build_list(struct builder *b, struct setting *list, unsigned int depth)
{
	struct setting **last = &list->first;

	for (;;) {
		_cleanup_(yaml_event_delete) yaml_event_t event = {};
		int err = next_event(b, &event);

		if (err || event.type == YAML_SEQUENCE_END_EVENT)
			return err;
		err = build(b, &event, list->name, depth, last);
		if (err)
			return err;
		last = &(*last)->next;
	}
}

static int check_key(const struct builder *b, const struct setting *mapping,
		     const yaml_event_t *event, const char *key, unsigned int keys)
{
	const struct setting *same = setting_get(mapping, key);
	char shown[SETTING_SHOWN];

	if (same)
		return fail_mark(b, &event->start_mark, -EINVAL,
				 "'%s' is there twice, first in line %u", setting_shown(key, shown),
				 same->key_line);
	if (keys >= SETTING_KEYS_MAX)
		return fail_mark(b, &event->start_mark, -EINVAL, "more than %d keys here",
				 SETTING_KEYS_MAX);
	return 0;
}

static int build_mapping(struct builder *b, struct setting *mapping, unsigned int depth)
{
	struct setting **last = &mapping->first;

	for (unsigned int keys = 0;; keys++) {
		_cleanup_(yaml_event_delete) yaml_event_t at = {};
		_cleanup_(yaml_event_delete) yaml_event_t event = {};
		_cleanup_free_ char *key = NULL;
		int err = next_event(b, &at);

		if (err || at.type == YAML_MAPPING_END_EVENT)
			return err;
		if (at.type != YAML_SCALAR_EVENT || event_tag(&at))
			return fail_mark(b, &at.start_mark, -EINVAL, "a key must be a plain name");
		err = copy_text(b, &at, &key);
		if (!err)
			err = check_key(b, mapping, &at, key, keys);
		if (!err)
			err = next_event(b, &event);
		if (!err)
			err = build(b, &event, key, depth, last);
		if (err)
			return err;
		(*last)->key = take_ptr(key);
		(*last)->key_line = at.start_mark.line + 1;
		(*last)->key_column = at.start_mark.column + 1;
		last = &(*last)->next;
	}
}

/* The value that begins with event. name is kept, it must live as long as the tree. */
static int build(struct builder *b, const yaml_event_t *event, const char *name, unsigned int depth,
		 struct setting **ret)
{
	_cleanup_(setting_freep) struct setting *n = calloc(1, sizeof(*n));
	int err = 0;

	if (!n)
		return fail_mark(b, &event->start_mark, -ENOMEM, "out of memory");
	if (event->type == YAML_ALIAS_EVENT)
		return fail_mark(b, &event->start_mark, -EINVAL,
				 "aliases are not supported, write the value out");
	if (event_tag(event))
		return fail_mark(b, &event->start_mark, -EINVAL, "tags (!...) are not supported");
	if (depth == SETTING_DEPTH_MAX)
		return fail_mark(b, &event->start_mark, -EINVAL, "nested too deep");

	n->line = event->start_mark.line + 1;
	n->column = event->start_mark.column + 1;
	n->name = name;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		n->type = SETTING_TEXT;
		err = copy_text(b, event, &n->text);
		break;
	case YAML_SEQUENCE_START_EVENT:
		n->type = SETTING_LIST;
		err = build_list(b, n, depth + 1);
		break;
	case YAML_MAPPING_START_EVENT:
		n->type = SETTING_MAPPING;
		err = build_mapping(b, n, depth + 1);
		break;
	default:
		return fail_mark(b, &event->start_mark, -EINVAL, "a value is missing");
	}
	if (err)
		return err;
	*ret = take_ptr(n);
	return 0;
}

static int build_document(struct builder *b, struct setting **ret)
{
	_cleanup_(setting_freep) struct setting *root = NULL;

	for (;;) {
		_cleanup_(yaml_event_delete) yaml_event_t event = {};
		int err = next_event(b, &event);

		if (err)
			return err;
		switch (event.type) {
		case YAML_STREAM_END_EVENT:
			*ret = take_ptr(root);
			return 0;
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		case YAML_DOCUMENT_START_EVENT:
			if (root)
				return fail_mark(b, &event.start_mark, -EINVAL,
						 "a second document begins here, one is allowed");
			break;
		default:
			err = build(b, &event, "the file", 0, &root);
			if (err)
				return err;
		}
	}
}

int setting_parse(const struct setting_file *file, const char *text, size_t size,
		  struct setting **ret)
{
	struct builder b = { .file = file, .text = text, .size = size };
	int err;

	if (!yaml_parser_initialize(&b.parser))
		return problem_set(file->why, -ENOMEM, "out of memory");
	/* Not guessed: what looks like UTF-16 is an error at its first byte. */
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, size);
	err = build_document(&b, ret);
	yaml_parser_delete(&b.parser);
	return err;
}

/* ---- reading ---- */

const struct setting *setting_get(const struct setting *mapping, const char *key)
{
	const struct setting *n;

	for (n = mapping->first; n; n = n->next) {
		if (n->key && !strcmp(n->key, key))
			return n;
	}
	return NULL;
}

size_t setting_children(const struct setting *n)
{
	size_t count = 0;

	for (const struct setting *child = n->first; child; child = child->next)
		count++;
	return count;
}

static int fail_expected(const struct setting_file *file, const struct setting *n, const char *what)
{
	static const char *const have[] = { "", "a list", "a mapping" };
	char name[SETTING_SHOWN], text[SETTING_SHOWN];

	setting_shown(n->name, name);
	if (n->type != SETTING_TEXT)
		return setting_fail(file, n, "%s: expected %s, not %s", name, what, have[n->type]);
	if (!n->text[0])
		return setting_fail(file, n, "%s: expected %s, but nothing is there", name, what);
	return setting_fail(file, n, "%s: expected %s, not '%s'", name, what,
			    setting_shown(n->text, text));
}

int setting_expect_mapping(const struct setting_file *file, const struct setting *n,
			   const char *example)
{
	char what[SETTING_JOINED];

	if (n->type == SETTING_MAPPING)
		return 0;
	snprintf(what, sizeof(what), "a mapping such as %s", example);
	return fail_expected(file, n, what);
}

int setting_expect_list(const struct setting_file *file, const struct setting *n,
			const char *example)
{
	char what[SETTING_JOINED];

	if (n->type == SETTING_LIST)
		return 0;
	snprintf(what, sizeof(what), "a list such as %s", example);
	return fail_expected(file, n, what);
}

int setting_text(const struct setting_file *file, const struct setting *n, const char **ret)
{
	if (n->type != SETTING_TEXT || !n->text[0])
		return fail_expected(file, n, "a value");
	*ret = n->text;
	return 0;
}

/* "0x" and one to sixteen digits. */
static int hex_number(const char *text, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i;

	if (text[0] != '0' || (text[1] | 0x20) != 'x' || !text[2])
		return -EINVAL;
	for (i = 2; text[i] && i < 18; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *at = strchr(digits, text[i] | 0x20);

		if (!at || !*at)
			return -EINVAL;
		value = value << 4 | (uint64_t)(at - digits);
	}
	if (text[i])
		return -EINVAL;
	*ret = value;
	return 0;
}

int setting_keep(const struct setting_file *file, const char *text, char **target)
{
	char *copy = strdup(text);

	if (!copy)
		return problem_set(file->why, -ENOMEM, "out of memory");
	free(*target);
	*target = copy;
	return 0;
}

int setting_path(const struct setting_file *file, const struct setting *n, size_t max,
		 char **target)
{
	char shown[SETTING_SHOWN];
	const char *path = "";
	int err = setting_text(file, n, &path);

	if (err)
		return err;
	if (path[0] != '/' || path[strlen(path) - 1] == '/')
		return setting_fail(file, n, "%s: expected an absolute path, not '%s'", n->name,
				    setting_shown(path, shown));
	if (strlen(path) > max)
		return setting_fail(file, n, "%s: the path is longer than %zu bytes", n->name, max);
	return setting_keep(file, path, target);
}

int setting_number(const struct setting_file *file, const struct setting *n, uint64_t min,
		   uint64_t max, bool hex, uint64_t *ret)
{
	char what[SETTING_JOINED];
	uint64_t value;

	if (n->type == SETTING_TEXT &&
	    (!units_number(n->text, &value) || (hex && !hex_number(n->text, &value))) &&
	    value >= min && value <= max) {
		*ret = value;
		return 0;
	}
	snprintf(what, sizeof(what), "a whole number from %llu to %llu", (unsigned long long)min,
		 (unsigned long long)max);
	return fail_expected(file, n, what);
}

/* The words YAML 1.1 has for it. */
int setting_bool(const struct setting_file *file, const struct setting *n, bool *ret)
{
	static const char *const words[][2] = { { "false", "true" },
						{ "no", "yes" },
						{ "off", "on" } };

	for (size_t i = 0; n->type == SETTING_TEXT && i < ARRAY_SIZE(words); i++) {
		for (int value = 0; value < 2; value++) {
			if (!strcasecmp(n->text, words[i][value])) {
				*ret = value;
				return 0;
			}
		}
	}
	return fail_expected(file, n, "true or false");
}

const char *setting_join(const char *const *names, size_t count, const char *last,
			 char buf[static SETTING_JOINED])
{
	size_t size = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < count && size < SETTING_JOINED; i++) {
		const char *between = i + 1 == count ? last : ", ";

		size += snprintf(buf + size, SETTING_JOINED - size, "%s%s", i ? between : "",
				 names[i]);
	}
	return buf;
}

int setting_choice(const struct setting_file *file, const struct setting *n,
		   const char *const *names, size_t count, unsigned int *ret)
{
	char what[SETTING_JOINED];

	for (size_t i = 0; n->type == SETTING_TEXT && i < count; i++) {
		if (!strcmp(n->text, names[i])) {
			*ret = i;
			return 0;
		}
	}
	return fail_expected(file, n, setting_join(names, count, " or ", what));
}

int setting_refuse_key(const struct setting_file *file, const struct setting *n, const char *what,
		       const char *const *names, size_t count)
{
	char shown[SETTING_SHOWN], known[SETTING_JOINED];

	return setting_fail_key(file, n, "unknown key '%s' in %s; known are %s",
				setting_shown(n->key, shown), what,
				setting_join(names, count, " and ", known));
}

int setting_check_keys(const struct setting_file *file, const struct setting *mapping,
		       const char *what, const char *const *names, size_t count)
{
	for (const struct setting *n = mapping->first; n; n = n->next) {
		size_t i = 0;

		while (i < count && strcmp(n->key, names[i]))
			i++;
		if (i == count)
			return setting_refuse_key(file, n, what, names, count);
	}
	return 0;
}
