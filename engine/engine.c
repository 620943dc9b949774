/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine.c - the list of native formats, as the build generates it. */
#include "engine.h"

#include <string.h>

#define FORMAT(name) extern const struct engine_ops engine_native_##name;
#include "formats.inc"
#undef FORMAT

const struct engine_ops *const engine_native[] = {
#define FORMAT(name) &engine_native_##name,
#include "formats.inc"
#undef FORMAT
	NULL,
};

const struct engine_ops *engine_find(const char *name)
{
	unsigned i;

	for (i = 0; engine_native[i]; i++)
		if (!strcmp(engine_native[i]->name, name))
			return engine_native[i];
	return NULL;
}
