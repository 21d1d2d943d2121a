// SPDX-License-Identifier: BSD-2-Clause
#include "core/feed_rule.h"

#include <strings.h>

#define TIMEOUT_MAX 2147483 /* seconds: the largest that ipset takes */

struct word {
	const char *text;
	size_t size;
};

/* The next word of *at; empty at the end of the line. */
static struct word next_word(const char **at, const char *end)
{
	struct word w = { .text = feed_skip_blanks(*at, end) };

	while (w.text + w.size < end && !feed_is_blank(w.text[w.size]))
		w.size++;
	*at = w.text + w.size;
	return w;
}

static bool is(struct word w, const char *want)
{
	return w.size == strlen(want) && !strncasecmp(w.text, want, w.size);
}

static bool is_one_of(struct word w, const char *const *list)
{
	for (; *list; list++) {
		if (is(w, *list))
			return true;
	}
	return false;
}

static int skip(struct feed_parser *p, const struct feed_row *row, enum feed_skip why)
{
	feed_skip(p, why, row->line);
	return 0;
}

/* What may follow the entry of a set. */
static bool read_set_options(struct feed_parser *p, struct feed_row *row, const char *at,
			     const char *end)
{
	for (struct word w = next_word(&at, end); w.size; w = next_word(&at, end)) {
		const char *close;
		uint64_t seconds;

		if (is(w, "nomatch")) /* an exception from the set */
			return false;
		if (is(w, "timeout")) {
			w = next_word(&at, end);
			if (feed_number(w.text, w.size, TIMEOUT_MAX, &seconds) && seconds &&
			    p->options.now > 0)
				row->expires = p->options.now + (int64_t)seconds;
		} else if (is(w, "comment")) {
			at = feed_skip_blanks(at, end);
			if (at < end && *at == '"')
				at++;
			close = memchr(at, '"', end - at);
			feed_text_copy(row->reason, sizeof(row->reason), at,
				       (close ? close : end) - at);
			return true; /* its text may hold the words above */
		}
	}
	return true;
}

/* "add SETNAME entry ...": "entry,tcp:22" and "entry,other" are of sets that hold more than sources. */
static int add_line(struct feed_parser *p, struct feed_row *row, const char *at, const char *end)
{
	struct feed_target target;
	enum feed_skip why = FEED_SKIP_SYNTAX;

	if (!next_word(&at, end).size)
		return skip(p, row, why);
	at = feed_skip_blanks(at, end);
	if (at == end || !feed_target_read(&at, end, &target, &why))
		return skip(p, row, why);
	if (at < end && *at == ',')
		return skip(p, row, FEED_SKIP_PORT);
	if (!read_set_options(p, row, at, end))
		return skip(p, row, FEED_SKIP_SCOPE);
	return feed_target_emit(p, row, &target);
}

/* Behind the source of an access list: only "any" is every destination. */
static enum feed_skip judge_destination(const char *at, const char *end)
{
	static const char *const every[] = { "any", "any4", "any6", "log", "0.0.0.0", NULL };
	static const char *const ports[] = { "eq", "gt", "lt", "neq", "range", NULL };

	at = feed_skip_blanks(at, end);
	if (at < end && *at == ';') /* nginx */
		return FEED_SKIP_MAX;
	while (!feed_is_comment(at, end)) {
		struct word w = next_word(&at, end);

		if (!w.size)
			break;
		if (is_one_of(w, ports))
			return FEED_SKIP_PORT;
		if (!is_one_of(w, every))
			return FEED_SKIP_SCOPE;
		at = feed_skip_blanks(at, end);
	}
	return FEED_SKIP_MAX;
}

/* Behind "deny". */
static int deny_line(struct feed_parser *p, struct feed_row *row, const char *at, const char *end)
{
	static const char *const protocols[] = { "ip",	 "ipv4", "ipv6", "tcp", "udp",
						 "icmp", "from", "all",	 NULL };
	static const char *const every[] = { "any", "any4", "any6", "all", NULL };
	const char *ahead = at;
	struct word w = next_word(&ahead, end);
	struct feed_target target;
	enum feed_skip why = FEED_SKIP_SYNTAX;

	if (is_one_of(w, protocols)) {
		at = ahead;
		w = next_word(&ahead, end);
	}
	if (is(w, "host"))
		at = ahead;
	else if (is_one_of(w, every)) /* a rule about destinations, or about everybody */
		return skip(p, row, FEED_SKIP_SCOPE);
	at = feed_skip_blanks(at, end);
	if (at == end || !feed_target_read(&at, end, &target, &why))
		return skip(p, row, why);
	if (target.bare) {
		const char *mask = feed_skip_blanks(at, end);

		if (!feed_target_mask(&target, mask, end, &why))
			return skip(p, row, why);
		if (!target.bare)
			next_word(&mask, end);
		at = mask;
	}
	why = judge_destination(at, end);
	if (why != FEED_SKIP_MAX)
		return skip(p, row, why);
	return feed_target_emit(p, row, &target);
}

