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

#include "core/prefix.h"
#include "core/problem.h"
#include "moat/control.h"
#include "moat/policy.h"

#define CONFIG_SOCKET	      "/run/moat/moatd.sock" /* unless the file says otherwise */
#define CONFIG_FILE_MAX	      (1024 * 1024)	     /* bytes */
#define CONFIG_CATEGORIES_MAX (MOAT_CATEGORIES - 2)  /* all but allow and selftest */
#define CONFIG_CAPACITY_MAX   100000000
#define CONFIG_BURST_BYTES    1522 /* an Ethernet frame with a VLAN tag */
#define CONFIG_BURST_DAYS     30   /* no bucket may take longer to fill */

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
};

struct config {
	struct config_interface *interface; /* owned */
	size_t interfaces;
	char *database;	      /* owned: sqlite:///path */
	uint32_t capacity[2]; /* by family; 1..CONFIG_CAPACITY_MAX */
	char *listen;	      /* owned: ADDRESS:PORT or [ADDRESS]:PORT, no host names; NULL: none */
	char *socket;	      /* owned */
	char *pins;	      /* owned */
	struct config_category *category; /* owned; in the order of the file */
	size_t categories;		  /* at most CONFIG_CATEGORIES_MAX */
	struct prefix *never_block;	  /* owned; in the order of the file */
	size_t never_blocks;
	uint8_t min_prefix[2]; /* guards.min_prefix_v4, _v6: 8, 19 */
	uint64_t drop_reasons; /* unjudged: { truncated: drop, ... } as bits of enum moat_reason */
};

/* text need not end in NUL. On failure why is "file:line:column: what, what to do". */
int config_parse(const char *file, const char *text, size_t size, struct config **ret,
		 struct problem *why);

/* Reads the file and parses it. -EINVAL as above; -ENOENT, -EACCES, -EFBIG, ... without a line. */
int config_load(const char *path, struct config **ret, struct problem *why);

struct config *config_free(struct config *c);
DEFINE_CLEANUP(struct config, config_free)

#endif
