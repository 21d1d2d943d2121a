/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The only way out. */
static int act(int drop)
{
	return drop ? XDP_DROP : XDP_PASS;
}
