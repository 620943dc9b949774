/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * known.h - findings that are written up already: a file of patterns of signatures, one a line.
 */
#ifndef HITLESS_KNOWN_H
#define HITLESS_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct known {
	char **patterns;
	size_t nr;
};

/*
 * known_load - read the patterns of a file, each as for fnmatch(3): "*" stands for anything, other characters for themselves. Empty lines, and
 * what follows a "#", do not count. path NULL: none. Returns -1, or the exit status after a message.
 */
int known_load(struct known *k, const char *path);

/* Likewise from what is open already, called name. */
int known_read(struct known *k, FILE *in, const char *name);
void known_release(struct known *k);

/* Whether one of the patterns is this signature's. */
bool known_has(const struct known *k, const char *signature);

#endif
