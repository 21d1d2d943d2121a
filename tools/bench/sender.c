// SPDX-License-Identifier: BSD-2-Clause
#include "tools/bench/sender.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "core/base.h"
#include "tools/bench/filter.h"
#include "tools/bench/sources.h"

#define FRAME_SIZE   64
#define HEADER_WORDS 10
#define BATCH	     64		/* frames from one allocation to the next flush */
#define PER_CALL     (1U << 20) /* frames a system call */
#define WARM_UP_NS   300000000ULL
#define SEED	     0x5EED1
#define PORT	     9 /* discard */

struct send {
	const char *dir;
	const struct wire *wire;
	uint8_t frame[FRAME_SIZE];
	uint32_t sum; /* of its IPv4 header without the source */
	uint32_t sources;
	atomic_bool stop;
	atomic_int result;
};

static int fail(const char *what, int error)
{
	fprintf(stderr, "wire: %s: %s\n", what, strerror(-error));
	return error;
}

/* The calling thread only. */
static int enter(const char *netns)
{
	char path[4096];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		return fail(path, -errno);
	return 0;
}

static int interface_address(const char *name, uint8_t mac[static ETH_ALEN], struct in_addr *ip)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {};

	if (fd < 0)
		return fail(name, -errno);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFHWADDR, &request))
		return fail(name, -errno);
	memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	if (ioctl(fd, SIOCGIFADDR, &request))
		return fail(name, -errno);
	*ip = ((struct sockaddr_in *)&request.ifr_addr)->sin_addr;
	return 0;
}

/* UDP to a closed port of the receiver. */
static void make_frame(struct send *s, const uint8_t mac[static ETH_ALEN], struct in_addr ip)
{
	static const uint8_t header[] = { 0x45, 0, 0, FRAME_SIZE - ETH_HLEN, 0, 0, 0, 0, 64, 17 };
	uint8_t *at = s->frame + ETH_HLEN;
	uint16_t word;

	memcpy(s->frame, mac, ETH_ALEN);
	s->frame[ETH_ALEN] = 2; /* a local address; nobody answers it */
	s->frame[12] = ETH_P_IP >> 8;
	memcpy(at, header, sizeof(header));
	memcpy(at + 16, &ip, sizeof(ip));
	for (int i = 0; i < HEADER_WORDS; i++) {
		memcpy(&word, at + 2 * i, 2);
		s->sum += word;
	}
	at[20 + 3] = PORT;
	at[20 + 5] = FRAME_SIZE - ETH_HLEN - 20;
}

static int load(struct send *s, const struct feeder *feeder, struct bpf_object **ret)
{
	char path[4096];
	struct bpf_object *object;
	struct bpf_map *rodata;
	const struct {
		uint32_t ifindex;
		uint32_t sum;
	} value = { if_nametoindex(s->wire->from_if), s->sum };
	int r;

	snprintf(path, sizeof(path), "%s/sender.bpf.o", s->dir);
	object = bpf_object__open_file(path, NULL);
	if (!object)
		return fail(path, -errno);
	rodata = bpf_object__find_map_by_name(object, "sender.rodata");
	if (!rodata || bpf_map__value_size(rodata) != sizeof(value))
		r = -EINVAL;
	else
		r = bpf_map__set_initial_value(rodata, &value, sizeof(value));
	r = r
		    ?: bpf_map__reuse_fd(bpf_object__find_map_by_name(object, BENCH_MAP_SOURCES),
					 feeder->sources_fd);
	r = r
		    ?: bpf_map__reuse_fd(bpf_object__find_map_by_name(object, BENCH_MAP_CURSOR),
					 feeder->cursor_fd);
	r = r ?: bpf_object__load(object);
	if (r) {
		bpf_object__close(object);
		return fail(path, r);
	}
	*ret = object;
	return 0;
}

