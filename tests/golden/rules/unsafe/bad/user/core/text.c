// SPDX-License-Identifier: BSD-2-Clause
void text_put(char *to)
{
	sprintf(to, "no bound");
}
