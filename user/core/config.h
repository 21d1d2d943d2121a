/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration file, checked whole: a struct config exists only if every
 * line of it is good.
 *
 * Names and defaults are promised by the interface page; unknown and repeated
 * keys, bad values, aliases and tags are errors with line and column.
 *
 * Limits: action limit is compiled into the virtual schedule of moat/policy.h.
 * Without burst the bucket holds one second of its rate, and at least one
 * packet, or CONFIG_BURST_BYTES: less would never let a full frame through.
 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "core/feed_asn.h"
#include "core/prefix.h"
#include "core/problem.h"
#include "core/region.h"
#include "moat/control.h"
#include "moat/policy.h"

#define CONFIG_SOCKET	       "/run/moat/moatd.sock" /* unless the file says otherwise */
#define CONFIG_FILE_MAX	       (1024 * 1024)	      /* bytes */
#define CONFIG_CATEGORIES_MAX  (MOAT_CATEGORIES - 2)  /* all but allow and selftest */
#define CONFIG_CAPACITY_MAX    100000000
#define CONFIG_FLOWS_MIN       1024
#define CONFIG_FLOWS_MAX       16777216
#define CONFIG_HITS_MIN	       1024
#define CONFIG_HITS_MAX	       1048576 /* a list of the most active looks at each */
#define CONFIG_EVENTS_RATE_MAX 1000000 /* a second */
#define CONFIG_EVENTS_KEEP_MAX 99      /* rotated logs */
#define CONFIG_BURST_BYTES     1522    /* an Ethernet frame with a VLAN tag */
#define CONFIG_BURST_DAYS      30      /* no bucket may take longer to fill */
#define CONFIG_FEEDS_MAX       256
#define CONFIG_FEED_NAME       64	/* with the terminating NUL; what the gate takes */
#define CONFIG_MANUAL	       "manual" /* the feed of what people add one by one */
#define CONFIG_GROWTH_MAX      1000000	/* percent */

/* What is open at once over TCP, in all and from one address, and requests a second of one. */
#define CONFIG_HTTP_CONNECTIONS	    256
#define CONFIG_HTTP_CONNECTIONS_MIN 16
#define CONFIG_HTTP_CONNECTIONS_MAX 2048
#define CONFIG_HTTP_PER_ADDRESS	    32
#define CONFIG_HTTP_RATE	    500
#define CONFIG_HTTP_RATE_MAX	    100000

enum config_mode { CONFIG_AUTO, CONFIG_NATIVE, CONFIG_GENERIC };

struct config_interface {
	char name[16]; /* IFNAMSIZ */
	enum config_mode mode;
	bool enforce;
};

struct config_category {
	char name[MOAT_CATEGORY_NAME];
	struct moat_policy policy;
	struct moat_ports *ports; /* owned; NULL without MOAT_POLICY_PORTS */
	uint8_t k_of;		  /* independent feeds it takes to act; 1..MODEL_K_MAX */
};

/* What the guards allow one fetch of a feed to do to the last good one. */
struct config_limits {
	uint32_t max_shrink;	 /* percent that may go: 50 */
	uint32_t max_growth;	 /* percent of the last good one that it may become: 300 */
	uint32_t max_share;	 /* percent of the IPv4 address space that it may cover: 20 */
	uint8_t wide[2];	 /* shorter prefixes need force and an expiry; by family: 12, 28 */
	uint32_t radius_sources; /* added at once without a look at whom they would hit: 1000 */
	uint32_t radius_budget;	 /* of what passes, that more may hit, in millionths: 5000 */
};

/* The feed's own name of a category, and ours. */
struct config_mapping {
	char from[sizeof(((struct feed_row *)NULL)->category)];
	char to[MOAT_CATEGORY_NAME];
};

/* Of a feed of format crowdsec: the stream of decisions of a LAPI. */
struct config_crowdsec {
	char *key_file; /* owned; holds the bouncer's key and nothing else; NULL: none */
	/* Owned, words with commas, as the LAPI filters by; NULL: all. */
	char *origins, *containing, *not_containing;
	int64_t usage; /* seconds between two reports of what was dropped; 0: none */
};

struct config_feed {
	char name[CONFIG_FEED_NAME];	   /* also the name of a file: not "." or ".." */
	char *url;			   /* owned: https, http or file */
	char *header_file;		   /* owned; NULL: none */
	char *types;			   /* owned; what parse.types points to, or NULL */
	struct feed_options parse;	   /* now is not set */
	char category[MOAT_CATEGORY_NAME]; /* of rows without a mapping; empty: those are left out */
	struct config_mapping *mapping;	   /* owned */
	size_t mappings;
	char *basis;	    /* owned; legal basis of its listings, NULL: none */
	char *region;	    /* owned; where they are in force, canonical; NULL: everywhere */
	int64_t review;	    /* seconds from the first listing to its review date; 0: none */
	int64_t every, ttl; /* seconds; 12h, 3d */
	int64_t linger;	    /* how long a listing that left the list stays; 0: not at all */
	bool monitor;	    /* its listings only count */
	bool trusted;	    /* not bound by k_of */
	char group[CONFIG_FEED_NAME]; /* counts once for k_of; empty: the feed alone */
	int confidence;		      /* of rows that have none; -1: none */
	uint64_t min_entries;
	bool allow_empty;
	struct config_limits limits; /* those of guards, but for what the feed says itself */
	struct config_crowdsec crowdsec;
};

