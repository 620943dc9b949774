/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan.c - words and numbers out of one line of text; see scan.h. It does not know lines, comments or traces.
 */
#include "scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool scan_word(const char **text, struct word *w)
{
	w->at = *text + strspn(*text, " \t");
	w->nr = strcspn(w->at, " \t[],");
	if (!w->nr && *w->at)
		w->nr = 1;
	*text = w->at + w->nr;
	return w->nr;
}

bool word_is(const struct word *w, const char *name)
{
	return strlen(name) == w->nr && !memcmp(w->at, name, w->nr);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

bool word_number(const struct word *w, uint64_t *value, bool *overflow)
{
	bool hex = w->nr > 2 && w->at[0] == '0' && (w->at[1] == 'x' || w->at[1] == 'X');
	int base = hex ? 16 : 10;

	*value = 0;
	*overflow = false;
	for (size_t i = hex ? 2 : 0; i < w->nr; i++) {
		int d = digit(w->at[i]);

		if (d >= base) {
			*overflow = false;
			return false;
		}
		*overflow |= __builtin_mul_overflow(*value, (uint64_t)base, value);
		*overflow |= __builtin_add_overflow(*value, (uint64_t)d, value);
	}
	return w->nr && !*overflow;
}

static void make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

int refuse(struct trace_error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	make_printable(err->text);
	return -EINVAL;
}

int refuse_word(struct trace_error *err, const struct word *w, const char *format, ...)
{
	va_list args;
	int nr;

	if (!w->nr)
		nr = snprintf(err->text, sizeof(err->text), "the line ends: ");
	else
		nr = snprintf(err->text, sizeof(err->text), "\"%.*s%s\": ", w->nr > 40 ? 37 : (int)w->nr, w->at, w->nr > 40 ? "..." : "");
	va_start(args, format);
	vsnprintf(err->text + nr, sizeof(err->text) - nr, format, args);
	va_end(args);
	make_printable(err->text);
	return -EINVAL;
}
