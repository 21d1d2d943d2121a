/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/apply_journal.h"

#include <jansson.h>
#include <limits.h>
#include <time.h>

#include "core/config.h"
#include "daemon/durable.h"

#define SUFFIX	    "-apply"
#define VERSION	    1
#define JOURNAL_MAX (16 * CONFIG_FILE_MAX) /* bytes: two files, escaped, and the rest */

static const char *const states[] = {
	[JOURNAL_WAITING] = "waiting",
	[JOURNAL_CONFIRMED] = "confirmed",
	[JOURNAL_UNDONE] = "undone",
};

void journal_free(struct journal *j)
{
	free(j->next);
	free(j->was);
	free(j->attached);
	*j = (struct journal){};
}

static int path_of(const char *uri, char ret[static PATH_MAX], struct problem *why)
{
	const char *path = strstr(uri, "://");
	int size = path ? snprintf(ret, PATH_MAX, "%s" SUFFIX, path + 3) : -1;

	if (size > 0 && size < PATH_MAX)
		return 0;
	return problem_set(why, -ENAMETOOLONG, "database '%.80s': its path is too long", uri);
}

/* ---- the deadline ---- */

static int64_t boot_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void boot_id(char ret[static 40])
{
	_cleanup_fclose_ FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	ret[0] = '\0';
	if (file && fgets(ret, 40, file))
		ret[strcspn(ret, "\n")] = '\0';
}

void journal_begin(struct journal *j, int64_t seconds)
{
	j->seconds = seconds;
	j->until = time(NULL) + seconds;
	j->until_boot = boot_ms() + seconds * 1000;
	boot_id(j->boot);
}

int64_t journal_left(const struct journal *j)
{
	char now_boot[40];
	int64_t left;

	boot_id(now_boot);
	if (*now_boot && !strcmp(now_boot, j->boot))
		left = j->until_boot - boot_ms();
	else
		left = (j->until - time(NULL)) * 1000;
	return left > 0 && left <= j->seconds * 1000 ? left : 0;
}

bool journal_was_attached(const struct journal *j, const char *iface)
{
	for (size_t i = 0; i < j->attacheds; i++)
		if (!strcmp(j->attached[i], iface))
			return true;
	return false;
}

/* ---- the file ---- */

static int take_names(const json_t *names, struct journal *j)
{
	size_t count = json_array_size(names), i;
	const json_t *name;

	if (!json_is_array(names) || count > JOURNAL_NAMES_MAX)
		return -EINVAL;
	j->attached = calloc(count + 1, sizeof(*j->attached));
	if (!j->attached)
		return -ENOMEM;
	json_array_foreach(names, i, name) {
		const char *text = json_string_value(name);

		if (!text || strlen(text) >= sizeof(*j->attached))
			return -EINVAL;
		snprintf(j->attached[j->attacheds++], sizeof(*j->attached), "%s", text);
	}
	return 0;
}

static int take_state(const char *text, enum journal_state *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (!strcmp(states[i], text)) {
			*ret = (enum journal_state)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int take_members(json_t *root, struct journal *j)
{
	const char *state, *next, *was, *actor, *origin, *boot;
	json_int_t seconds, until, until_boot;
	json_t *names;
	int version;

	if (json_unpack(root, "{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:o !}",
			"moat_apply", &version, "state", &state, "next", &next, "was", &was,
			"actor", &actor, "origin", &origin, "seconds", &seconds, "until", &until,
			"until_boot_ms", &until_boot, "boot", &boot, "attached", &names) ||
	    version != VERSION || take_state(state, &j->state) || strlen(boot) >= sizeof(j->boot) ||
	    seconds < 0 || seconds > INT64_MAX / 1000)
		return -EINVAL;
	snprintf(j->actor, sizeof(j->actor), "%s", actor);
	snprintf(j->origin, sizeof(j->origin), "%s", origin);
	snprintf(j->boot, sizeof(j->boot), "%s", boot);
	j->seconds = seconds;
	j->until = until;
	j->until_boot = until_boot;
	j->next = strdup(next);
	j->was = strdup(was);
	return j->next && j->was ? take_names(names, j) : -ENOMEM;
}

int journal_read(const char *uri, struct journal *ret, struct problem *why)
{
	_cleanup_(journal_free) struct journal j = {};
	_cleanup_free_ char *text = NULL;
	json_auto_t *root = NULL;
	char path[PATH_MAX];
	size_t size;
	int r = path_of(uri, path, why) ?: durable_read(path, JOURNAL_MAX, &text, &size, why);

	if (r)
		return r;
	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	r = root ? take_members(root, &j) : -EINVAL;
	if (r)
		return problem_set(why, r, "'%s': %s", path,
				   r == -ENOMEM ? "out of memory" : "it is no journal of moat's");
	*ret = j;
	j = (struct journal){};
	return 0;
}

static json_t *names_of(const struct journal *j)
{
	json_t *names = json_array();

	for (size_t i = 0; names && i < j->attacheds; i++)
		json_array_append_new(names, json_string(j->attached[i]));
	return names;
}

int journal_write(const char *uri, const struct journal *j, struct problem *why)
{
	json_auto_t *root = NULL;
	char *text = NULL;
	char path[PATH_MAX];
	int r = path_of(uri, path, why);

	if (r)
		return r;
	root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:o}", "moat_apply",
			 VERSION, "state", states[j->state], "next", j->next, "was", j->was,
			 "actor", j->actor, "origin", j->origin, "seconds", (json_int_t)j->seconds,
			 "until", (json_int_t)j->until, "until_boot_ms", (json_int_t)j->until_boot,
			 "boot", j->boot, "attached", names_of(j));
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	if (!text)
		return problem_set(why, -EINVAL,
				   "configuration: it cannot be kept: not UTF-8, or no memory left");
	r = durable_write(path, text, strlen(text), 0600, why);
	free(text);
	return r;
}

int journal_remove(const char *uri, struct problem *why)
{
	char path[PATH_MAX];

	return path_of(uri, path, why) ?: durable_remove(path, why);
}
