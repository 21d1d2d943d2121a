/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A variant. */
#ifndef BPF_PARSE_H
#define BPF_PARSE_H

#ifdef WITH_VLAN
#define VLAN_TAGS 3
#endif

#endif
