/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Why a packet got its verdict, and which verdicts and families there are.
 *
 * Every packet leaves the data plane through exactly one reason, so the
 * per-reason counters add up to the packets seen (tests/prog checks it).
 *
 * These lists are the only place where a reason, verdict or family has a
 * name: the enum, the metric label and the text of the tools come from them.
 *
 * ABI: append only, within each list. A value keeps its number forever.
 * Reason 0 also means "no stage had an opinion": the source is clean.
 */
#ifndef MOAT_REASON_H
#define MOAT_REASON_H

#include "moat/abi.h"

/*        name     label */
/* clang-format off */
#define MOAT_VERDICTS(X)                                                                           \
	X(PASS,    "pass")                                                                         \
	X(DROP,    "drop")                                                                         \
	X(TAG,     "tag")                                                                          \
	X(MONITOR, "monitor") /* would have been dropped or tagged; passed and counted */
/* clang-format on */

/*        name   label */
/* clang-format off */
#define MOAT_FAMILIES(X)                                                                           \
	X(IPV4,  "ipv4")                                                                           \
	X(IPV6,  "ipv6")                                                                           \
	X(OTHER, "other")
/* clang-format on */

/*
 * Reasons a policy gives; counted by category. One number below
 * MOAT_POLICY_REASONS each.
 *
 *        name          verdict  label           one line for humans
 */
/* clang-format off */
#define MOAT_REASONS_POLICY(X)                                                                     \
	X(LISTED,       DROP,    "listed",       "source is listed, action drop")                  \
	X(LIMIT,        DROP,    "limit",        "source is over its category's rate")             \
	X(WITHIN_LIMIT, PASS,    "within_limit", "source is listed and within its category's rate")\
	X(TAGGED,       TAG,     "tagged",       "source is listed, packet tagged")                \
	X(TAG_FAILED,   PASS,    "tag_failed",   "to be tagged, but the driver takes no metadata") \
	X(MONITORED,    MONITOR, "monitor",      "source is listed, action monitor")               \
	X(ALLOWED,      PASS,    "allowed",      "source is in the allow category")             \
	X(SHARED,       TAG,     "shared",       "to be dropped, but many people share the source: tagged")\
	X(REPLY,        PASS,    "reply",        "to be dropped, but it answers a connection opened here")
/* clang-format on */

/*
 * Reasons without a category.
 *
 * The last four are packets of unlisted sources that moat could not read to
 * the end; they pass unless the configuration says drop (moat_iface).
 */
/* clang-format off */
#define MOAT_REASONS_PLAIN(X)                                                                      \
	X(NOT_IP,       PASS,    "not_ip",       "not IPv4 or IPv6")                               \
	X(CONTROL,      PASS,    "control",      "traffic a source filter must not touch: ND, DHCP") \
	X(EMPTY,        PASS,    "empty",        "no source of this family is installed")          \
	X(EXPIRED,      PASS,    "expired",      "every listing of the source has expired")        \
	X(OUT_OF_SCOPE, PASS,    "out_of_scope", "source is listed, but not for this protocol or port") \
	X(PAUSED,       PASS,    "paused",       "enforcement is paused")                          \
	X(INTERNAL,     PASS,    "internal",     "a bug in moat: the class of a source is unknown")\
	X(TRUNCATED,    PASS,    "truncated",    "frame ends inside its headers")                  \
	X(BAD_HEADER,   PASS,    "bad_header",   "IP version or header length is impossible")      \
	X(VLAN_DEPTH,   PASS,    "vlan_depth",   "more VLAN tags than moat reads")                 \
	X(EXT_DEPTH,    PASS,    "ext_depth",    "more IPv6 extension headers than moat reads")
/* clang-format on */

/* clang-format off */
enum moat_verdict {
#define X(name, label) MOAT_VERDICT_##name,
	MOAT_VERDICTS(X)
#undef X
	MOAT_VERDICT_MAX,
};
/* clang-format on */

/* clang-format off */
enum moat_family {
#define X(name, label) MOAT_##name,
	MOAT_FAMILIES(X)
#undef X
	MOAT_FAMILY_MAX,
};
/* clang-format on */

/* How many numbers the policy reasons may grow to, 0 (clean) included. */
#define MOAT_POLICY_REASONS 16

/* clang-format off */
enum moat_reason {
	MOAT_CLEAN = 0,
#define X(name, verdict, label, text) MOAT_##name,
	MOAT_REASONS_POLICY(X)
	MOAT_POLICY_REASON_END,
	MOAT_PLAIN_REASON_BEGIN = MOAT_POLICY_REASONS - 1,
	MOAT_REASONS_PLAIN(X)
#undef X
	MOAT_REASON_END,
};
/* clang-format on */

#define MOAT_CLEAN_LABEL "clean"
#define MOAT_CLEAN_TEXT	 "source is not listed"

/* All reasons with their numbers reserved: the size of tables by reason. */
#define MOAT_REASON_MAX 64

_Static_assert(MOAT_POLICY_REASON_END <= MOAT_POLICY_REASONS,
	       "policy reasons have outgrown their range");
_Static_assert(MOAT_REASON_END <= MOAT_REASON_MAX, "reasons have outgrown their range");

#endif
