// SPDX-License-Identifier: BSD-2-Clause
const char *label = "empty", *other = "not_ip6";
