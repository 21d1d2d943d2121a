/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmocka with what it wants to see before it.
 */
#ifndef PROG_CMOCKA_H
#define PROG_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
