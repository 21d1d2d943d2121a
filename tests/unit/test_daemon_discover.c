/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must never be blocked, found on a host that the test makes up: own
 * addresses and resolv.conf are given through wrapped calls, routes are those
 * of a network namespace of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>

#include "daemon/discover.h"

extern char **environ;

static struct config config;
static struct prefix configured[4096];
static const char *resolv, *resolved; /* text of the two files, NULL: missing */
static struct never_block found;

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
int __wrap_getifaddrs(struct ifaddrs **ret);
void __wrap_freeifaddrs(struct ifaddrs *all);

FILE *__wrap_fopen(const char *path, const char *mode)
{
	bool first = !strcmp(path, "/etc/resolv.conf");
	const char *text = first ? resolv : resolved;

	if (!first && strcmp(path, "/run/systemd/resolve/resolv.conf") != 0)
		return __real_fopen(path, mode);
	return text ? fmemopen((void *)text, strlen(text), "r") : NULL;
}

static struct sockaddr_in own4 = { .sin_family = AF_INET };
static struct sockaddr_in loopback4 = { .sin_family = AF_INET };
static struct sockaddr_in6 own6 = { .sin6_family = AF_INET6 };
static struct sockaddr_in6 local6 = { .sin6_family = AF_INET6 };
static struct ifaddrs own[] = {
	{ .ifa_next = &own[1], .ifa_addr = (struct sockaddr *)&loopback4 },
	{ .ifa_next = &own[2] },
	{ .ifa_next = &own[3], .ifa_addr = (struct sockaddr *)&own4 },
	{ .ifa_next = &own[4], .ifa_addr = (struct sockaddr *)&own6 },
	{ .ifa_addr = (struct sockaddr *)&local6 },
};

int __wrap_getifaddrs(struct ifaddrs **ret)
{
	*ret = own;
	return 0;
}

void __wrap_freeifaddrs(struct ifaddrs *all)
{
	assert_ptr_equal(all, own);
}

static int setup(void **state)
{
	static const uint8_t address4[] = { 203, 0, 113, 9 }, lo4[] = { 127, 0, 0, 1 };
	static const uint8_t address6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 };
	static const uint8_t linklocal[16] = { 0xfe, 0x80, [15] = 9 };

	(void)state;
	memcpy(&own4.sin_addr, address4, sizeof(address4));
	memcpy(&loopback4.sin_addr, lo4, sizeof(lo4));
	memcpy(&own6.sin6_addr, address6, sizeof(address6));
	memcpy(&local6.sin6_addr, linklocal, sizeof(linklocal));
	config = (struct config){ .never_block = configured };
	resolv = resolved = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	never_block_free(&found);
	return 0;
}

static void discover(void)
{
	struct problem why;

	never_block_free(&found);
	assert_int_equal(discover_never_block(&config, &found, &why), 0);
	assert_int_equal(found.counts.prefixes, found.count);
}

static bool has(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	for (size_t i = 0; i < found.count; i++)
		if (!prefix_compare(&found.prefix[i], &p))
			return true;
	return false;
}

static void own_addresses_are_found_but_not_those_no_packet_comes_from(void **state)
{
	(void)state;
	discover();
	assert_true(has("203.0.113.9"));
	assert_true(has("2001:db8::9"));
	assert_false(has("127.0.0.1"));
	assert_false(has("fe80::9"));
}

static void name_servers_are_found_also_behind_a_stub(void **state)
{
	(void)state;
	resolv = "# a comment\nsearch example.org\nnameserver 127.0.0.53\n"
		 "nameserver 192.0.2.53 # why\n\tnameserver 2001:db8::53\nnameserver nonsense\n";
	resolved = "nameserver 8.8.8.8\nnameserver fe80::1%eth0\n";
	discover();
	assert_true(has("192.0.2.53"));
	assert_true(has("2001:db8::53"));
	assert_true(has("8.8.8.8"));
	assert_false(has("127.0.0.53"));
	assert_false(has("fe80::1"));
}

static void what_is_configured_comes_once_and_covers_what_lies_in_it(void **state)
{
	(void)state;
	prefix_parse("203.0.113.0/24", &configured[0]);
	prefix_parse("192.0.2.53", &configured[1]);
	config.never_blocks = 2;
	resolv = "nameserver 192.0.2.53\n";
	discover();
	assert_true(has("203.0.113.0/24"));
	assert_false(has("203.0.113.9"));
	assert_true(has("192.0.2.53"));
	for (size_t i = 1; i < found.count; i++)
		assert_true(prefix_compare(&found.prefix[i - 1], &found.prefix[i]) < 0);
}

static void thousands_that_are_configured_are_all_there(void **state)
{
	(void)state;
	config.never_blocks = ARRAY_SIZE(configured);
	for (unsigned int i = 0; i < config.never_blocks; i++)
		configured[i] = (struct prefix){
			.len = 32, .addr = { 10, (uint8_t)(i * 7 >> 8), (uint8_t)(i * 7), 1 }
		};
	discover();
	assert_true(found.count >= config.never_blocks);
}

static void ip(const char *arguments)
{
	char *const command[] = { (char *)"ip", (char *)"-batch", (char *)"-", NULL };
	posix_spawn_file_actions_t actions;
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[0], STDIN_FILENO);
	posix_spawn_file_actions_addclose(&actions, pipes[1]);
	assert_int_equal(posix_spawnp(&pid, "ip", &actions, NULL, command, environ), 0);
	close(pipes[0]);
	assert_int_equal(write(pipes[1], arguments, strlen(arguments)), strlen(arguments));
	close(pipes[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	posix_spawn_file_actions_destroy(&actions);
}

static void gateways_are_found_of_every_table_and_next_hop(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		print_message("# SKIP gateways: no network namespace of one's own here: %s\n",
			      strerror(errno));
		skip();
	}
	ip("link add v0 type veth peer name v1\n"
	   "link set lo up\nlink set v0 up\nlink set v1 up\n"
	   "address add 10.7.0.1/24 dev v0\n"
	   "address add 2001:db8:7::1/64 dev v0 nodad\n"
	   "route add default via 10.7.0.2\n"
	   "route add 10.8.0.0/16 nexthop via 10.7.0.3 nexthop via 10.7.0.4\n"
	   "route add 10.9.0.0/16 via 10.7.0.5 table 100\n"
	   "route add 10.10.0.0/16 via inet6 2001:db8:7::2 dev v0\n"
	   "route add 2001:db8:8::/48 nexthop via 2001:db8:7::3 nexthop via 2001:db8:7::4\n");
	discover();
	assert_true(has("10.7.0.2"));
	assert_true(has("10.7.0.3"));
	assert_true(has("10.7.0.4"));
	assert_true(has("10.7.0.5"));
	assert_true(has("2001:db8:7::2"));
	assert_true(has("2001:db8:7::3"));
	assert_true(has("2001:db8:7::4"));
}

#define DISCOVER_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DISCOVER_TEST(own_addresses_are_found_but_not_those_no_packet_comes_from),
		DISCOVER_TEST(name_servers_are_found_also_behind_a_stub),
		DISCOVER_TEST(what_is_configured_comes_once_and_covers_what_lies_in_it),
		DISCOVER_TEST(thousands_that_are_configured_are_all_there),
		DISCOVER_TEST(
			gateways_are_found_of_every_table_and_next_hop), /* last: moves away */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
