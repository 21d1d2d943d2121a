/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Prints under attack. */
static void count(void)
{
	bpf_printk("ring is full");
}
