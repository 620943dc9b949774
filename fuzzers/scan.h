/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan.h - words and numbers out of one line of text, and refusals that say what is wrong with them.
 *
 * Shared by config_text.c and trace_text.c; it knows nothing of either.
 */
#ifndef HITLESS_SCAN_H
#define HITLESS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "op.h"

/* Part of a line, not terminated. */
struct word {
	const char *at;
	size_t nr;
};

/* Takes the next word off *text: "[", "]" or ",", or what extends to one of them, a blank or the end. False at the end; w is empty then. */
bool scan_word(const char **text, struct word *w);

bool word_is(const struct word *w, const char *name);

/* Decimal or 0x hexadecimal. False if it is none or does not fit 64 bits; *overflow tells which. */
bool word_number(const struct word *w, uint64_t *value, bool *overflow);

/* Fill in err->text (not err->line), bytes that are not printable ASCII as "?"; returns -EINVAL. */
int refuse(struct trace_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, with the word quoted before it, shortened if it is long; says "the line ends" for an empty one. */
int refuse_word(struct trace_error *err, const struct word *w, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
