// SPDX-License-Identifier: BSD-2-Clause
bool model_live(int64_t expires)
{
	log_error("asking the clock");
	return time(NULL) < expires;
}
