// SPDX-License-Identifier: BSD-2-Clause
int open_it(void)
{
	int fd = -1;

	if (fd < 0)
		goto out;
out:
	return fd;
}
