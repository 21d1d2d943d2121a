/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/audit_note.h"

#include <fcntl.h>
#include <limits.h>

#include "core/units.h"

#define SUFFIX	  "-audit"
#define TITLE	  "moat audit 1\n"
#define NOTE_SIZE 512 /* bytes of the file, at most */

static int path_of(const char *uri, const char *suffix, char ret[static PATH_MAX],
		   struct problem *why)
{
	const char *path = strstr(uri, "://");
	int size = path ? snprintf(ret, PATH_MAX, "%s%s", path + 3, suffix) : -1;

	if (size > 0 && size < PATH_MAX)
		return 0;
	return problem_set(why, -ENAMETOOLONG, "database '%.80s': its path is too long", uri);
}

/* "KEY ENTRY HASH\n". Moves *at behind it. */
static bool take_head(const char **at, const char *key, struct audit_head *ret)
{
	char entry[24], hash[CHAIN_TEXT];
	uint64_t number;
	int size = 0;

	if (strncmp(*at, key, strlen(key)) != 0 ||
	    sscanf(*at + strlen(key), " %20[0-9] %64[0-9a-f]%n", entry, hash, &size) != 2)
		return false;
	*at += strlen(key) + (size_t)size;
	if (*(*at)++ != '\n' || units_number(entry, &number) || number > INT64_MAX ||
	    !chain_text_ok(hash))
		return false;
	ret->entry = (int64_t)number;
	memcpy(ret->hash, hash, CHAIN_TEXT);
	return true;
}

int audit_note_read(const char *uri, struct audit_note *ret, struct problem *why)
{
	_cleanup_fclose_ FILE *file = NULL;
	char path[PATH_MAX], text[NOTE_SIZE + 1] = "";
	const char *at = text + strlen(TITLE);
	struct audit_note note;
	int err = path_of(uri, SUFFIX, path, why);

	if (err)
		return err;
	file = fopen(path, "re");
	if (!file)
		return problem_set(why, -errno, "'%s': %s", path, strerror(errno));
	if (!fread(text, 1, NOTE_SIZE, file) && ferror(file))
		return problem_set(why, -EIO, "'%s': it cannot be read", path);
	if (strncmp(text, TITLE, strlen(TITLE)) != 0 || !take_head(&at, "from", &note.from) ||
	    !take_head(&at, "head", &note.head) || *at)
		return problem_set(why, -EINVAL, "'%s': it is not a note of moat's", path);
	*ret = note;
	return 0;
}

int audit_note_write(const char *uri, const struct audit_note *note, struct problem *why)
{
	char path[PATH_MAX], fresh[PATH_MAX], text[NOTE_SIZE];
	_cleanup_close_ int fd = -1;
	int err, size;

	err = path_of(uri, SUFFIX, path, why);
	err = err ?: path_of(uri, SUFFIX "~", fresh, why);
	if (err)
		return err;
	size = snprintf(text, sizeof(text), TITLE "from %lld %s\nhead %lld %s\n",
			(long long)note->from.entry, note->from.hash, (long long)note->head.entry,
			note->head.hash);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || write(fd, text, (size_t)size) != size || rename(fresh, path))
		return problem_set(why, errno ? -errno : -EIO, "'%s': it cannot be written: %s",
				   path, strerror(errno));
	return 0;
}
