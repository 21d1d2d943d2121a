/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the program that is attached what it does with a packet of a source
 * (BPF_PROG_TEST_RUN). For the benchmarks of the control plane.
 */
#ifndef TOOLS_BENCH_PROBE_H
#define TOOLS_BENCH_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/* fd of the program behind a pinned link, owned by the caller; or negative errno. */
int probe_program(const char *link_pin);

/* Whether it drops a UDP packet from this address; family 4 or 6, network order. */
bool probe_drops(int program, int family, const uint8_t *address);

#endif
