/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inv.h - turns a gather into a vendor's invalidation commands.
 *
 * One inv_<vendor>.c each: code under test like the rest. A command is logged raw, as the hardware would fetch it, with mem_invalidate();
 * the wait that follows the last command is mem_sync(), which the caller issues.
 */
#ifndef HITLESS_INV_H
#define HITLESS_INV_H

#include "config.h"
#include "gather.h"
#include "mem.h"

/*
 * struct inv_geometry - what an encoder may need to know about the table.
 *
 * @granule_lg2: smallest leaf
 * @top_level:   level of the root now
 * @item_lg2:    iova spanned by one item at each level
 */
struct inv_geometry {
	uint8_t granule_lg2, top_level;
	uint8_t item_lg2[CONFIG_LEVELS_MAX];
};

/* Issue what g owes (g->owed is set) for a domain configured as cfg, as the vendor that cfg->tlb names. Does not sync, does not free. */
void inv_issue(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g);

/* One per vendor; inv_issue chooses. */
void inv_generic(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g);
void inv_amd(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g);
void inv_vtd(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g);
void inv_arm(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g);
void inv_riscv(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g);
void inv_armv7s(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g);
void inv_dart(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g);

#endif
