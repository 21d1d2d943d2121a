/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel side needs both. */
