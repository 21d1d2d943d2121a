/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A stage that drops behind the counters' back; XDP_DROP in a comment is none. */
static int parse(int bad)
{
	return bad ? XDP_DROP : 0;
}
