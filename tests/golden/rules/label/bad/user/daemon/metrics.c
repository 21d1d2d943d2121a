// SPDX-License-Identifier: BSD-2-Clause
const char *label = "not_ip";
