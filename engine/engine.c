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

#ifdef HITLESS_IOPGTABLE
#define FORMAT(name) extern const struct engine_ops engine_iopgtable_##name;
#include "iopgtable_formats.inc"
#undef FORMAT

static const struct engine_ops *const engine_iopgtable[] = {
#define FORMAT(name) &engine_iopgtable_##name,
#include "iopgtable_formats.inc"
#undef FORMAT
	NULL,
};
#endif

const struct engine_list engines[] = {
	{ "native", engine_native },
#ifdef HITLESS_LINUX
	{ "linux", engine_linux },
#endif
#ifdef HITLESS_IOPGTABLE
	{ "iopgtable", engine_iopgtable },
#endif
	{ NULL, NULL },
};

bool engine_hostile;
bool engine_all_arguments;

/* The formats that the native engine has and another one has too. */
static const struct engine_ops *engine_shared[16];
static const struct engine_list engine_both = { "both", engine_shared };

static const struct engine_list *engine_chosen = engines;

static const struct engine_ops *engine_format(const struct engine_list *list, const char *name)
{
	const struct engine_ops *const *f;

	for (f = list->formats; *f; f++)
		if (!strcmp((*f)->name, name))
			return *f;
	return NULL;
}

/* Returns how many formats both means. */
static unsigned engine_share(void)
{
	const struct engine_list *e;
	const struct engine_ops *const *f;
	unsigned nr = 0;

	for (e = engines + 1; e->name; e++)
		for (f = e->formats; *f && nr + 1 < sizeof(engine_shared) / sizeof(engine_shared[0]); f++)
			if (engine_format(engines, (*f)->name))
				engine_shared[nr++] = *f;
	engine_shared[nr] = NULL;
	return nr;
}

int engine_choose(const char *name)
{
	const struct engine_list *e;

	if (!strcmp(name, engine_both.name)) {
		engine_chosen = engine_share() ? &engine_both : engine_chosen;
		return engine_chosen == &engine_both ? 0 : -ENOENT;
	}

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
	return engine_format(engine_chosen, name);
}

const char *engine_name(void)
{
	return engine_chosen->name;
}

const struct engine_ops *engine_twin(const char *name)
{
	return engine_chosen == &engine_both ? engine_format(engines, name) : NULL;
}
