// SPDX-License-Identifier: BSD-2-Clause
#include "tools/bench/probe.h"

#include <linux/if_ether.h>
#include <string.h>

#include <bpf/bpf.h>

#include "core/base.h"

#define FRAME_SIZE  64
#define UDP	    17
#define XDP_DROPPED 1 /* enum xdp_action */

int probe_program(const char *link_pin)
{
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int link = bpf_obj_get(link_pin);
	int r;

	if (link < 0)
		return link;
	r = bpf_obj_get_info_by_fd(link, &info, &size);
	return r ?: bpf_prog_get_fd_by_id(info.prog_id);
}

bool probe_drops(int program, int family, const uint8_t *address)
{
	uint8_t frame4[FRAME_SIZE] = {
		[12] = ETH_P_IP >> 8, [14] = 0x45, [17] = FRAME_SIZE - ETH_HLEN, [22] = 64,
		[23] = UDP,
	};
	uint8_t frame6[FRAME_SIZE] = {
		[12] = ETH_P_IPV6 >> 8,
		[13] = ETH_P_IPV6 & 0xff,
		[14] = 0x60,
		[19] = FRAME_SIZE - ETH_HLEN - 40,
		[20] = UDP,
		[21] = 64,
	};
	uint8_t *frame = family == 4 ? frame4 : frame6;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = FRAME_SIZE,
		    .repeat = 1);

	if (family == 4)
		memcpy(frame + ETH_HLEN + 12, address, 4);
	else
		memcpy(frame + ETH_HLEN + 8, address, 16);
	return bpf_prog_test_run_opts(program, &opts) == 0 && opts.retval == XDP_DROPPED;
}
