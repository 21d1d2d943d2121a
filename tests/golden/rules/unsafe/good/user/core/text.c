// SPDX-License-Identifier: BSD-2-Clause
void text_put(char *to, size_t size)
{
	snprintf(to, size, "sprintf() is for others");
	object->system(to);
}