/* Paths, owned; all NULL without tls. */
struct config_tls {
	char *certificate, *key;
	char *client_ca; /* NULL: no client is asked for a certificate */
};

struct config_http {
	uint32_t connections, per_address; /* over TCP */
	uint32_t rate;			   /* requests a second of one address; 0: any number */
	bool insecure; /* secrets may cross the network in the clear, and nobody is told */
};

/* What is sampled of the packets one by one, and who is told without asking. */
struct config_events {
	uint32_t rate;	       /* a second, of who asks for none */
	bool passes;	       /* the log has what passes, too */
	char *log;	       /* owned: path of JSON lines; NULL: none */
	uint64_t log_size;     /* bytes: then it is rotated */
	uint32_t log_keep;     /* how many rotated ones stay */
	char *sflow_collector; /* owned: ADDRESS:PORT; NULL: none */
	char *sflow_agent; /* owned: the address that names this host; NULL: the one it sends from */
	uint32_t sflow_rate; /* a second */
};

#define CONFIG_ATTACH_PRIORITY 10

/* How the filter comes to its interfaces. */
struct config_attach {
	bool chain;	   /* under libxdp's dispatcher, beside other programs */
	uint32_t priority; /* of it there: lower ones run first */
};

struct config {
	char *text; /* owned: the file as it was read, size bytes and a NUL */
	size_t size;
	struct config_interface *interface; /* owned */
	size_t interfaces;
	struct config_attach attach;
	char *database;	      /* owned: sqlite:///path */
	uint32_t capacity[2]; /* by family; 1..CONFIG_CAPACITY_MAX */
	bool sieve;	      /* lookups ask the sieve first */
	char *listen;	      /* owned: ADDRESS:PORT or [ADDRESS]:PORT, no host names; NULL: none */
	char *tokens;	      /* owned: path of the tokens file; NULL: none */
	struct config_tls tls;
	struct config_http http;
	char *socket; /* owned */
	char *pins;   /* owned */
	char *user;   /* owned: the account moatd runs as; NULL: who started it */
	struct config_category *category; /* owned; in the order of the file */
	size_t categories;		  /* at most CONFIG_CATEGORIES_MAX */
	struct prefix *never_block;	  /* owned; in the order of the file */
	size_t never_blocks;
	bool manual_trusted;	     /* manual.trusted: true */
	uint8_t min_prefix[2];	     /* guards.min_prefix_v4, _v6: 8, 19 */
	bool non_routable;	     /* guards.non_routable: pass; such sources may be listed */
	char (*region)[REGION_WORD]; /* owned; words that this host carries */
	size_t regions;
	struct config_limits
		limits; /* guards.radius_sources, radius_budget, max_shrink, max_growth, max_share_v4, wide_v4, wide_v6 */
	struct config_feed *feed; /* owned; in the order of the file */
	size_t feeds;
	bool sampling;			 /* sampling: on */
	bool replies;			 /* replies: pass; answers to what was opened here pass */
	uint32_t flows;			 /* how many such flows are remembered */
	uint32_t hits;			 /* of how many listed sources hits are noted; 0: of none */
	char *asn_table[ASN_TABLES_MAX]; /* owned: paths of prefix-to-AS tables; mmdb or text */
	size_t asn_tables;
	struct config_events events;
	uint64_t drop_reasons; /* unjudged: { truncated: drop, ... } as bits of enum moat_reason */
};

/* text need not end in NUL. On failure why is "file:line:column: what, what to do". */
int config_parse(const char *file, const char *text, size_t size, struct config **ret,
		 struct problem *why);

/* Reads the file and parses it. -EINVAL as above; -ENOENT, -EACCES, -EFBIG, ... without a line. */
int config_load(const char *path, struct config **ret, struct problem *why);

/*
 * The keys that differ and that a running moatd cannot take over, as
 * "capacity, pins"; "" if there are none. Returns buf.
 */
#define CONFIG_FIXED_TEXT 128
const char *config_fixed(const struct config *now, const struct config *next,
			 char buf[static CONFIG_FIXED_TEXT]);

/* The priority under libxdp's dispatcher; 0: the filter stands alone. */
uint32_t config_chain(const struct config *c);

/* Whether a category sets marks. */
bool config_marks(const struct config *c);

/* Whether text is ADDRESS:PORT or [ADDRESS]:PORT, no host name. 0 or -EINVAL. */
int config_check_endpoint(const char *text);

struct config *config_free(struct config *c);
DEFINE_CLEANUP(struct config, config_free)

#endif
