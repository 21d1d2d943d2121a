/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The feeder's child: does what the order on descriptor 0 says, see
 * feeder_wire.h. main() calls it when FEEDER_CHILD is the only argument.
 */
#ifndef DAEMON_FEEDER_CHILD_H
#define DAEMON_FEEDER_CHILD_H

#include "core/base.h"

/* Whether these are the arguments of a child. */
bool feeder_is_child(int argc, char **argv);

/* Does not return. */
void feeder_child_main(void) __attribute__((noreturn));

#endif
