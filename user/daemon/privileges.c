/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/privileges.h"

#include <cap-ng.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "core/log.h"
#include "daemon/privileges_paths.h"
#include "daemon/syscalls.h"

enum keep {
	KEEP_ALWAYS = 1, /* whoever moatd is, as long as it runs */
	KEEP_START = 2,	 /* until everything is open */
	KEEP_ROOT = 4,	 /* while it is root */
};

/* All that moatd ever uses, and what for. */
static const struct {
	unsigned int capability;
	enum keep keep;
} needed[] = {
	{ CAP_BPF, KEEP_ALWAYS },
	{ CAP_NET_ADMIN, KEEP_ALWAYS },
	{ CAP_PERFMON, KEEP_ALWAYS },	      /* the verifier: packets read at a computed offset */
	{ CAP_NET_BIND_SERVICE, KEEP_START }, /* listen below port 1024 */
	{ CAP_SETPCAP, KEEP_ROOT },	      /* the child's bounding set */
	/* The child becomes nobody, and may have to be ended. */
	{ CAP_SETUID, KEEP_ROOT },
	{ CAP_SETGID, KEEP_ROOT },
	{ CAP_KILL, KEEP_ROOT },
	/* Files of other accounts, which root is expected to read and share. */
	{ CAP_DAC_OVERRIDE, KEEP_ROOT },
	{ CAP_CHOWN, KEEP_ROOT },
	{ CAP_FOWNER, KEEP_ROOT },
	/* To name the XDP program of somebody else that is in the way. */
	{ CAP_SYS_ADMIN, KEEP_ROOT },
};

/* Of what there is, keeps what the table has for these; nothing else can come back. */
static void select_capabilities(unsigned int keep)
{
	bool have[ARRAY_SIZE(needed)];

	capng_get_caps_process();
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		have[i] = capng_have_capability(CAPNG_PERMITTED, needed[i].capability);
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (!have[i] || !(needed[i].keep & keep))
			continue;
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, needed[i].capability);
		/* Only root's children may have any of it. */
		if (keep & KEEP_ROOT)
			capng_update(CAPNG_ADD, CAPNG_BOUNDING_SET, needed[i].capability);
	}
}

static int explain_other(const char *name, struct problem *why)
{
	return problem_set(why, -EPERM,
			   "user '%s': moatd runs as uid %u and cannot become another: start it as "
			   "root, or as %s with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or take "
			   "'user' out of the configuration",
			   name, geteuid(), name);
}

/* The entry belongs to the library. */
static int find_account(const char *name, const struct passwd **ret, struct problem *why)
{
	errno = 0;
	*ret = getpwnam(name);
	if (*ret)
		return 0;
	return problem_set(why, errno ? -errno : -ENOENT,
			   "user '%s': there is no such account: useradd --system --no-create-home "
			   "--shell /usr/sbin/nologin %s, or take 'user' out of the configuration",
			   name, name);
}

int privileges_prepare(const struct config *config, struct problem *why)
{
	const struct passwd *account = NULL;
	int r = config->user ? find_account(config->user, &account, why) : 0;

	return r || !account ? r : privileges_hand_over_pins(config, account, why);
}

int privileges_become(const struct config *config, struct problem *why)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	const struct passwd *account = NULL;
	int r = config->user ? find_account(config->user, &account, why) : 0;

	if (r || !account)
		return r;
	if (geteuid() == account->pw_uid)
		return 0;
	if (geteuid() != 0)
		return explain_other(config->user, why);
	/* Before 5.11 maps count against it, and later nobody could raise it. */
	if (setrlimit(RLIMIT_MEMLOCK, &unlimited) < 0)
		log_debug("the limit of locked memory stays: %s", strerror(errno));
	r = privileges_hand_over(config, account, why);
	if (r < 0)
		return r;
	select_capabilities(KEEP_ALWAYS | KEEP_START);
	r = capng_change_id((int)account->pw_uid, (int)account->pw_gid,
			    CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	if (r)
		return problem_set(why, -EPERM,
				   "user '%s': moatd cannot become it (step %d): root in a "
				   "container without CAP_SETUID and CAP_SETGID? Take 'user' out of the "
				   "configuration, or grant them",
				   config->user, -r);
	privileges_check(config, account);
	return 0;
}

int privileges_drop(struct problem *why)
{
	bool root = !geteuid();
	bool bounded;

	capng_get_caps_process();
	bounded = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	select_capabilities(KEEP_ALWAYS | (root ? KEEP_ROOT : 0));
	/* Without CAP_SETPCAP who started moatd has bounded it, or nothing can. */
	if (capng_apply(bounded ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) < 0)
		return problem_set(why, -EPERM, "capabilities cannot be dropped");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return problem_set(why, -errno, "ambient capabilities cannot be dropped: %s",
				   strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return problem_set(why, -errno, "no_new_privs: %s", strerror(errno));
	return syscalls_restrict(why);
}
