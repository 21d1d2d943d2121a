/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/privileges_paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "core/log.h"
#include "plane/bpffs.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PINS_DEPTH     2 /* directories in the pins are as deep at most */
#define MODE_DIRECTORY 0750
#define MODE_SOCKETS   0755 /* who may connect is the socket's own mode */

static int fail(const char *what, const char *path, struct problem *why)
{
	return problem_set(why, -errno, "%s '%s': cannot be handed over to moatd's user: %s", what,
			   path, strerror(errno));
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* ---- pins ---- */

static bool may_search(const struct stat *st, const struct passwd *account)
{
	if (st->st_uid == account->pw_uid)
		return st->st_mode & S_IXUSR;
	if (st->st_gid == account->pw_gid)
		return st->st_mode & S_IXGRP;
	return st->st_mode & S_IXOTH;
}

/* Nobody but root has put anything into a BPF file system that is closed to others. */
static int open_to_group(const char *path, const struct passwd *account, struct problem *why)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return fail("pins", path, why);
	if (may_search(&st, account))
		return 0;
	if (!bpffs_is(path) || st.st_uid != 0)
		return problem_set(why, -EACCES,
				   "pins: user '%s' may not search '%s': choose other pins, or open "
				   "that directory",
				   account->pw_name, path);
	if (chown(path, (uid_t)-1, account->pw_gid) < 0 ||
	    chmod(path, (st.st_mode & 07707) | S_IXGRP) < 0)
		return fail("pins", path, why);
	log_notice("pins: group of '%s' may search '%s' now", account->pw_name, path);
	return 0;
}

static int open_way(const char *pins, const struct passwd *account, struct problem *why)
{
	char path[PATH_MAX];
	int r = 0;

	if ((size_t)snprintf(path, sizeof(path), "%s", pins) >= sizeof(path))
		return problem_set(why, -ENAMETOOLONG, "pins '%s': too long", pins);
	for (char *at = path + 1; *at && !r; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		r = open_to_group(path, account, why);
		*at = '/';
	}
	return r;
}

/*
 * What an earlier moatd pinned as root, directories of interfaces included.
 * Another name of the same pin is not ours to give. Closes fd.
 */
static int give_pins(int fd, const char *pins, int depth, const struct passwd *account,
		     struct problem *why)
{
	_cleanup_(closedirp) DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int r;

	if (!dir) {
		r = fail("pins", pins, why);
		close(fd);
		return r;
	}
	r = fchown(fd, account->pw_uid, account->pw_gid) ? fail("pins", pins, why) : 0;
	while (!r && (entry = readdir(dir))) {
		struct stat st;

		if (is_dots(entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_uid != account->pw_uid &&
		    fchownat(dirfd(dir), entry->d_name, account->pw_uid, account->pw_gid,
			     AT_SYMLINK_NOFOLLOW) < 0)
			r = fail("pins", pins, why);
		if (!r && S_ISDIR(st.st_mode) && depth) {
			int inner = openat(dirfd(dir), entry->d_name, OPEN_DIRECTORY);

			r = inner < 0 ? fail("pins", pins, why)
				      : give_pins(inner, pins, depth - 1, account, why);
		}
	}
	return r;
}

static int hand_over_pins(const char *pins, const struct passwd *account, struct problem *why)
{
	struct statfs fs;
	int fd, r = bpffs_prepare(pins, why);

	if (r)
		return r;
	if (why->text[0])
		log_warning("%s", why->text);
	r = open_way(pins, account, why);
	if (r)
		return r;
	fd = open(pins, OPEN_DIRECTORY);
	if (fd < 0)
		return fail("pins", pins, why);
	if (fstatfs(fd, &fs) < 0 || (uint32_t)fs.f_type != BPF_FS_MAGIC) {
		close(fd);
		return problem_set(why, -EPERM, "pins '%s': it leads out of the BPF file system",
				   pins);
	}
	return give_pins(fd, pins, PINS_DEPTH, account, why);
}

/* By its name: what it leads to is looked at when it is open. */
static bool is_below_bpffs(const char *path)
{
	size_t size = strlen(BPFFS_DEFAULT_MOUNT "/");

	return !strncmp(path, BPFFS_DEFAULT_MOUNT "/", size) && !strstr(path, "/..");
}

int privileges_hand_over_pins(const struct config *config, const struct passwd *account,
			      struct problem *why)
{
	if (!is_below_bpffs(config->pins))
		return problem_set(why, -EPERM,
				   "pins '%s': only pins below " BPFFS_DEFAULT_MOUNT
				   " are handed over beforehand: user '%s' may write the "
				   "configuration, and would be given other directories of root's",
				   config->pins, account->pw_name);
	return hand_over_pins(config->pins, account, why);
}

/* ---- directories ---- */

/* "/var/lib/moat/moat.db" to "/var/lib/moat". */
static bool directory_of(const char *path, char ret[static PATH_MAX])
{
	char *slash;

	if ((size_t)snprintf(ret, PATH_MAX, "%s", path) >= PATH_MAX)
		return false;
	slash = strrchr(ret, '/');
	if (!slash || slash == ret)
		return false;
	*slash = '\0';
	return true;
}

static const char *database_path(const struct config *config)
{
	const char *path = strstr(config->database, "://");

	return path ? path + 3 : config->database;
}

static bool has_nothing_but(int fd, const char *name)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	_cleanup_(closedirp) DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		if (!is_dots(entry->d_name) && strcmp(entry->d_name, name) != 0)
			return false;
	return true;
}

/* Makes it for the account. One that root made for the file alone is given to it. */
static int hand_over_directory(const char *what, const char *file, mode_t mode,
			       const struct passwd *account, struct problem *why)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct stat st;
	bool made;

	if (!directory_of(file, path))
		return 0;
	made = !mkdir(path, mode);
	if (!made && errno != EEXIST)
		return problem_set(why, -errno, "%s '%s': cannot make its directory '%s': %s", what,
				   file, path, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(what, path, why);
	if (!made && (st.st_uid != 0 || st.st_mode & (S_IWOTH | S_ISVTX) ||
		      !has_nothing_but(fd, strrchr(file, '/') + 1)))
		return 0;
	return fchown(fd, account->pw_uid, account->pw_gid) < 0 ? fail(what, path, why) : 0;
}

int privileges_hand_over(const struct config *config, const struct passwd *account,
			 struct problem *why)
{
	int r = hand_over_pins(config->pins, account, why);

	r = r ?: hand_over_directory("socket", config->socket, MODE_SOCKETS, account, why);
	if (r || !access(database_path(config), F_OK))
		return r;
	return hand_over_directory("database", database_path(config), MODE_DIRECTORY, account, why);
}

void privileges_check(const struct config *config, const struct passwd *account)
{
	const char *database = database_path(config);
	char directory[PATH_MAX];

	if (!directory_of(database, directory))
		return;
	if (euidaccess(directory, R_OK | W_OK | X_OK) < 0 ||
	    (euidaccess(database, R_OK | W_OK) < 0 && errno != ENOENT))
		log_warning("database '%s': user '%s' may not write it or its directory: "
			    "chown -R %s: %s",
			    database, account->pw_name, account->pw_name, directory);
}
