/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completion in a shell: scripts made from the tables of verbs and options, so
 * that they know what moatctl knows, and the words that they ask for.
 *
 * What an option or argument takes is told by its name in the table: FEED is
 * one that the daemon has, FILE a file (complete.c has the list). A|B are the
 * words themselves; forms of arguments stand with " | " between.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli/cli.h"

/* shell: "bash" or "zsh". */
void complete_script(const struct cli *cli, const char *shell);

/* One a line. An exit code: CLI_USAGE, there are no such words. */
int complete_words(struct cli *cli, const char *what);

/* ---- between complete.c and the two that write scripts ---- */

#define COMPLETE_FILES "files" /* the kind of what the shell itself completes */

/*
 * How the value of an option, or argument number at (from 0) of a verb, is
 * completed. Returns the kind: a word of complete_words(), COMPLETE_FILES, ""
 * for nothing, or words with blanks between behind '='. Held in buf.
 */
#define COMPLETE_KIND_MAX 256
const char *complete_kind(const char *name, char buf[static COMPLETE_KIND_MAX]);
const char *complete_argument(const char *args, unsigned int at,
			      char buf[static COMPLETE_KIND_MAX]);
#define COMPLETE_ARGUMENTS 3 /* that differ in kind, at most */

/* Options that go with every verb. */
extern const struct verb_option complete_common[];
extern const size_t complete_commons;

void complete_bash(FILE *out);
void complete_zsh(FILE *out);

#endif
