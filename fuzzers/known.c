/* SPDX-License-Identifier: GPL-2.0-or-later */
/* known.c - which findings are known. */
#include "known.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

/* class, guarantee, format, operation, level, kinds */
#define SIGNATURE_WORDS 6

static unsigned known_words(const char *text)
{
	unsigned nr = 0;

	for (; *text; text++)
		nr += !isspace((unsigned char)*text) && (!text[1] || isspace((unsigned char)text[1]));
	return nr;
}

static int known_line(struct known *k, const char *path, unsigned number, char *line)
{
	char *end = line + strcspn(line, "#\n");

	*end = '\0';
	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*line))
		line++;
	if (!*line)
		return -1;
	if (known_words(line) != SIGNATURE_WORDS)
		return complain(EXIT_USAGE, "%s:%u: a signature has %u words, as \"wrong-oa G1 amdv1 cut L1 leaf>hole\"; any may be *", path, number,
				SIGNATURE_WORDS);
	k->patterns = realloc(k->patterns, (k->nr + 1) * sizeof(*k->patterns));
	if (!k->patterns)
		abort();
	k->patterns[k->nr] = strdup(line);
	if (!k->patterns[k->nr++])
		abort();
	return -1;
}

int known_read(struct known *k, FILE *in, const char *name)
{
	char *line = NULL;
	unsigned number = 0;
	size_t room = 0;
	int ret = -1;

	*k = (struct known){ 0 };
	while (ret < 0 && getline(&line, &room, in) >= 0)
		ret = known_line(k, name, ++number, line);
	if (ret < 0 && ferror(in))
		ret = complain(EXIT_USAGE, "%s: %s", name, strerror(errno));
	free(line);
	return ret;
}

int known_load(struct known *k, const char *path)
{
	FILE *in;
	int ret;

	*k = (struct known){ 0 };
	if (!path)
		return -1;
	in = fopen(path, "r");
	if (!in)
		return complain(EXIT_USAGE, "%s: %s", path, strerror(errno));
	ret = known_read(k, in, path);
	fclose(in);
	return ret;
}

void known_release(struct known *k)
{
	size_t i;

	for (i = 0; i < k->nr; i++)
		free(k->patterns[i]);
	free(k->patterns);
	*k = (struct known){ 0 };
}

bool known_has(const struct known *k, const char *signature)
{
	size_t i;

	for (i = 0; i < k->nr; i++)
		if (!fnmatch(k->patterns[i], signature, FNM_NOESCAPE))
			return true;
	return false;
}
