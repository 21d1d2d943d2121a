/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text, and who owns it.
 */
