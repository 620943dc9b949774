/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.h - what a driver may call: a page-table engine, whoever wrote it.
 *
 * The native engine instantiates one struct engine_ops per format; an adapter to another engine implements the same interface.
 *
 * Errors, one meaning each, the first that matches is returned:
 *   -EINVAL     last < iova; neither PROT_R nor PROT_W nor PROT_X; an unknown prot bit
 *   -ERANGE     iova, last or the last oa is outside what the table can hold, or the range touches the sign-extension hole
 *   -ENXIO      iova, oa or length is not a multiple of the smallest page that is enabled
 *   -EOPNOTSUPP prot cannot be expressed; dirty on a format without it; a cut that would change a live entry where that is not declared
 *   -ENOENT     nothing mapped there (cut, translate)
 *   -EADDRINUSE something mapped there (map)
 *   -ENOMEM     a table could not be allocated
 * Sizes are counted in granules (the format's smallest leaf), so that a full 64-bit range has a size.
 */
#ifndef HITLESS_ENGINE_H
#define HITLESS_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "gather.h"
#include "mem.h"

/*
 * struct engine_info - what an engine declares about a configuration.
 *
 * @granule_lg2:   smallest leaf of the format
 * @cap_size_change: a live entry may be replaced by smaller ones (and back) without a walk being disturbed
 * @cap_leaf_to_table: a live leaf may be replaced by a table, likewise
 * @arm_mair:      armv8 stage 1: the memory attributes that its attribute indices mean, as in MAIR_ELx; 0: CONFIG_ARM_MAIR
 * @traits:        where it departs from what is said here
 */
struct engine_info {
	uint8_t granule_lg2;
	bool cap_size_change, cap_leaf_to_table;
	uint64_t arm_mair;
	struct traits traits;
};

/* A line of the table that says where an engine departs from this contract: which operation, what it does instead, and why it does. */
struct engine_difference {
	const char *op, *what, *reason;
};

struct engine;

/* Called by ->dirty once for each dirty leaf, with the extent of the whole leaf, in ascending order. */
typedef void engine_dirty_fn(void *arg, uint64_t iova, uint64_t last);

/*
 * struct engine_ops - one format of one engine. All ranges are [iova, last]. Whoever calls map, cut, unmap or a clearing dirty holds a lock
 * over every piece that the call touches; calls on disjoint ranges may run at the same time. Each fills the gather, which the caller passes
 * to ->sync before it relies on the change: before new mappings are used, before what was unmapped is reused, before a dirty report is
 * acted on.
 *
 * @name:    of the format
 * @engine:  "native", "linux", "iopgtable"
 * @configs: the configurations that the format wants tested, as text after the word "format", NULL at the end
 * @differences: from this contract, a NULL op at the end; NULL: none. What they mean for a domain, ->info says
 * @resolve: fills in the fields of *cfg that are CONFIG_UNSET and checks the rest: 0, or -EINVAL with a static *why
 * @create:  an empty domain in @mem, which must outlive it; root table installed and announced (mem_top). 0, -ENOMEM, -EINVAL
 * @destroy: frees every table, after the device has stopped. Nothing is owed
 * @forget:  gives back the host memory of a domain without looking at its tables, which may be in any state
 * @info:    what this domain declares
 * @map:     makes [iova, last] translate to oa onwards with prot, in the largest pages that alignment, length and cfg->pgsizes allow.
 *           *granules: how much was mapped, valid on error too. -EADDRINUSE: exactly the leaves before the first conflicting one remain;
 *           -ENOMEM: some whole leaves from the front remain; other errors: nothing changed
 * @cut:     makes iova the start of a leaf without disturbing a translation. 0 and nothing stored if it already is. On error no live
 *           entry has changed
 * @unmap:   removes leaves from iova on until last is reached or passed, or at the first hole; nothing if iova lies inside a leaf.
 *           *granules: what was
 *           removed, the whole of the last leaf included. Tables whose span lies in [iova, last] and was emptied go to the gather
 * @translate: *oa for iova; needs no lock against other ranges
 * @dirty:   calls fn for each dirty leaf that overlaps [iova, last]; with @clear the whole leaf is clean afterwards. -EOPNOTSUPP without
 *           dirty tracking
 * @sync:    issues the invalidations that g owes, waits, then frees the tables on it; g is empty afterwards
 * @root:    address and level of the table that a walk starts with
 */
struct engine_ops {
	const char *name, *engine;
	const char *const *configs;
	const struct engine_difference *differences;
	int (*resolve)(struct config *cfg, const char **why);
	int (*create)(struct engine **e, struct mem *mem, const struct config *cfg);
	void (*destroy)(struct engine *e);
	void (*forget)(struct engine *e);
	void (*info)(const struct engine *e, struct engine_info *info);
	int (*map)(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules);
	int (*cut)(struct engine *e, uint64_t iova, struct gather *g);
	int (*unmap)(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules);
	int (*translate)(struct engine *e, uint64_t iova, uint64_t *oa);
	int (*dirty)(struct engine *e, uint64_t iova, uint64_t last, bool clear, struct gather *g, engine_dirty_fn *fn, void *arg);
	void (*sync)(struct engine *e, struct gather *g);
	void (*root)(const struct engine *e, uint64_t *pa, unsigned *level);
};

/* An engine and its formats, NULL at the end. */
struct engine_list {
	const char *name;
	const struct engine_ops *const *formats;
};

/* The engines built in, a NULL name at the end. */
extern const struct engine_list engines[];

/*
 * engine_choose - which engine the functions below mean from now on; "native" to begin with. "both": the native engine beside another one
 * that has the format. 0, or -ENOENT: none of that name is built in.
 */
int engine_choose(const char *name);

/*
 * Whether an engine is handed arguments that its callers must not pass, where its own contract is narrower than this one. Then a crash,
 * or that it accepts them, is a finding; else its adapter refuses them.
 */
extern bool engine_hostile;

/*
 * Whether an engine is handed what its callers may pass, but what is known to go wrong (docs/findings): kept back by its adapter otherwise, so
 * that a campaign finds something else.
 */
extern bool engine_all_arguments;

/* The formats of the chosen engine, NULL at the end. */
const struct engine_ops *const *engine_formats(void);

/* The chosen engine's format called name, or NULL. */
const struct engine_ops *engine_find(const char *name);

/* "native", or as it was chosen. */
const char *engine_name(void);

/* If both are chosen, the native engine's format called name, which is to run beside the chosen one; else NULL. */
const struct engine_ops *engine_twin(const char *name);

#endif
