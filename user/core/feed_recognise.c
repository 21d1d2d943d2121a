// SPDX-License-Identifier: BSD-2-Clause
#include "core/feed_recognise.h"

#include <ctype.h>
#include <strings.h>

#include "core/feed_target.h"

/* What servers and proxies say instead of a list; the rest of the line is theirs. */
static const char *const error_words[] = {
	"error",
	"could not connect",
	"could not resolve",
	"access denied",
	"forbidden",
	"not found",
	"page not found",
	"unauthorized",
	"bad gateway",
	"bad request",
	"service unavailable",
	"internal server error",
	"gateway time",
	"too many requests",
	"rate limit",
	"upstream connect error",
	"http/1.0",
	"http/1.1",
	"http/2",
	"no healthy upstream",
};

/* The first key of a JSON object that tells of an error. */
static const char *const error_keys[] = {
	"status", "statusCode", "error", "errors", "message", "detail", "code", "reason", "title",
};

/* head is NUL-terminated. Whether it holds the key, as JSON writes it. */
static bool has_key(const char *head, const char *key)
{
	size_t size = strlen(key);

	for (const char *p = head; (p = strstr(p, key)); p += size) {
		if (p == head || p[-1] != '"' || p[size] != '"')
			continue;
		if (p[size + 1 + strspn(p + size + 1, " \t\r\n")] == ':')
			return true;
	}
	return false;
}

static bool has_one_of(const char *head, const char *const *keys)
{
	for (; *keys; keys++) {
		if (has_key(head, *keys))
			return true;
	}
	return false;
}

static enum feed_format find_json(const char *head)
{
	static const char *const asn[] = { "rir", "asname", "domain", NULL };
	static const char *const stix[] = { "spec_version", "pattern_type", NULL };
	static const char *const abuseipdb[] = { "generatedAt", "abuseConfidenceScore", NULL };
	static const char *const misp[] = { "Event", "Attribute", "ShadowAttribute", "to_ids",
					    NULL };
	static const char *const warninglist[] = { "list", "matching_attributes", NULL };
	static const char *const cloud[] = { "addresses",  "ipv6_addresses",  "ipRanges",
					     "ipv6Ranges", "prefixes",	      "ipv4Prefix",
					     "ipv6Prefix", "ip_prefix",	      "syncToken",
					     "ipv4_cidrs", "addressPrefixes", "cidrs",
					     NULL };

	if (has_key(head, "cidr") && (has_key(head, "sblid") || has_key(head, "rir")))
		return FEED_SPAMHAUS;
	if (has_key(head, "asn") && has_one_of(head, asn))
		return FEED_ASN;
	if (has_one_of(head, stix) || (has_key(head, "type") && strstr(head, "\"bundle\"")) ||
	    (has_key(head, "objects") && has_key(head, "more")))
		return FEED_STIX;
	if (has_one_of(head, abuseipdb))
		return FEED_ABUSEIPDB;
	if (has_one_of(head, misp))
		return FEED_MISP;
	if (has_one_of(head, warninglist))
		return FEED_WARNINGLIST;
	if (has_key(head, "new") || has_key(head, "deleted"))
		return FEED_CROWDSEC;
	if (has_one_of(head, cloud))
		return FEED_CLOUD;
	/* A bare array of texts. */
	head += strspn(head, " \t\r\n[");
	return *head == '"' ? FEED_CLOUD : FEED_AUTO;
}

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n\v\f");
}

/* "[" may also begin an IPv6 address. */
static bool is_json(const char *text)
{
	if (*text == '{')
		return true;
	if (*text != '[')
		return false;
	text = skip_space(text + 1);
	return *text && strchr("{[\"]", *text);
}

static bool is_json_error(const char *text)
{
	if (*text != '{')
		return false;
	text = skip_space(text + 1);
	if (*text != '"')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(error_keys); i++) {
		size_t size = strlen(error_keys[i]);

		if (!strncmp(text + 1, error_keys[i], size) && text[1 + size] == '"')
			return true;
	}
	return false;
}

/* "error.example" is a name, "error,address" names columns. */
static bool has_error_words(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(error_words); i++) {
		size_t size = strlen(error_words[i]);

		if (!strncasecmp(text, error_words[i], size) &&
		    (!text[size] || strchr(" :!\r\n/.", text[size])) &&
		    (text[size] != '.' || !isalnum((unsigned char)text[size + 1])))
			return true;
	}
	return false;
}

static bool is_error_text(const char *text, enum feed_format format)
{
	const char *phrase;

	if (has_error_words(text))
		return true;
	/* "404: Not Found"; a number and a name may also be an AS. */
	if ((*text != '4' && *text != '5') || !isdigit((unsigned char)text[1]) ||
	    !isdigit((unsigned char)text[2]) || (text[3] != ':' && text[3] != ' '))
		return false;
	phrase = skip_space(text + 4);
	return has_error_words(phrase) || (format != FEED_ASN && isalpha((unsigned char)*phrase));
}

static int error_page(struct feed_parser *p, const char *text)
{
	return feed_fault(p, FEED_FAULT_ERROR_PAGE, "%s: '%.*s'",
			  *text == '<'	  ? "a page of HTML or XML"
			  : is_json(text) ? "JSON instead of a list"
					  : "a message instead of a list",
			  (int)strcspn(text, "\r\n"), text);
}

