/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/sighting.h"

#include "core/prefix.h"
#include "core/units.h"
#include "core/when.h"
#include "moat/reason.h"

#define NS_PER_S  1000000000LL
#define WORD_MAX  64
#define NS_DIGITS 9

static const struct {
	const char *label, *text;
} reasons[] = { { MOAT_CLEAN_LABEL, MOAT_CLEAN_TEXT },
#define X(name, verdict, label, text) { label, text },
		MOAT_REASONS_POLICY(X) MOAT_REASONS_PLAIN(X)
#undef X
};

static const char *const verdicts[] = {
#define X(name, label) label,
	MOAT_VERDICTS(X)
#undef X
};

const char *sighting_reason_text(const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (strcmp(reasons[i].label, reason) == 0)
			return reasons[i].text;
	return "";
}

int64_t sighting_time(const json_t *time)
{
	const char *text = json_string_value(time), *fraction;
	int64_t seconds, ns = 0;

	if (json_is_number(time))
		return (int64_t)(json_number_value(time) * NS_PER_S);
	if (!text || when_parse(text, &seconds) || seconds > INT64_MAX / NS_PER_S - 1)
		return 0;
	fraction = strchr(text, '.');
	for (int digits = 0; digits < NS_DIGITS; digits++) {
		ns *= 10;
		if (fraction && fraction[1] >= '0' && fraction[1] <= '9')
			ns += *++fraction - '0';
		else
			fraction = NULL;
	}
	return seconds * NS_PER_S + ns;
}

static int base64_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* As many bytes as there are and fit; stops at what is no base64. */
static size_t decode(const char *text, uint8_t *out, size_t room)
{
	uint32_t bits = 0;
	size_t size = 0;
	int value, have = 0;

	for (; (value = base64_value(*text)) >= 0 && size < room; text++) {
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		out[size++] = (uint8_t)(bits >> have);
	}
	return size;
}

/* Negative: there is none. */
static int port_of(const json_t *json, const char *key)
{
	const json_t *port = json_object_get(json, key);
	json_int_t value = json_integer_value(port);

	return json_is_integer(port) && value >= 0 && value <= UINT16_MAX ? (int)value : -1;
}

uint64_t sighting_lost(const json_t *json, uint64_t *told)
{
	static const char *const kinds[] = { "lost", "suppressed", "limited", "slow" };
	const json_t *counts = json_object_get(json, "lost");
	uint64_t all = 0, more;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		json_int_t count = json_integer_value(json_object_get(counts, kinds[i]));

		all += count > 0 ? (uint64_t)count : 0;
	}
	more = all > *told ? all - *told : 0;
	*told += more;
	return more;
}

bool sighting_read(const json_t *json, struct sighting *ret)
{
	json_int_t length = json_integer_value(json_object_get(json, "length"));

	if (!json_is_string(json_object_get(json, "verdict")))
		return false;
	*ret = (struct sighting){
		.time_ns = sighting_time(json_object_get(json, "time")),
		.iface = answer_text(json, "iface"),
		.family = answer_text(json, "family"),
		.verdict = answer_text(json, "verdict"),
		.reason = answer_text(json, "reason"),
		.category = answer_text(json, "category"),
		.source = answer_text(json, "source"),
		.destination = answer_text(json, "destination"),
		.protocol = answer_text(json, "protocol"),
		.source_port = port_of(json, "source_port"),
		.destination_port = port_of(json, "destination_port"),
		.type = port_of(json, "type"),
		.length = length > 0 && length <= UINT32_MAX ? (uint32_t)length : 0,
	};
	ret->size = decode(answer_text(json, "bytes"), ret->bytes, sizeof(ret->bytes));
	return true;
}

/* ---- which ---- */

void sighting_filter_free(struct sighting_filter *f)
{
	text_free(&f->path);
}

static bool is_verdict(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (strcmp(verdicts[i], text) == 0)
			return true;
	return false;
}

static bool is_reason(const char *text)
{
	return *sighting_reason_text(text);
}

/* The first of words with commas between that is none, in buf; NULL: all are. */
static const char *bad_word(const char *list, bool (*is_word)(const char *text),
			    char buf[static WORD_MAX])
{
	for (;;) {
		size_t size = strcspn(list, ",");

		snprintf(buf, WORD_MAX, "%.*s", (int)size, list);
		if (!is_word(buf))
			return buf;
		if (!list[size])
			return NULL;
		list += size + 1;
	}
}

static int check_words(const struct cli *cli, const struct call *call)
{
	const char *reason = call->value[SIGHTING_REASON];
	const char *verdict = call->value[SIGHTING_VERDICT];
	char word[WORD_MAX];

	if (reason && bad_word(reason, is_reason, word))
		return cli_fail(cli, CLI_USAGE,
				"--reason %s: there is no such reason; 'moatctl completion reasons' "
				"lists them",
				word);
	if (verdict && bad_word(verdict, is_verdict, word))
		return cli_fail(cli, CLI_USAGE,
				"--verdict %s: drop, tag, monitor or pass is expected", word);
	return CLI_DONE;
}

int sighting_filter_read(const struct cli *cli, const struct call *call, bool bytes,
			 struct sighting_filter *ret)
{
	const char *count = call->value[SIGHTING_COUNT], *time = call->value[SIGHTING_FOR];
	int code = check_words(cli, call);

	if (code != CLI_DONE)
		return code;
	*ret = (struct sighting_filter){ .count = UINT64_MAX };
	if (count && (units_count(count, &ret->count)))
		return cli_fail(cli, CLI_USAGE, "-n %s: a number (100, 20k) is expected", count);
	if (time && units_duration(time, &ret->seconds))
		return cli_fail(cli, CLI_USAGE, "--for %s: a duration (30s, 5m, 1h) is expected",
				time);
	text_add(&ret->path, "/api/v1/events");
	client_param(&ret->path, "reason", call->value[SIGHTING_REASON]);
	client_param(&ret->path, "category", call->value[SIGHTING_CATEGORY]);
	client_param(&ret->path, "verdict", call->value[SIGHTING_VERDICT]);
	client_param(&ret->path, "iface", call->value[SIGHTING_IFACE]);
	client_param(&ret->path, "source", call->value[SIGHTING_SOURCE]);
	client_param(&ret->path, "rate", call->value[SIGHTING_RATE]);
	client_param(&ret->path, "passes", call->value[SIGHTING_PASSES] ? "1" : NULL);
	client_param(&ret->path, "bytes", bytes ? "1" : NULL);
	return ret->path.failed ? cli_fail(cli, CLI_REFUSED, "out of memory") : CLI_DONE;
}