/* "access-list NAME [line N] [extended] deny ..." */
static int access_list_line(struct feed_parser *p, struct feed_row *row, const char *at,
			    const char *end)
{
	struct word w;

	next_word(&at, end);
	w = next_word(&at, end);
	if (is(w, "line")) {
		next_word(&at, end);
		w = next_word(&at, end);
	}
	if (is(w, "extended") || is(w, "standard"))
		w = next_word(&at, end);
	if (is(w, "remark"))
		return 0;
	if (is(w, "deny"))
		return deny_line(p, row, at, end);
	return skip(p, row, is(w, "permit") ? FEED_SKIP_SCOPE : FEED_SKIP_SYNTAX);
}

/* What the rule says of itself: msg:"...". */
static void read_message(struct feed_row *row, const char *at, const char *end)
{
	static const char key[] = "msg:\"";
	const char *text = memmem(at, end - at, key, strlen(key));
	const char *close;

	if (!text)
		return;
	text += strlen(key);
	close = memchr(text, '"', end - text);
	feed_text_copy(row->reason, sizeof(row->reason), text, (close ? close : end) - text);
}

/* One source or a list in brackets, as it stands in a rule. */
static int emit_sources(struct feed_parser *p, struct feed_row *row, struct word sources)
{
	const char *at = sources.text;
	const char *end = at + sources.size;
	int err = 0;

	if (sources.size > 1 && *at == '[' && end[-1] == ']') {
		at++;
		end--;
	}
	while (at < end && !err) {
		const char *comma = memchr(at, ',', end - at);
		const char *stop = comma ? comma : end;
		struct feed_target target;
		enum feed_skip why;

		row->masked = 0;
		if (feed_target_field(at, stop - at, &target, &why))
			err = feed_target_emit(p, row, &target);
		else
			feed_skip(p, why, row->line);
		at = stop + !!comma;
	}
	return err;
}

/* Behind the action: protocol, source, port, direction, destination, port. */
static int snort_line(struct feed_parser *p, struct feed_row *row, const char *at, const char *end)
{
	struct word source, port, direction, destination, to_port;

	next_word(&at, end);
	source = next_word(&at, end);
	port = next_word(&at, end);
	direction = next_word(&at, end);
	destination = next_word(&at, end);
	to_port = next_word(&at, end);
	if (!is(direction, "->") && !is(direction, "<>"))
		return skip(p, row, FEED_SKIP_SYNTAX);
	if (!is(port, "any") || !is(to_port, "any"))
		return skip(p, row, FEED_SKIP_PORT);
	if (*source.text == '$' || is(source, "any") || memchr(source.text, '!', source.size))
		return skip(p, row, FEED_SKIP_SCOPE);
	if (!is(destination, "any") && !is(destination, "$HOME_NET"))
		return skip(p, row, FEED_SKIP_SCOPE);
	read_message(row, at, end);
	return emit_sources(p, row, source);
}

int feed_rule_line(struct feed_parser *p, struct feed_row *row, const char *text, const char *end,
		   bool *ret_known)
{
	static const char *const actions[] = { "alert", "drop", "reject", "sdrop", "block", NULL };
	static const char *const opposite[] = { "permit", "allow", "pass", "del", "log", NULL };
	static const char *const silent[] = { "create", "flush", "commit", NULL };
	const char *at = text;
	struct word w = next_word(&at, end);

	*ret_known = true;
	if (is(w, "add"))
		return add_line(p, row, at, end);
	if (is(w, "access-list"))
		return access_list_line(p, row, at, end);
	if (is(w, "deny"))
		return deny_line(p, row, at, end);
	if (is_one_of(w, actions))
		return snort_line(p, row, at, end);
	if (is_one_of(w, opposite))
		return skip(p, row, FEED_SKIP_SCOPE);
	*ret_known = is_one_of(w, silent);
	return 0;
}