/* What the comments in front of a list of lines give away. */
static enum feed_format find_by_comments(const char *head)
{
	if (strcasestr(head, "# ipv4 hash:") || strcasestr(head, "# ipv6 hash:"))
		return FEED_FIREHOL;
	if (*head == ';' && strcasestr(head, "spamhaus"))
		return strcasestr(head, "asn-drop") ? FEED_ASN : FEED_SPAMHAUS;
	if (*head == '#' && (strcasestr(head, "dshield.org recommended block") ||
			     strcasestr(head, "feeds.dshield.org/block")))
		return FEED_DSHIELD;
	if (*head == '#' &&
	    (strcasestr(head, "emergingthreats") || strcasestr(head, "emerging threats")))
		return FEED_EMERGING;
	return FEED_AUTO;
}

/* "start TAB end TAB length": FEED_DSHIELD. Two addresses by another separator are nobody's. */
static enum feed_format find_by_columns(const char *at, const char *end, bool *ret_ranges)
{
	struct feed_target first, second;
	enum feed_skip why;
	bool tabs;

	*ret_ranges = false;
	if (at == end || !feed_target_read(&at, end, &first, &why))
		return FEED_AUTO;
	if (!first.bare || at == end)
		return FEED_PLAIN;
	tabs = *at == '\t';
	while (at < end && (feed_is_blank(*at) || *at == ',' || *at == ';'))
		at++;
	if (at == end || !feed_target_read(&at, end, &second, &why) || !second.bare)
		return FEED_PLAIN;
	if (tabs && end - at > 1 && *at == '\t' && at[1] >= '0' && at[1] <= '9')
		return FEED_DSHIELD;
	*ret_ranges = second.first.family != MOAT_IPV4 ||
		      second.first.addr[0] != 0xff; /* else a mask */
	return *ret_ranges ? FEED_AUTO : FEED_PLAIN;
}

static enum feed_format find_by_line(const char *at, const char *end, bool *ret_ranges)
{
	static const char *const plain[] = { "add ", "create ", "deny ", "ip ", "ip\t" };
	static const char *const rules[] = { "access-list ", "alert ", "drop ", "reject " };
	uint64_t number;
	size_t letters, digits;

	*ret_ranges = false;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		if (!strncasecmp(at, plain[i], strlen(plain[i])))
			return FEED_PLAIN;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (!strncasecmp(at, rules[i], strlen(rules[i])))
			return FEED_EMERGING;
	}
	letters = !strncasecmp(at, "ASN", 3) ? 3 : !strncasecmp(at, "AS", 2) ? 2 : 0;
	digits = strspn(at + letters, "0123456789");
	if (letters && !strchr(".-_", at[letters + digits] ? at[letters + digits] : ' ') &&
	    feed_number(at + letters, digits, UINT32_MAX, &number))
		return FEED_ASN;
	return find_by_columns(at, end, ret_ranges);
}

/* The first line that says something decides; one that says nothing is passed over. */
static enum feed_format find_by_lines(const char *head, bool ended, bool *ret_ranges)
{
	const char *at = head;
	bool any = false;

	*ret_ranges = false;
	while (*at) {
		size_t size = strcspn(at, "\r\n");
		const char *end = at + size;
		const char *text = feed_skip_blanks(at, end);
		enum feed_format format;

		if (!*end && !ended && at != head) /* cut by the size of the head */
			break;
		if (text < end && !feed_is_comment(text, end)) {
			format = find_by_line(text, end, ret_ranges);
			if (format != FEED_AUTO || *ret_ranges)
				return format;
			any = true;
		}
		at = end + strspn(end, "\r\n");
	}
	return any ? FEED_AUTO : FEED_PLAIN;
}

static void find_format(struct feed_parser *p, const char *head, bool ended)
{
	bool ranges = false;

	if (is_json(head)) {
		p->format = find_json(head);
		if (p->format == FEED_AUTO)
			feed_fault(p, FEED_FAULT_UNKNOWN,
				   "JSON of no kind that is known; name its format");
		return;
	}
	if (p->options.csv.source || p->options.csv.asn) {
		p->format = FEED_CSV;
		return;
	}
	p->format = find_by_comments(head);
	if (p->format == FEED_AUTO)
		p->format = find_by_lines(head, ended, &ranges);
	if (p->format == FEED_AUTO)
		feed_fault(
			p, FEED_FAULT_UNKNOWN,
			ranges ? "two addresses a line: name the format (dshield, or csv and its columns)"
			       : "no line at its beginning is an address, and no format is recognised");
}

static void choose_reader(struct feed_parser *p, bool json)
{
	switch (p->format) {
	case FEED_CSV:
		p->reader = &feed_reader_csv;
		break;
	case FEED_STIX:
	case FEED_TAXII:
	case FEED_MISP:
	case FEED_WARNINGLIST:
	case FEED_CLOUD:
	case FEED_CROWDSEC:
		p->reader = &feed_reader_json;
		break;
	case FEED_SPAMHAUS:
	case FEED_ABUSEIPDB:
	case FEED_ASN:
		p->reader = json ? &feed_reader_json : &feed_reader_text;
		break;
	default:
		p->reader = &feed_reader_text;
	}
}

void feed_recognise(struct feed_parser *p, bool ended)
{
	char head[sizeof(p->head) + 1];
	const char *text;
	bool json;

	memcpy(head, p->head, p->heads);
	head[p->heads] = '\0';
	text = skip_space(head);
	json = is_json(text);
	p->format = p->options.format;
	/* An error's body is short; longer JSON is for its reader to judge. */
	if (*text == '<' || (ended && is_json_error(text)) || is_error_text(text, p->format)) {
		error_page(p, text);
		return;
	}
	if (p->format == FEED_AUTO) {
		if (strlen(head) < p->heads) {
			feed_fault(p, FEED_FAULT_BINARY, "byte %zu is NUL", strlen(head) + 1);
			return;
		}
		find_format(p, text, ended);
	}
	if (p->summary.fault)
		return;
	choose_reader(p, json);
	if (json && p->reader == &feed_reader_text)
		error_page(p, text);
}