static int send_frames(struct send *s, const struct feeder *feeder)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = s->frame, .data_size_in = FRAME_SIZE,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .repeat = PER_CALL, .batch_size = BATCH);
	uint64_t state = SEED;
	struct bpf_object *object;
	int r = load(s, feeder, &object);
	int fd;

	if (r)
		return r;
	for (uint32_t i = 0; i < BENCH_SOURCES; i++)
		feeder->source[i] = sources_packet(MOAT_IPV4, s->sources, true, &state);
	fd = bpf_program__fd(bpf_object__find_program_by_name(object, "bench_send"));
	while (!atomic_load(&s->stop) && !r)
		r = bpf_prog_test_run_opts(fd, &opts);
	bpf_object__close(object);
	return r ? fail("sending live frames (Linux 5.18 or newer)", r) : 0;
}

/* On the first CPU; the receiver's NAPI thread has the others. */
static void *send_thread(void *arg)
{
	struct send *s = arg;
	struct feeder feeder;
	cpu_set_t one;
	int r;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
	setpriority(PRIO_PROCESS, gettid(), -20);
	r = enter(s->wire->from_netns) ?: feeder_open(&feeder);
	if (!r) {
		r = send_frames(s, &feeder);
		feeder_close(&feeder);
	}
	atomic_store(&s->result, r);
	return NULL;
}

struct sample {
	struct timespec at;
	uint64_t received;
	uint64_t delivered;
};

/* The interface's line of /proc/net/dev, the second "Ip:" line of snmp. */
static int take_sample(const char *interface, struct sample *ret)
{
	_cleanup_fclose_ FILE *dev = fopen("/proc/thread-self/net/dev", "re");
	_cleanup_fclose_ FILE *snmp = fopen("/proc/thread-self/net/snmp", "re");
	const size_t length = strlen(interface);
	char line[1024];
	int found = 0;

	if (!dev || !snmp)
		return fail("/proc/net", -errno);
	clock_gettime(CLOCK_MONOTONIC, &ret->at);
	while (fgets(line, sizeof(line), dev)) {
		const char *name = line + strspn(line, " ");

		if (strncmp(name, interface, length) == 0 && name[length] == ':')
			found += sscanf(name + length + 1, "%*u %" SCNu64, &ret->received);
	}
	while (fgets(line, sizeof(line), snmp))
		found += sscanf(line, "Ip: %*u %*u %*u %*u %*u %*u %*u %*u %" SCNu64,
				&ret->delivered) == 1;
	return found == 2 ? 0 : fail("/proc/net", -EPROTO);
}

static void pause_ns(uint64_t ns)
{
	struct timespec left = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static int count(const struct wire *wire, uint32_t seconds, struct sender_result *ret)
{
	struct sample begin = {}, end = {};
	int r;

	pause_ns(WARM_UP_NS);
	r = take_sample(wire->to_if, &begin);
	pause_ns(seconds * 1000000000ULL);
	r = r ?: take_sample(wire->to_if, &end);
	if (r)
		return r;
	*ret = (struct sender_result){
		.seconds = (end.at.tv_sec - begin.at.tv_sec) +
			   (end.at.tv_nsec - begin.at.tv_nsec) / 1e9,
		.received = end.received - begin.received,
		.delivered = end.delivered - begin.delivered,
	};
	return 0;
}

int sender_measure(const char *object_dir, const struct wire *wire, uint32_t sources,
		   uint32_t seconds, struct sender_result *ret)
{
	struct send send = { .dir = object_dir, .wire = wire, .sources = sources };
	uint8_t mac[ETH_ALEN] = {};
	struct in_addr ip = {};
	pthread_t thread;
	int r;

	r = enter(wire->to_netns) ?: interface_address(wire->to_if, mac, &ip);
	if (r)
		return r;
	make_frame(&send, mac, ip);
	r = -pthread_create(&thread, NULL, send_thread, &send);
	if (r)
		return fail("thread", r);
	r = count(wire, seconds, ret);
	atomic_store(&send.stop, true);
	pthread_join(thread, NULL);
	return r ?: atomic_load(&send.result);
}
