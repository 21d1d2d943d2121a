/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Categories that act only where enough feeds agree, and addresses that many
 * people share: a row each. Rows that say what is after an end were compiled
 * before it, as by a daemon that has died since.
 */
#include "tests/prog/sentence.h"

#define PASS	MOAT_VERDICT_PASS
#define DROP	MOAT_VERDICT_DROP
#define TAG	MOAT_VERDICT_TAG
#define MONITOR MOAT_VERDICT_MONITOR

#define TCP4                                                                                       \
	{                                                                                          \
		.source = "192.0.2.1", .protocol = PACKET_TCP, .port = 80                          \
	}
#define TELNET4                                                                                    \
	{                                                                                          \
		.source = "192.0.2.1", .protocol = PACKET_TCP, .port = 23                          \
	}
#define TCP6                                                                                       \
	{                                                                                          \
		.source = "2001:db8::1", .protocol = PACKET_TCP, .port = 80                        \
	}

/* clang-format off */
static const struct sentence rows[] = {
	/* Feeds that agree. */
	{ "what one of two feeds lists is only monitored",
	  { { "192.0.2.1", PROXY } }, TCP4,
	  .verdict = MONITOR, .reason = MOAT_MONITORED, .category = PROXY_FEW },
	{ "what two feeds list is dropped",
	  { { "192.0.2.1", PROXY, .feed = 1 }, { "192.0.2.1", PROXY, .feed = 2 } }, TCP4,
	  .verdict = DROP, .reason = MOAT_LISTED, .category = PROXY },
	{ "they agree at any prefix length",
	  { { "2001:db8::/32", PROXY, .feed = 1 }, { "2001:db8::1", PROXY, .feed = 2 } }, TCP6,
	  .verdict = DROP, .reason = MOAT_LISTED, .category = PROXY },
	{ "a network they do not agree on is only monitored beside the host they agree on",
	  { { "192.0.2.0/24", PROXY, .feed = 1 }, { "192.0.2.7", PROXY, .feed = 2 } }, TCP4,
	  .verdict = MONITOR, .reason = MOAT_MONITORED, .category = PROXY_FEW },
	{ "one feed that says it twice is one feed",
	  { { "192.0.2.0/24", PROXY }, { "192.0.2.1", PROXY } }, TCP4,
	  .verdict = MONITOR, .reason = MOAT_MONITORED, .category = PROXY_FEW },
	{ "when one of two claims has ended the source is only monitored, with no daemon running",
	  { { "192.0.2.1", PROXY, -5, 1 }, { "192.0.2.1", PROXY, 60, 2 } }, TCP4,
	  .verdict = MONITOR, .reason = MOAT_MONITORED, .category = PROXY_FEW },
	{ "when one of three has ended it is dropped as before",
	  { { "192.0.2.1", PROXY, -5, 1 }, { "192.0.2.0/25", PROXY, 60, 2 },
	    { "192.0.2.0/24", PROXY, 90, 3 } }, TCP4,
	  .verdict = DROP, .reason = MOAT_LISTED, .category = PROXY },
	{ "when the host's claim has ended the network alone does not drop it",
	  { { "192.0.2.1", PROXY, -5, 1 }, { "192.0.2.0/24", PROXY, 60, 2 } }, TCP4,
	  .verdict = MONITOR, .reason = MOAT_MONITORED, .category = PROXY_FEW },
	{ "when both have ended it is expired",
	  { { "192.0.2.1", PROXY, -5, 1 }, { "192.0.2.1", PROXY, -9, 2 } }, TCP4,
	  .verdict = PASS, .reason = MOAT_EXPIRED },
	{ "a trusted feed needs no other",
	  { { "192.0.2.1", PROXY, .trusted = true } }, TCP4,
	  .verdict = DROP, .reason = MOAT_LISTED, .category = PROXY },
	{ "when its claim has ended the others count for themselves",
	  { { "192.0.2.1", PROXY, -5, .trusted = true }, { "192.0.2.1", PROXY } }, TCP4,
	  .verdict = MONITOR, .reason = MOAT_MONITORED, .category = PROXY_FEW },
	{ "two of three are too few",
	  { { "192.0.2.1", TELNET, .feed = 1 }, { "192.0.2.1", TELNET, .feed = 2 } }, TELNET4,
	  .verdict = MONITOR, .reason = MOAT_MONITORED, .category = TELNET_FEW },
	{ "three of three are enough",
	  { { "192.0.2.1", TELNET, .feed = 1 }, { "192.0.2.0/24", TELNET, .feed = 2 },
	    { "192.0.0.0/16", TELNET, .feed = 3 } }, TELNET4,
	  .verdict = DROP, .reason = MOAT_LISTED, .category = TELNET },
	{ "what only monitors has the scope of its category",
	  { { "192.0.2.1", TELNET } }, TCP4, .verdict = PASS, .reason = MOAT_OUT_OF_SCOPE },
	{ "another category acts whatever the feeds say of this one",
	  { { "192.0.2.1", PROXY }, { "192.0.2.0/24", SCANNER } }, TCP4,
	  .verdict = TAG, .reason = MOAT_TAGGED, .category = SCANNER },
	{ "allow wins over any number of feeds",
	  { { "192.0.2.1", PROXY, .feed = 1 }, { "192.0.2.1", PROXY, .feed = 2 },
	    { "192.0.2.0/24", ALLOW } }, TCP4,
	  .verdict = PASS, .reason = MOAT_ALLOWED, .category = ALLOW },

	/* Shared addresses. */
	{ "a shared address that nothing else lists is clean",
	  { { "192.0.2.1", CGNAT }, { "198.51.100.1", BOTNET } }, TCP4,
	  .verdict = PASS, .reason = MOAT_CLEAN },
	{ "shared addresses alone install nothing", { { "192.0.2.0/24", CGNAT } }, TCP4,
	  .verdict = PASS, .reason = MOAT_EMPTY },
	{ "a listed host inside shared addresses is tagged, not dropped",
	  { { "192.0.2.1", BOTNET }, { "192.0.0.0/10", CGNAT } }, TCP4,
	  .verdict = TAG, .reason = MOAT_SHARED, .category = BOTNET },
	{ "shared addresses inside a listed network are tagged",
	  { { "2001:db8::/32", BOTNET }, { "2001:db8::/64", CGNAT } }, TCP6,
	  .verdict = TAG, .reason = MOAT_SHARED, .category = BOTNET },
	{ "the listed network beside them is dropped",
	  { { "192.0.2.0/24", BOTNET }, { "192.0.2.128/25", CGNAT } }, TCP4,
	  .verdict = DROP, .reason = MOAT_LISTED, .category = BOTNET },
	{ "of two that are shared the first of the configuration tags",
	  { { "192.0.2.1", MOBILE }, { "192.0.2.0/24", CGNAT }, { "192.0.0.0/16", BOTNET } }, TCP4,
	  .verdict = TAG, .reason = MOAT_SHARED, .category = BOTNET },
	{ "a drop with a scope is tagged inside it",
	  { { "192.0.2.1", BRUTEFORCE }, { "192.0.2.1", CGNAT } },
	  { .source = "192.0.2.1", .protocol = PACKET_TCP, .port = 22 },
	  .verdict = TAG, .reason = MOAT_SHARED, .category = BRUTEFORCE },
	{ "outside it nothing is",
	  { { "192.0.2.1", BRUTEFORCE }, { "192.0.2.1", CGNAT } }, TCP4,
	  .verdict = PASS, .reason = MOAT_OUT_OF_SCOPE },
	{ "a tag of another category stays as it is",
	  { { "192.0.2.1", SCANNER }, { "192.0.2.1", CGNAT } }, TCP4,
	  .verdict = TAG, .reason = MOAT_TAGGED, .category = SCANNER },
	{ "a limit stays as it is",
	  { { "192.0.2.1", SCRAPER }, { "192.0.2.1", CGNAT } }, TCP4, .before = SCRAPER_BURST,
	  .verdict = DROP, .reason = MOAT_LIMIT, .category = SCRAPER },
	{ "what only monitors stays as it is",
	  { { "192.0.2.1", RESEARCH }, { "192.0.2.1", CGNAT } }, TCP4,
	  .verdict = MONITOR, .reason = MOAT_MONITORED, .category = RESEARCH },
	{ "feeds that agree are tagged too where people share addresses",
	  { { "192.0.2.1", PROXY, .feed = 1 }, { "192.0.2.1", PROXY, .feed = 2 },
	    { "192.0.2.0/24", CGNAT } }, TCP4,
	  .verdict = TAG, .reason = MOAT_SHARED, .category = PROXY },
	{ "when the addresses are shared no more the source drops, with no daemon running",
	  { { "192.0.2.1", BOTNET, 60 }, { "192.0.2.0/24", CGNAT, -5 } }, TCP4,
	  .verdict = DROP, .reason = MOAT_LISTED, .category = BOTNET },
	{ "when the listing has ended what is left of it is expired",
	  { { "192.0.2.1", BOTNET, -5 }, { "192.0.2.0/24", CGNAT } }, TCP4,
	  .verdict = PASS, .reason = MOAT_EXPIRED },
	{ "allow wins over shared addresses",
	  { { "192.0.2.1", ALLOW }, { "192.0.2.0/24", CGNAT }, { "192.0.0.0/16", BOTNET } }, TCP4,
	  .verdict = PASS, .reason = MOAT_ALLOWED, .category = ALLOW },
	{ "without enforcement what would be tagged keeps its reason and only counts",
	  { { "192.0.2.1", BOTNET }, { "192.0.2.0/24", CGNAT } }, TCP4, .observe = true,
	  .verdict = MONITOR, .reason = MOAT_SHARED, .category = BOTNET },
	{ "while paused a shared address passes untagged",
	  { { "192.0.2.1", BOTNET }, { "192.0.2.0/24", CGNAT } }, TCP4, .paused = 60,
	  .verdict = PASS, .reason = MOAT_PAUSED },
};
/* clang-format on */

int main(void)
{
	return sentence_run("agreement", rows, ARRAY_SIZE(rows), NULL, 0);
}
