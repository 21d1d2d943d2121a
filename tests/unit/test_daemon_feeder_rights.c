/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real child, as the kernel sees it.
 */
#include <ctype.h>

#include "tests/unit/feeder_lab.h"

static pid_t own_child(void)
{
	_cleanup_fclose_ FILE *file = NULL;
	char path[64];
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	file = fopen(path, "re");
	if (!file || fscanf(file, "%d", &pid) != 1)
		return 0;
	return pid;
}

/* The words behind "Name:" in /proc/PID/status, "" if there are none. */
static const char *child_status(pid_t pid, const char *name)
{
	static char line[256];
	_cleanup_fclose_ FILE *file = NULL;
	size_t length = strlen(name);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		char *words = line + length + 1;

		if (strncmp(line, name, length) != 0 || line[length] != ':')
			continue;
		while (isspace((unsigned char)*words))
			words++;
		words[strcspn(words, "\n")] = '\0';
		return words;
	}
	return "";
}

/* A user namespace may hold one user only. */
static bool has_other_users(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/uid_map", "re");
	unsigned int inside, outside, count = 0;

	return file && fscanf(file, "%u %u %u", &inside, &outside, &count) == 3 && count > 1;
}

static void handle_silent(struct http_exchange *x, void *arg)
{
	(void)arg;
	wait_client(x, -1);
}

static bool has_asked(struct feeder_lab *lab)
{
	return http_server_requests(lab->server) > 0;
}

static void the_child_has_no_rights_while_it_fetches(void **state)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapAmb" };
	struct feeder_lab *lab = *state;
	struct feeder_job job = { .fd = -1 };
	unsigned int uid[4];
	pid_t pid;

	lab_serve(lab, handle_silent);
	job.url = lab_url(lab, "/");
	lab_start(lab, &job);
	wait_lab(lab, has_asked);
	pid = own_child();
	assert_true(pid > 0);
	assert_string_equal(child_status(pid, "Name"), "moatd-feeder");
	assert_string_equal(child_status(pid, "NoNewPrivs"), "1");
	assert_string_equal(child_status(pid, "Seccomp"), "2");
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		assert_string_equal(child_status(pid, sets[i]), "0000000000000000");
	if (geteuid() || !has_other_users()) {
		print_message("# SKIP the child is another user: this is not root of a system\n");
	} else {
		assert_int_equal(sscanf(child_status(pid, "Uid"), "%u %u %u %u", &uid[0], &uid[1],
					&uid[2], &uid[3]),
				 4);
		for (int i = 0; i < 4; i++)
			assert_int_not_equal(uid[i], 0);
		assert_string_equal(child_status(pid, "CapBnd"), "0000000000000000");
		assert_string_equal(child_status(pid, "Groups"), "");
	}
	lab->feeder = feeder_cancel(lab->feeder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		with_feeder(the_child_has_no_rights_while_it_fetches),
	};

	feeder_lab_main(argc, argv, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
