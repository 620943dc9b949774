/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pt_ops.h - the top of the template: checks arguments in the order that engine.h promises, calls the operation, and exports struct
 * engine_ops. An instantiation includes its format's header, then this.
 */
#ifndef HITLESS_PT_OPS_H
#define HITLESS_PT_OPS_H

#include "pt_cut.h"
#include "pt_dirty.h"
#include "pt_map.h"
#include "pt_unmap.h"

/* A domain of the native engine is a struct pt. */
static inline struct pt *pt_of(struct engine *e)
{
	return (struct pt *)(void *)e;
}

static inline bool pt_iova_valid(const struct pt *pt, uint64_t iova)
{
	return (!pt->no_low && iova <= pt->low_last) || (pt->high_first && iova >= pt->high_first);
}

/* 0, -EINVAL or -ERANGE. */
static inline int pt_check_range(const struct pt *pt, uint64_t iova, uint64_t last)
{
	if (last < iova)
		return -EINVAL;
	if (!pt_iova_valid(pt, iova) || !pt_iova_valid(pt, last))
		return -ERANGE;
	/* Both ends are valid: only a range from the lower part into the upper one touches the hole. */
	if (pt->high_first && iova < pt->high_first && last >= pt->high_first)
		return -ERANGE;
	return 0;
}

/* 0, or -ENXIO unless [iova, last] and oa consist of smallest pages. */
static inline int pt_check_aligned(const struct pt *pt, uint64_t iova, uint64_t last, uint64_t oa)
{
	uint64_t mask = (pt->pgsizes & -pt->pgsizes) - 1;

	return (iova | (last + 1) | oa) & mask ? -ENXIO : 0;
}

static int pt_op_map(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	struct pt *pt = pt_of(e);
	int ret = pt_check_range(pt, iova, last);

	*granules = 0;
	if (ret == -EINVAL || !(prot & PROT_ACCESS) || (prot & ~(unsigned)PROT_ALL))
		return -EINVAL;
	if (ret || oa > pt_mask(pt->cfg.oas) || last - iova > pt_mask(pt->cfg.oas) - oa)
		return -ERANGE;
	ret = pt_check_aligned(pt, iova, last, oa);
	if (ret)
		return ret;
	if (!fmt_expressible(pt, prot))
		return -EOPNOTSUPP;
	/* Where the device keeps no state of its own, accessed and dirty are preset. */
	if (!pt->cfg.ad)
		prot |= PT_ACCESSED | PT_DIRTY;
	return pt_map(pt, iova, last, oa, prot, g, granules);
}

static int pt_op_cut(struct engine *e, uint64_t iova, struct gather *g)
{
	struct pt *pt = pt_of(e);
	int ret = pt_check_range(pt, iova, iova);

	if (!ret)
		ret = pt_check_aligned(pt, iova, iova - 1, 0);
	return ret ? ret : pt_cut(pt, iova, g);
}

static int pt_op_unmap(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	struct pt *pt = pt_of(e);
	int ret = pt_check_range(pt, iova, last);

	*granules = 0;
	if (!ret)
		ret = pt_check_aligned(pt, iova, last, 0);
	if (!ret)
		pt_unmap(pt, iova, last, g, granules);
	return ret;
}

static int pt_op_translate(struct engine *e, uint64_t iova, uint64_t *oa)
{
	struct pt *pt = pt_of(e);
	int ret = pt_check_range(pt, iova, iova);

	return ret ? ret : pt_translate(pt, iova, oa);
}

static int pt_op_dirty(struct engine *e, uint64_t iova, uint64_t last, bool clear, struct gather *g, engine_dirty_fn *fn, void *arg)
{
	struct pt *pt = pt_of(e);
	int ret = pt_check_range(pt, iova, last);

	if (!ret)
		ret = pt_check_aligned(pt, iova, last, 0);
	if (!ret && !pt->has_dirty)
		ret = -EOPNOTSUPP;
	if (!ret)
		pt_dirty(pt, iova, last, clear, g, fn, arg);
	return ret;
}

static void pt_op_sync(struct engine *e, struct gather *g)
{
	struct pt *pt = pt_of(e);
	size_t i;

	if (!g->owed)
		return;
	pt_invalidate(pt, g);
	for (i = 0; i < g->free_nr; i++)
		pt_free(pt, g->free[i].pa, g->free[i].level);
	gather_release(g);
}

static int pt_op_create(struct engine **e, struct mem *mem, const struct config *cfg)
{
	struct pt *pt = calloc(1, sizeof(*pt));
	uint64_t root;

	if (!pt)
		return -ENOMEM;
	pt->mem = mem;
	pt->cfg = *cfg;
	fmt_geometry(pt);
	pt_derive(pt);
	root = pt_alloc(pt, pt->top_level_start);
	if (root == MEM_NONE) {
		free(pt);
		return -ENOMEM;
	}
	pt_flush(pt, root, 1u << pt->index_lg2[pt->top_level_start]);
	pt->top = root | pt->top_level_start;
	mem_top(mem, root, pt->top_level_start);
	*e = (struct engine *)(void *)pt;
	return 0;
}

static void pt_op_destroy(struct engine *e)
{
	struct pt *pt = pt_of(e);

	pt_free_tree(pt, pt_level_top(pt->top), pt_table_top(pt->top));
	free(pt);
}

static void pt_op_forget(struct engine *e)
{
	free(pt_of(e));
}

static void pt_op_info(const struct engine *e, struct engine_info *info)
{
	const struct pt *pt = (const struct pt *)(const void *)e;

	*info = (struct engine_info){
		.granule_lg2 = pt->granule_lg2, .cap_size_change = pt->cap_size_change, .cap_leaf_to_table = pt->cap_leaf_to_table
	};
}

static void pt_op_root(const struct engine *e, uint64_t *pa, unsigned *level)
{
	uint64_t top = pt_load_top((const struct pt *)(const void *)e);

	*pa = pt_table_top(top);
	*level = pt_level_top(top);
}

#define PT_CONCAT_(a, b) a##b
#define PT_CONCAT(a, b) PT_CONCAT_(a, b)
#define PT_STRING_(a) #a
#define PT_STRING(a) PT_STRING_(a)

const struct engine_ops PT_CONCAT(engine_native_, FMT_NAME) = {
	.name = PT_STRING(FMT_NAME),
	.engine = "native",
	.configs = fmt_configs,
	.resolve = fmt_resolve,
	.create = pt_op_create,
	.destroy = pt_op_destroy,
	.forget = pt_op_forget,
	.info = pt_op_info,
	.map = pt_op_map,
	.cut = pt_op_cut,
	.unmap = pt_op_unmap,
	.translate = pt_op_translate,
	.dirty = pt_op_dirty,
	.sync = pt_op_sync,
	.root = pt_op_root,
};

#endif
