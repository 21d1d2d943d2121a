// SPDX-License-Identifier: BSD-2-Clause
static bool wait_until(bool (*done)(void))
{
	while (!done())
		usleep(1000);
	return true;
}
