// SPDX-License-Identifier: BSD-2-Clause
static void it_is_ready_soon(void **state)
{
	sleep(1);
}
