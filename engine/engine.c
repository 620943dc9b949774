/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine.c - the engines built in, and the lists of their formats as the build generates them. */
#include "engine.h"

#include <errno.h>
#include <string.h>

#define FORMAT(name) extern const struct engine_ops engine_native_##name;
#include "formats.inc"
#undef FORMAT

static const struct engine_ops *const engine_native[] = {
#define FORMAT(name) &engine_native_##name,
#include "formats.inc"
#undef FORMAT
	NULL,
};

#ifdef HITLESS_LINUX
#define FORMAT(name) extern const struct engine_ops engine_linux_##name;
#include "linux_formats.inc"
#undef FORMAT

static const struct engine_ops *const engine_linux[] = {
#define FORMAT(name) &engine_linux_##name,
#include "linux_formats.inc"
#undef FORMAT
	NULL,
};
#endif

const struct engine_list engines[] = {
	{ "native", engine_native },
#ifdef HITLESS_LINUX
	{ "linux", engine_linux },
#endif
	{ NULL, NULL },
};

bool engine_hostile;

static const struct engine_list *engine_chosen = engines;

int engine_choose(const char *name)
{
	const struct engine_list *e;

	for (e = engines; e->name && strcmp(e->name, name); e++)
		;
	if (!e->name)
		return -ENOENT;
	engine_chosen = e;
	return 0;
}

const struct engine_ops *const *engine_formats(void)
{
	return engine_chosen->formats;
}

const struct engine_ops *engine_find(const char *name)
{
	const struct engine_ops *const *f;

	for (f = engine_chosen->formats; *f; f++)
		if (!strcmp((*f)->name, name))
			return *f;
	return NULL;
}
