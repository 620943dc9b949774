/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pgtable_ops.h - the kernel's io-pgtable behind struct engine_ops: what a format of it must supply.
 *
 * The adapter is what stands above io-pgtable in the kernel: the IOMMU core, which takes a range apart into calls of map_pages and
 * unmap_pages, its callers, who keep track of what they have mapped, and the IOMMU's driver. What the kernel's contract says otherwise than
 * engine.h is declared (pgtable_differences), not made up for.
 */
#ifndef HITLESS_PGTABLE_OPS_H
#define HITLESS_PGTABLE_OPS_H

#include "../engine.h"
#include "../inv.h"
#include "linux_host.h"
#include "linux_pages.h"
#include "pgtable_record.h"

#include <linux/io-pgtable.h>

struct pgtable_format;

/*
 * struct pgtable_domain - a domain.
 *
 * @kernel: the configuration as io-pgtable has completed it; @ops: its table
 * @mapped: what has been mapped
 */
struct pgtable_domain {
	struct mem *mem;
	struct config cfg;
	const struct pgtable_format *format;
	struct linux_pages pages;
	struct linux_host host;
	struct io_pgtable_cfg kernel;
	struct io_pgtable_ops *ops;
	struct pgtable_record mapped;
	struct inv_geometry geo;
	struct device device;
};

/*
 * struct pgtable_format - one format of io-pgtable.
 *
 * @setup:  fills in *kernel for cfg as a driver does, and says which table it is. ias, oas, pgsize_bitmap, coherent_walk are filled in already
 * @prepare: before io-pgtable is asked for a table; 0 or a negative errno. NULL: nothing is to be done
 * @root:   address and level of the table that a walk starts with, from what io-pgtable says is to be programmed
 * @granule_lg2, @index_lg2: the smallest leaf; index bits of a table that is not the root
 * @mair:   the memory attributes that io-pgtable says are to be programmed; NULL: there is no such register
 * @prot:   IOMMU_* for prot, which has PROT_R or PROT_W
 * @traits: how prot is changed and what else differs, see config.h
 * @sync_map: the driver invalidates after a map, too
 * @gathers: the driver collects pages in a gather
 */
struct pgtable_format {
	enum io_pgtable_fmt (*setup)(const struct config *cfg, struct io_pgtable_cfg *kernel);
	int (*prepare)(struct pgtable_domain *d);
	void (*root)(const struct pgtable_domain *d, u64 *pa, unsigned *level);
	unsigned (*granule_lg2)(const struct config *cfg);
	unsigned (*index_lg2)(const struct config *cfg);
	u64 (*mair)(const struct pgtable_domain *d);
	int (*prot)(const struct config *cfg, unsigned prot);
	void (*traits)(const struct config *cfg, struct traits *traits);
	bool sync_map, gathers;
};

/* pgtable_create - ->create of a format. */
int pgtable_create(struct engine **e, struct mem *mem, const struct config *cfg, const struct pgtable_format *format);

/*
 * pgtable_resolve - the common part of ->resolve, last: no tiny geometry, no keys but those of the format.
 * @sizes: of leaves; @granule: the one that must be among those enabled, 0: none must
 */
int pgtable_resolve(struct config *cfg, const char **why, uint64_t sizes, uint64_t granule, bool may_be_incoherent);

void pgtable_op_destroy(struct engine *e);
void pgtable_op_forget(struct engine *e);
void pgtable_op_info(const struct engine *e, struct engine_info *info);
int pgtable_op_map(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules);
int pgtable_op_cut(struct engine *e, uint64_t iova, struct gather *g);
int pgtable_op_unmap(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules);
int pgtable_op_translate(struct engine *e, uint64_t iova, uint64_t *oa);
int pgtable_op_dirty(struct engine *e, uint64_t iova, uint64_t last, bool clear, struct gather *g, engine_dirty_fn *fn, void *arg);
void pgtable_op_sync(struct engine *e, struct gather *g);
void pgtable_op_root(const struct engine *e, uint64_t *pa, unsigned *level);

/* --- the driver's part, in pgtable_flush.c --- */

/* What a driver hands io-pgtable for a format that collects pages. The cookie is the domain. */
extern const struct iommu_flush_ops pgtable_flush_ops;

/* Our gather gets what a call has collected in the kernel's. In a queue (defer) it owes everything. */
void pgtable_gather_end(const struct pgtable_domain *d, struct gather *g, const struct iommu_iotlb_gather *kernel);

/* Issue what g owes and wait; g is empty afterwards. */
void pgtable_flush(struct pgtable_domain *d, struct gather *g);

/* What the formats' contract has in common otherwise than engine.h, each with its reason; NULL at the end. */
extern const struct engine_difference pgtable_differences[];

/* Exports engine_iopgtable_<format>, given the name of its configurations, its ->resolve and its struct pgtable_format. */
#define PGTABLE_ENGINE(fmt, its_configs, its_resolve, its_format)                             \
	static int fmt##_create(struct engine **e, struct mem *mem, const struct config *cfg) \
	{                                                                                     \
		return pgtable_create(e, mem, cfg, &its_format);                              \
	}                                                                                     \
	const struct engine_ops engine_iopgtable_##fmt = {                                    \
		.name = #fmt,                                                                 \
		.engine = "iopgtable",                                                        \
		.configs = its_configs,                                                       \
		.differences = pgtable_differences,                                           \
		.resolve = its_resolve,                                                       \
		.create = fmt##_create,                                                       \
		.destroy = pgtable_op_destroy,                                                \
		.forget = pgtable_op_forget,                                                  \
		.info = pgtable_op_info,                                                      \
		.map = pgtable_op_map,                                                        \
		.cut = pgtable_op_cut,                                                        \
		.unmap = pgtable_op_unmap,                                                    \
		.translate = pgtable_op_translate,                                            \
		.dirty = pgtable_op_dirty,                                                    \
		.sync = pgtable_op_sync,                                                      \
		.root = pgtable_op_root,                                                      \
	}

#endif
