/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/plane_fixture.h"

#include <arpa/inet.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <bpf/bpf.h>

#include "tests/prog/harness_sieve.h"

#define ARGUMENTS_MAX 24
#define WAIT_S	      5.0

static char directory[] = "/tmp/moat-plane-XXXXXX";
static char mountpoint[PATH_MAX];

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fixture: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void leave_at_exit(void)
{
	fixture_leave(NULL);
}

int fixture_enter(void **state)
{
	(void)state;
	must(!atexit(leave_at_exit), "atexit"); /* also when must() ends the program */
	must(mkdtemp(directory) && !chmod(directory, 0755), "mkdtemp");
	must(!unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare (are you root?)");
	must(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount --make-rprivate /");
	snprintf(mountpoint, sizeof(mountpoint), "%s/bpf", directory);
	must(!mkdir(mountpoint, 0755), "mkdir");
	must(!mount("bpf", mountpoint, "bpf", 0, "mode=0777"), "mount -t bpf");
	return 0;
}

int fixture_leave(void **state)
{
	(void)state;
	umount2(mountpoint, MNT_DETACH);
	return fixture_run("rm", "-rf", "--one-file-system", directory, NULL);
}

const char *fixture_dir(void)
{
	return directory;
}

const char *fixture_pins(void)
{
	static char path[PATH_MAX + 16];
	static unsigned int number;

	snprintf(path, sizeof(path), "%s/pins%u", mountpoint, ++number);
	return path;
}

int fixture_run(const char *command, ...)
{
	char *argv[ARGUMENTS_MAX] = { (char *)(uintptr_t)command };
	size_t count = 1;
	int status = -1;
	va_list args;
	pid_t pid;

	va_start(args, command);
	while (count < ARGUMENTS_MAX - 1 && (argv[count] = va_arg(args, char *)))
		count++;
	va_end(args);
	must(!posix_spawnp(&pid, command, NULL, NULL, argv, environ), command);
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void fixture_veth(const char *name, const char *peer)
{
	must(!fixture_run("ip", "link", "add", name, "type", "veth", "peer", "name", peer, NULL),
	     "veth");
	must(!fixture_run("ip", "link", "set", name, "up", NULL), "link up");
	must(!fixture_run("ip", "link", "set", peer, "up", NULL), "link up");
}

void fixture_send(const char *iface, const void *frame, size_t size)
{
	_cleanup_close_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(iface),
		.sll_halen = ETH_ALEN,
	};

	must(fd >= 0, "AF_PACKET");
	must(sendto(fd, frame, size, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)size,
	     "sendto");
}

double fixture_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

bool fixture_wait(bool (*condition)(void *arg), void *arg)
{
	double deadline = fixture_now() + WAIT_S;

	while (!condition(arg)) {
		if (fixture_now() > deadline)
			return false;
		sched_yield();
	}
	return true;
}

uint64_t fixture_memory(int map)
{
	static const char key[] = "memlock:";
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], line[128];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map);
	f = fopen(path, "re");
	must(f, path);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			return strtoull(line + strlen(key), NULL, 10);
	must(false, key);
	return 0;
}

bool fixture_memory_is_true(void)
{
	enum { ENTRIES = 4096 }; /* of 8 bytes: a whole number of pages */
	_cleanup_close_ int map = bpf_map_create(BPF_MAP_TYPE_HASH, "moat_test", sizeof(uint64_t),
						 sizeof(uint64_t), ENTRIES, NULL);

	must(map >= 0, "map");
	return fixture_memory(map) != ENTRIES * 2 * sizeof(uint64_t);
}

double fixture_patience(double seconds)
{
	return getenv("MOAT_EMULATED") ? seconds * 20 : seconds;
}

/* ---- tables for probes ---- */

static const struct moat_class *class_of(void *arg, uint32_t number)
{
	const struct moat_class *classes = arg;

	return &classes[number];
}

void fixture_sieve(struct tables *t)
{
	struct problem why;

	if (!tables_set_sieve(t, harness_sieve_wanted(), UINT64_MAX, &why))
		return;
	fprintf(stderr, "fixture: %s\n", why.text);
	exit(1);
}

struct tables *fixture_tables(const char *pins)
{
	static const uint32_t capacity[2] = { 100, 100 };

