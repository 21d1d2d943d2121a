/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of firewalls that stand in lists: ipset, access lists (PIX, IOS,
 * Apache, nginx) and Snort rules.
 *
 *	add blocked 192.0.2.0/24 timeout 300
 *	access-list ET-drop deny ip 192.0.2.0 255.255.255.0 any
 *	deny ip host 192.0.2.1 any		deny from 192.0.2.1	deny 192.0.2.1;
 *	alert tcp [192.0.2.1,192.0.2.9] any -> $HOME_NET any (msg:"...";)
 *
 * What permits, negates, names a port or another destination is not a plain
 * listing of a source, and is left out with its reason.
 */
#ifndef CORE_FEED_RULE_H
#define CORE_FEED_RULE_H

#include "core/feed_private.h"
#include "core/feed_target.h"

/*
 * A line that begins with a letter; row has its line number. *ret_known is
 * whether it was such a line; if not, nothing was done. Returns 0 or what
 * feed_emit() does.
 */
int feed_rule_line(struct feed_parser *p, struct feed_row *row, const char *text, const char *end,
		   bool *ret_known);

#endif
