/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/token_file.h"

#include <fcntl.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "core/text.h"

#define SECRET_BYTES (TOKEN_SECRET_BITS / 8)

/* ---- secrets ---- */

/* base64url of RFC 4648 without padding. */
static void encode(const uint8_t *bytes, size_t size, char *to)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_";
	uint32_t bits = 0;
	unsigned int have = 0;

	for (size_t i = 0; i < size; i++) {
		bits = bits << 8 | bytes[i];
		for (have += 8; have >= 6; have -= 6)
			*to++ = letters[bits >> (have - 6) & 63];
	}
	if (have)
		*to++ = letters[bits << (6 - have) & 63];
	*to = '\0';
}

int token_secret_new(char ret[static TOKEN_SECRET + 1], char ret_digest[static TOKEN_DIGEST_TEXT])
{
	uint8_t bytes[SECRET_BYTES], digest[TOKEN_DIGEST];
	unsigned int size = 0;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	snprintf(ret, TOKEN_SECRET + 1, "%s", TOKEN_PREFIX);
	encode(bytes, sizeof(bytes), ret + strlen(TOKEN_PREFIX));
	explicit_bzero(bytes, sizeof(bytes));
	if (!EVP_Digest(ret, TOKEN_SECRET, digest, &size, EVP_sha256(), NULL))
		return -EIO;
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(ret_digest + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

/* ---- the file ---- */

struct old {
	bool there;
	struct stat st;
	struct text text;
};

static void old_free(struct old *old)
{
	text_free(&old->text);
}

static int read_old(const char *path, struct old *ret, struct problem *why)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char buf[4096];
	size_t n;

	if (!f && errno == ENOENT)
		return 0;
	if (!f || fstat(fileno(f), &ret->st))
		return problem_set(why, -errno, "'%s': cannot be read: %s", path, strerror(errno));
	ret->there = true;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0 && ret->text.size <= TOKENS_SIZE_MAX) {
		if (memchr(buf, '\0', n))
			return problem_set(why, -EINVAL, "'%s': has a NUL byte", path);
		text_add(&ret->text, "%.*s", (int)n, buf);
	}
	if (ferror(f) || ret->text.failed)
		return problem_set(why, -EIO, "'%s': cannot be read", path);
	return 0;
}

/* Of a file that was not there before: of root, and for the group that its directory is for. */
static int own(int fd, const char *directory, const struct old *old)
{
	struct stat st;

	if (old->there)
		return fchown(fd, old->st.st_uid, old->st.st_gid) ||
				       fchmod(fd, old->st.st_mode & 07777)
			       ? -errno
			       : 0;
	if (stat(directory, &st) || !st.st_gid || fchown(fd, (uid_t)-1, st.st_gid))
		return 0; /* its owner's alone */
	return fchmod(fd, 0640) ? -errno : 0;
}

static int write_whole(int fd, const struct text *text)
{
	size_t done = 0;

	while (done < text->size) {
		ssize_t n = write(fd, text->data + done, text->size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

static int replace(const char *path, const struct old *old, const struct text *text)
{
	_cleanup_(text_free) struct text next = {};
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_close_ int fd = -1, at = -1;
	const char *directory = copy ? dirname(copy) : NULL;
	int err;

	text_add(&next, "%s.new", path);
	if (!directory || next.failed)
		return -ENOMEM;
	at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return -errno;
	if (unlink(next.data) && errno != ENOENT) /* of one that was killed */
		return -errno;
	fd = open(next.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = write_whole(fd, text);
	err = err ?: own(fd, directory, old);
	if (!err && rename(next.data, path))
		err = -errno;
	if (err)
		unlink(next.data);
	return err ?: fsync(at) ? -errno : 0;
}

static int put(const char *path, const struct old *old, const struct text *text,
	       struct problem *why)
{
	int err = text->failed ? -ENOMEM : replace(path, old, text);

	return err ? problem_set(why, err, "'%s': cannot be written: %s", path, strerror(-err)) : 0;
}

static int check(const char *path, const struct text *text, const char *name, bool *ret_there,
		 struct problem *why)
{
	_cleanup_(tokens_free) struct tokens tokens = {};
	struct problem inner = {};
	int err = tokens_parse(text->data ? text->data : "", text->size, &tokens, &inner);

	if (err)
		return problem_set(why, err, "'%s': %s", path, inner.text);
	*ret_there = tokens_by_name(&tokens, name) != NULL;
	return 0;
}

int token_file_add(const char *path, const char *name, const char *line, struct problem *why)
{
	_cleanup_(old_free) struct old old = {};
	bool there = false;
	int err = read_old(path, &old, why);

	err = err ?: check(path, &old.text, name, &there, why);
	if (err)
		return err;
	if (there)
		return problem_set(
			why, -EEXIST,
			"'%s': there is a token '%s': revoke it first, or choose another name",
			path, name);
	if (old.text.size && old.text.data[old.text.size - 1] != '\n')
		text_add(&old.text, "\n");
	text_add(&old.text, "%s\n", line);
	err = check(path, &old.text, name, &there, why);
	return err ?: put(path, &old, &old.text, why);
}

/* Whether a line is about name. */
static bool is_about(const char *line, size_t size, const char *name)
{
	size_t blanks = 0, length = strlen(name);

	while (blanks < size && (line[blanks] == ' ' || line[blanks] == '\t'))
		blanks++;
	line += blanks;
	size -= blanks;
	return size > length && !memcmp(line, name, length) &&
	       (line[length] == ' ' || line[length] == '\t');
}

int token_file_remove(const char *path, const char *name, struct problem *why)
{
	_cleanup_(old_free) struct old old = {};
	_cleanup_(text_free) struct text next = {};
	bool there = false;
	int err = read_old(path, &old, why);

	/* Also from a file with a wrong line: that one stays, and its token must not. */
	for (const char *at = err ? NULL : old.text.data; at && *at;) {
		size_t size = strcspn(at, "\n");

		if (is_about(at, size, name))
			there = true;
		else
			text_add(&next, "%.*s\n", (int)size, at);
		at += size + (at[size] == '\n');
	}
	if (err)
		return err;
	if (!there)
		return problem_set(why, -ENOENT, "'%s': there is no token '%s'", path, name);
	return put(path, &old, &next, why);
}
