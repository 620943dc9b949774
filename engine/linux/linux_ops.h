/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_ops.h - the kernel's generic page table behind struct engine_ops: what a format of it must supply.
 *
 * The adapter is the kernel's caller and the IOMMU's driver: it passes what they may pass, in the kernel's own words, and does what they do
 * with what comes back. What the kernel's contract says otherwise than engine.h is declared (linux_differences), not made up for.
 */
#ifndef HITLESS_LINUX_OPS_H
#define HITLESS_LINUX_OPS_H

#include "../engine.h"
#include "linux_host.h"
#include "linux_pages.h"
#include "stand_in.h"

#include <linux/generic_pt/iommu.h>

struct linux_format;

/*
 * struct linux_domain - a domain; a format's own structure begins with it.
 *
 * @iommu:    the kernel's table, inside the format's structure
 * @cbit:     the memory encryption bit as a mask
 */
struct linux_domain {
	struct mem *mem;
	struct config cfg;
	const struct linux_format *format;
	struct pt_iommu *iommu;
	struct linux_pages pages;
	struct linux_host host;
	u64 cbit;
	spinlock_t top_lock;
	struct device device;
};

/*
 * struct linux_format - one format of the kernel.
 *
 * @bytes:   of the format's structure
 * @init:    sets d->iommu and makes the table for d->cfg as the kernel's drivers do: 0 or the kernel's negative errno
 * @iova_to_phys, @read_and_clear_dirty: the kernel's
 * @root:    address and level of the table that a walk starts with
 * @levels_known: the gather says at which levels something changed
 * @traits:  how prot is changed and what else differs, see config.h
 */
struct linux_format {
	size_t bytes;
	int (*init)(struct linux_domain *d);
	phys_addr_t (*iova_to_phys)(struct iommu_domain *domain, dma_addr_t iova);
	int (*read_and_clear_dirty)(struct iommu_domain *domain, unsigned long iova, size_t bytes, unsigned long flags,
				    struct iommu_dirty_bitmap *dirty);
	void (*root)(struct linux_domain *d, u64 *pa, unsigned *level);
	bool levels_known;
	void (*traits)(const struct config *cfg, struct traits *traits);
};

/* The driver's callbacks, for a format whose top grows. */
extern const struct pt_iommu_driver_ops linux_driver_ops;

/* linux_create - ->create of a format. */
int linux_create(struct engine **e, struct mem *mem, const struct config *cfg, const struct linux_format *format);

/* The common part of ->resolve, last: no tiny geometry, no keys but those of the format. */
int linux_resolve(struct config *cfg, const char **why, uint64_t sizes, enum config_model model, bool may_be_incoherent);

void linux_op_destroy(struct engine *e);
void linux_op_forget(struct engine *e);
void linux_op_info(const struct engine *e, struct engine_info *info);
int linux_op_map(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules);
int linux_op_cut(struct engine *e, uint64_t iova, struct gather *g);
int linux_op_unmap(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules);
int linux_op_translate(struct engine *e, uint64_t iova, uint64_t *oa);
int linux_op_dirty(struct engine *e, uint64_t iova, uint64_t last, bool clear, struct gather *g, engine_dirty_fn *fn, void *arg);
void linux_op_sync(struct engine *e, struct gather *g);
void linux_op_root(const struct engine *e, uint64_t *pa, unsigned *level);

/* What the formats' contract has in common otherwise than engine.h, each with its reason; NULL at the end. */
extern const struct engine_difference linux_differences[];

/* Exports engine_linux_<format>, given <format>_configs, <format>_resolve and <format>_format. */
#define LINUX_ENGINE(fmt)                                                                                          \
	static int fmt##_create(struct engine **e, struct mem *mem, const struct config *cfg)                      \
	{                                                                                                          \
		return linux_create(e, mem, cfg, &fmt##_format);                                                   \
	}                                                                                                          \
	const struct engine_ops engine_linux_##fmt = {                                                             \
		.name = #fmt,                                                                                      \
		.engine = "linux",                                                                                 \
		.configs = fmt##_configs,                                                                          \
		.differences = linux_differences,                                                                  \
		.resolve = fmt##_resolve,                                                                          \
		.create = fmt##_create,                                                                            \
		.destroy = linux_op_destroy,                                                                       \
		.forget = linux_op_forget,                                                                         \
		.info = linux_op_info,                                                                             \
		.map = linux_op_map,                                                                               \
		.cut = linux_op_cut,                                                                               \
		.unmap = linux_op_unmap,                                                                           \
		.translate = linux_op_translate,                                                                   \
		.dirty = linux_op_dirty,                                                                           \
		.sync = linux_op_sync,                                                                             \
		.root = linux_op_root,                                                                             \
	}

#endif
