/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration of the README, and with it that of moat.yaml(5), shows the
 * defaults, as it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config.h"

#ifndef MOAT_SOURCE_DIR
#define MOAT_SOURCE_DIR "."
#endif
#define README	     MOAT_SOURCE_DIR "/README.md"
#define INTERFACES   "interfaces: [ { name: eth0 } ]\n"
#define SECTIONS_MIN 12 /* fewer: the block was not found whole */

/* Sections that show examples, as the README says above the block. */
static bool is_example(const char *line)
{
	static const char *const keys[] = { "interfaces:", "categories:", "never_block:",
					    "region:",	   "asn_table:",  "feeds:" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strncmp(line, keys[i], strlen(keys[i])))
			return true;
	return false;
}

/* The block but for those sections. */
static char *shown_defaults(void)
{
	_cleanup_fclose_ FILE *file = fopen(README, "re");
	bool in_block = false, taken = false;
	char *text = NULL, line[512];
	unsigned int sections = 0;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(file);
	assert_non_null(out);
	fputs(INTERFACES, out);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "```", 3)) {
			in_block = !strcmp(line, "```yaml\n");
			continue;
		}
		if (!in_block)
			continue;
		if (line[0] != ' ') {
			taken = !is_example(line);
			sections += taken;
		}
		if (taken)
			fputs(line, out);
	}
	fclose(out);
	assert_true(sections >= SECTIONS_MIN);
	return text;
}

static struct config *parse(const char *text)
{
	struct config *c = NULL;
	struct problem why = {};

	if (config_parse("README.md", text, strlen(text), &c, &why))
		fail_msg("%s", why.text);
	return c;
}

static void same_text(const char *shown, const char *is)
{
	assert_int_equal(!shown, !is);
	if (shown)
		assert_string_equal(shown, is);
}

static void what_the_readme_shows_is_the_default(void **state)
{
	_cleanup_free_ char *text = shown_defaults();
	_cleanup_(config_freep) struct config *shown = parse(text);
	_cleanup_(config_freep) struct config *is = parse(INTERFACES);

	(void)state;
	same_text(shown->database, is->database);
	same_text(shown->listen, is->listen);
	same_text(shown->socket, is->socket);
	same_text(shown->pins, is->pins);
	same_text(shown->user, is->user);
	assert_memory_equal(shown->capacity, is->capacity, sizeof(is->capacity));
	assert_memory_equal(shown->min_prefix, is->min_prefix, sizeof(is->min_prefix));
	assert_memory_equal(&shown->limits, &is->limits, sizeof(is->limits));
	assert_int_equal(shown->attach.chain, is->attach.chain);
	assert_int_equal(shown->attach.priority, is->attach.priority);
	assert_int_equal(shown->sieve, is->sieve);
	assert_int_equal(shown->manual_trusted, is->manual_trusted);
	assert_int_equal(shown->non_routable, is->non_routable);
	assert_int_equal(shown->sampling, is->sampling);
	assert_int_equal(shown->replies, is->replies);
	assert_int_equal(shown->flows, is->flows);
	assert_int_equal(shown->hits, is->hits);
	assert_int_equal(shown->drop_reasons, is->drop_reasons);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_readme_shows_is_the_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