	return fixture_tables_of(pins, capacity);
}

struct tables *fixture_tables_of(const char *pins, const uint32_t capacity[2])
{
	struct moat_policy policy[MOAT_CATEGORIES] = {
		[CATEGORY_DROP] = { .action = MOAT_ACTION_DROP },
		[CATEGORY_LIMIT] = { .action = MOAT_ACTION_LIMIT,
				     .cost = 3600ULL * 1000000000,
				     .burst = 3600ULL * 1000000000 }, /* one packet an hour */
		[CATEGORY_TAG] = { .action = MOAT_ACTION_TAG,
				   .flags = MOAT_POLICY_MARK | MOAT_POLICY_DSCP,
				   .mark = FIXTURE_MARK,
				   .dscp = 8 },
	};
	const struct moat_ports *ports[MOAT_CATEGORIES] = {};
	struct moat_class class[CATEGORY_TAG + 1] = {};
	struct tables *t = NULL;
	struct problem why;

	for (uint32_t c = CATEGORY_DROP; c <= CATEGORY_TAG; c++)
		class[c] = (struct moat_class){ .set = 1ULL << c,
						.count = 1,
						.order = { (uint8_t)c } };
	if (tables_open(pins, capacity, &t, &why)) {
		fprintf(stderr, "fixture: %s\n", why.text);
		exit(1);
	}
	fixture_sieve(t);
	for (uint32_t c = CATEGORY_DROP; c <= CATEGORY_TAG; c++)
		must(!tables_set_class(t, c, &class[c]), "tables_set_class");
	must(!tables_set_policies(t, policy, ports, class_of, class, ARRAY_SIZE(class)),
	     "tables_set_policies");
	return t;
}

void fixture_list(struct tables *t, const char *source, uint32_t class)
{
	struct moat_source value = { .class = class };
	struct moat_lengths lengths = { .count = 1 };
	struct moat_key4 key4;
	struct moat_key6 key6;
	struct prefix p;
	int16_t done;

	must(!prefix_parse(source, &p), "prefix_parse");
	lengths.at[0] = prefix_length_mask(p.family, p.len);
	must(!tables_set_lengths(t, p.family, &lengths), "tables_set_lengths");
	key4 = prefix_key4(&p);
	key6 = prefix_key6(&p);
	must(!(p.family == MOAT_IPV4 ? tables_put4(t, &key4, &value, 1, &done)
				     : tables_put6(t, &key6, &value, 1, &done)),
	     "tables_put");
}

uint32_t fixture_frame(uint8_t frame[static 128], const char *source)
{
	bool six = strchr(source, ':');
	uint8_t *ip = frame + ETH_HLEN;

	memset(frame, 0, 128);
	memset(frame, 0xff, ETH_ALEN);
	frame[6] = 2;
	frame[12] = six ? 0x86 : 0x08;
	frame[13] = six ? 0xdd : 0x00;
	if (six) {
		ip[0] = 0x60;
		ip[5] = 8;
		ip[6] = IPPROTO_UDP;
		ip[7] = 64;
		must(inet_pton(AF_INET6, source, ip + 8) == 1, "inet_pton");
		return ETH_HLEN + 40 + 8;
	}
	ip[0] = 0x45;
	ip[3] = 28;
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	must(inet_pton(AF_INET, source, ip + 12) == 1, "inet_pton");
	return ETH_HLEN + 20 + 8;
}

struct program *fixture_probe(const struct tables *t)
{
	struct program *p = NULL;
	struct problem why = {};

	if (program_load_probe(t, &p, &why)) {
		fprintf(stderr, "fixture: %s\n", why.text);
		exit(1);
	}
	program_set_iface(p, true, 0);
	return p;
}

void fixture_ask(struct program *probe, const struct prefix *source, struct outcome *ret)
{
	bool six = source->family == MOAT_IPV6;
	struct problem why = {};
	uint8_t frame[128];
	uint32_t size = fixture_frame(frame, six ? "2001:db8::1" : "192.0.2.1");

	memcpy(frame + ETH_HLEN + (six ? 8 : 12), source->addr, six ? 16 : 4);
	if (!program_probe(probe, frame, &size, sizeof(frame), ret, &why))
		return;
	fprintf(stderr, "fixture: %s\n", why.text);
	exit(1);
}
