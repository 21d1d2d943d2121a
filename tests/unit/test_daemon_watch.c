/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What changes on a host is noticed: addresses and routes of a network
 * namespace of the test's own, name servers of an /etc of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "daemon/discover_watch.h"

#define DEADLINE_MS 5000
#define SOON_MS	    1000 /* what is new is known by then */

extern char **environ;

static struct config config;
static struct loop *loop;
static struct discover_watch *watch;
static struct never_block now;
static size_t changes;

/* What the test waits for. */
static const char *wanted;
static bool wanted_there;
static int64_t took_ms; /* -1: it did not come */
static int64_t began;

static int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static bool has(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	for (size_t i = 0; i < now.count; i++)
		if (!prefix_compare(&now.prefix[i], &p))
			return true;
	return false;
}

static void on_change(void *arg)
{
	struct problem why;

	(void)arg;
	changes++;
	never_block_free(&now);
	assert_int_equal(discover_watch_known(watch, &config, &now, &why), 0);
	if (wanted && has(wanted) == wanted_there) {
		took_ms = clock_ms() - began;
		loop_stop(loop);
	}
}

static void on_deadline(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* Runs the loop until the prefix is there, or not any more. Returns ms, -1: never. */
static int64_t wait_for(const char *prefix, bool there)
{
	int deadline;

	wanted = prefix;
	wanted_there = there;
	took_ms = -1;
	began = clock_ms();
	if (has(prefix) == there)
		return 0;
	deadline = loop_timer(loop, DEADLINE_MS, 0, on_deadline, NULL);
	assert_int_equal(loop_run(loop), 0);
	loop_timer_remove(loop, deadline);
	return took_ms;
}

static void run_for(int64_t ms)
{
	int end = loop_timer(loop, ms, 0, on_deadline, NULL);

	wanted = NULL;
	assert_int_equal(loop_run(loop), 0);
	loop_timer_remove(loop, end);
}

#define assert_soon(prefix)                                                                        \
	do {                                                                                       \
		int64_t ms_ = wait_for(prefix, true);                                              \
                                                                                                   \
		if (ms_ < 0 || ms_ > SOON_MS)                                                      \
			fail_msg("%s: known after %lld ms", prefix, (long long)ms_);               \
	} while (0)

static void command(const char *program, const char *a, const char *b, const char *text)
{
	char *const arguments[] = { (char *)program, (char *)a, (char *)b, NULL };
	posix_spawn_file_actions_t actions;
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[0], STDIN_FILENO);
	posix_spawn_file_actions_addclose(&actions, pipes[1]);
	assert_int_equal(posix_spawnp(&pid, program, &actions, NULL, arguments, environ), 0);
	close(pipes[0]);
	assert_int_equal(write(pipes[1], text, strlen(text)), strlen(text));
	close(pipes[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	posix_spawn_file_actions_destroy(&actions);
}

static void ip(const char *batch)
{
	command("ip", "-batch", "-", batch);
}

static void write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Namespaces of one's own; /etc and /run are empty but for what the test writes. */
static bool have_world(void)
{
	static bool tried, have;

	if (tried)
		return have;
	tried = true;
	if (unshare(CLONE_NEWNET | CLONE_NEWNS)) {
		print_message("# SKIP changes of the host: no namespaces of one's own here: %s\n",
			      strerror(errno));
		return false;
	}
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("moat-test", "/etc", "tmpfs", 0, NULL), 0);
	assert_int_equal(mount("moat-test", "/run", "tmpfs", 0, NULL), 0);
	ip("link add v0 type veth peer name v1\nlink set lo up\nlink set v0 up\nlink set v1 up\n");
	have = true;
	return true;
}

static int setup(void **state)
{
	struct problem why;

	(void)state;
	if (!have_world())
		return 0;
	ip("address flush dev v0\naddress add 10.7.0.1/24 dev v0\n"
	   "address add 2001:db8:7::1/64 dev v0 nodad\n");
	write_file("/etc/resolv.conf", "nameserver 192.0.2.53\n");
	changes = 0;
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(discover_watch_new(loop, on_change, NULL, &watch), 0);
	assert_string_equal(discover_watch_problem(watch), "");
	assert_int_equal(discover_watch_look(watch, &config, &now, &why), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	watch = discover_watch_free(watch);
	loop = loop_free(loop);
	never_block_free(&now);
	return 0;
}

static void a_new_address_is_known_soon_and_one_that_goes_not_for_long(void **state)
{
	int64_t ms;

	(void)state;
	if (!have_world())
		skip();
	assert_true(has("10.7.0.1"));
	ip("address add 10.7.1.9/24 dev v0\naddress add 2001:db8:7::9/64 dev v0 nodad\n");
	assert_soon("10.7.1.9");
	assert_soon("2001:db8:7::9");
	ip("address del 10.7.1.9/24 dev v0\n");
	ms = wait_for("10.7.1.9", false);
	assert_true(ms >= DISCOVER_GONE_MS - 500 && ms < DEADLINE_MS);
	assert_true(has("10.7.0.1"));
}

static void an_address_that_comes_back_at_once_was_never_gone(void **state)
{
	(void)state;
	if (!have_world())
		skip();
	ip("address add 10.7.1.9/24 dev v0\n");
	assert_soon("10.7.1.9");
	ip("address del 10.7.1.9/24 dev v0\n");
	run_for(DISCOVER_GONE_MS / 2);
	ip("address add 10.7.1.9/24 dev v0\n");
	run_for(DISCOVER_GONE_MS);
	assert_true(has("10.7.1.9"));
}

static void a_new_gateway_is_known_without_reading_all_routes(void **state)
{
	(void)state;
	if (!have_world())
		skip();
	ip("route add default via 10.7.0.2\n");
	assert_soon("10.7.0.2");
	ip("route add 10.8.0.0/16 nexthop via 10.7.0.3 nexthop via 10.7.0.4\n"
	   "route add 10.9.0.0/16 via 10.7.0.5 table 100\n"
	   "route add 10.10.0.0/16 via inet6 2001:db8:7::2 dev v0\n"
	   "route add 2001:db8:8::/48 via 2001:db8:7::3\n");
	assert_soon("10.7.0.3");
	assert_soon("10.7.0.4");
	assert_soon("10.7.0.5");
	assert_soon("2001:db8:7::2");
	assert_soon("2001:db8:7::3");
	assert_int_equal(discover_watch_scans(watch), 0);
	assert_int_equal(now.counts.kind[DISCOVER_GATEWAY], 6);
}

static void a_gateway_goes_with_its_last_route_also_if_that_was_replaced(void **state)
{
	(void)state;
	if (!have_world())
		skip();
	ip("route add 10.8.0.0/16 via 10.7.0.2\nroute add 10.9.0.0/16 via 10.7.0.2\n"
	   "route add 10.11.0.0/16 via 10.7.0.6\n");
	assert_soon("10.7.0.2");
	ip("route del 10.8.0.0/16\nroute replace 10.11.0.0/16 via 10.7.0.7\n");
	assert_soon("10.7.0.7");
	assert_true(wait_for("10.7.0.6", false) > 0);
	assert_true(has("10.7.0.2")); /* of another route still */
	ip("route del 10.9.0.0/16\n");
	assert_true(wait_for("10.7.0.2", false) > 0);
}

static void gateways_go_with_the_address_or_link_that_carried_them(void **state)
{
	(void)state;
	if (!have_world())
		skip();
	ip("route add 10.8.0.0/16 via 10.7.0.2\n");
	assert_soon("10.7.0.2");
	ip("link set v0 down\n");
	assert_true(wait_for("10.7.0.2", false) > 0);
	ip("link set v0 up\n");
}

static size_t write_route(char *to, size_t room, const char *verb, int number)
{
	return (size_t)snprintf(to, room, "route %s 10.%d.%d.0/24 via 10.7.0.2\n", verb,
				100 + number / 256, number % 256);
}

/* Thousands of routes by one gateway come and go: nothing new is known, and few looks are made. */
static void a_table_that_churns_is_not_read_again_and_again(void **state)
{
	const size_t room = 4000 * 64;
	_cleanup_free_ char *batch = malloc(room);
	size_t used = 0;

	(void)state;
	if (!have_world())
		skip();
	ip("route add default via 10.7.0.2\n");
	assert_soon("10.7.0.2");
	for (int i = 0; i < 2000; i++)
		used += write_route(batch + used, room - used, "add", i);
	for (int i = 0; i < 2000; i++)
		used += write_route(batch + used, room - used, "del", i);
	changes = 0;
	for (int round = 0; round < 3; round++) {
		ip(batch);
		run_for(1500);
	}
	assert_true(has("10.7.0.2"));
	assert_true(discover_watch_scans(watch) <= 3);
	assert_true(changes <= 3);
}

static void name_servers_are_known_when_the_file_is_written_or_replaced(void **state)
{
	(void)state;
	if (!have_world())
		skip();
	assert_true(has("192.0.2.53"));
	write_file("/etc/resolv.conf", "nameserver 192.0.2.53\nnameserver 192.0.2.54\n");
	assert_soon("192.0.2.54");
	write_file("/etc/resolv.conf.new", "nameserver 192.0.2.55\n");
	assert_int_equal(rename("/etc/resolv.conf.new", "/etc/resolv.conf"), 0);
	assert_soon("192.0.2.55");
	assert_true(has("192.0.2.53")); /* for a while */
	assert_true(wait_for("192.0.2.53", false) > 0);
	assert_true(has("192.0.2.55"));
}

static void name_servers_are_known_behind_links_and_in_directories_that_come_later(void **state)
{
	(void)state;
	if (!have_world())
		skip();
	assert_int_equal(mkdir("/run/first", 0755), 0);
	write_file("/run/first/resolv.conf", "nameserver 192.0.2.61\n");
	assert_int_equal(unlink("/etc/resolv.conf"), 0);
	assert_int_equal(symlink("../run/first/resolv.conf", "/etc/resolv.conf"), 0);
	assert_soon("192.0.2.61");
	write_file("/run/first/resolv.conf", "nameserver 192.0.2.62\n");
	assert_soon("192.0.2.62");
	assert_int_equal(mkdir("/run/systemd", 0755), 0);
	run_for(200);
	assert_int_equal(mkdir("/run/systemd/resolve", 0755), 0);
	write_file("/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.63\n");
	assert_soon("192.0.2.63");
	unlink("/etc/resolv.conf");
}

#define WATCH_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(a_new_address_is_known_soon_and_one_that_goes_not_for_long),
		WATCH_TEST(an_address_that_comes_back_at_once_was_never_gone),
		WATCH_TEST(a_new_gateway_is_known_without_reading_all_routes),
		WATCH_TEST(a_gateway_goes_with_its_last_route_also_if_that_was_replaced),
		WATCH_TEST(gateways_go_with_the_address_or_link_that_carried_them),
		WATCH_TEST(a_table_that_churns_is_not_read_again_and_again),
		WATCH_TEST(name_servers_are_known_when_the_file_is_written_or_replaced),
		WATCH_TEST(name_servers_are_known_behind_links_and_in_directories_that_come_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
