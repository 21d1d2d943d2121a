/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What bpf_printk() would say is a counter. */
