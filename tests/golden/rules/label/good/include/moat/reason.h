/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Labels. */
#define MOAT_REASONS_PLAIN(X) \
	X(NOT_IP, PASS, "not_ip", "not IPv4 or IPv6") \
	X(EMPTY, PASS, "empty", "no source is installed")
