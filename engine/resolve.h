/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve.h - helpers for a format's ->resolve(): defaults, ranges, and what all formats have in common.
 */
#ifndef HITLESS_RESOLVE_H
#define HITLESS_RESOLVE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"

static inline int resolve_no(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

/* Give *field its default if it is unset. Returns whether it now lies in [min, max]. */
static inline bool resolve_in(uint8_t *field, unsigned def, unsigned min, unsigned max)
{
	if (*field == CONFIG_UNSET)
		*field = (uint8_t)def;
	return *field >= min && *field <= max;
}

/* The format has no such choice: absent, or 0. */
static inline bool resolve_none(uint8_t *field)
{
	return resolve_in(field, 0, 0, 0);
}

/* pgsizes, by default all of sizes, may only name sizes that exist. */
static inline bool resolve_pgsizes(struct config *cfg, uint64_t sizes)
{
	if (!cfg->pgsizes)
		cfg->pgsizes = sizes;
	return !(cfg->pgsizes & ~sizes);
}

/*
 * The keys that mean the same everywhere; call last, when oas is settled.
 * @model:    what order of stores a coherent device of this architecture may see
 * @may_be_incoherent: devices that do not snoop exist for the format
 */
static inline int resolve_common(struct config *cfg, const char **why, enum config_model model, bool may_be_incoherent)
{
	if (!resolve_in(&cfg->coherent, cfg->model != MODEL_INCOHERENT, 0, 1))
		return resolve_no(why, "coherent takes 0 or 1");
	if (!cfg->coherent && !may_be_incoherent)
		return resolve_no(why, "coherent=0: every device of this format snoops the caches");
	if (!resolve_in(&cfg->model, cfg->coherent ? model : MODEL_INCOHERENT, 0, MODEL_NR - 1))
		return resolve_no(why, "model takes strong, weak or incoherent");
	if ((cfg->model == MODEL_INCOHERENT) != !cfg->coherent)
		return resolve_no(why, "model=incoherent and coherent=1 contradict each other");
	if (cfg->ad && !cfg->coherent)
		return resolve_no(why, "ad=1 needs coherent=1: a device that does not snoop cannot update entries");
	if (!resolve_in(&cfg->negcache, 0, 0, 1) || !resolve_in(&cfg->defer, 0, 0, 1))
		return resolve_no(why, "negcache and defer take 0 or 1");
	if (!resolve_in(&cfg->tables, TABLES_LOW, 0, TABLES_NR - 1))
		return resolve_no(why, "tables takes low, high, straddle or limit");
	if (cfg->tables == TABLES_STRADDLE && cfg->oas <= 32)
		return resolve_no(why, "tables=straddle needs table addresses of more than 32 bits");
	return 0;
}

/* tlb: the format's own, or the generic one, or a second vendor's. */
static inline bool resolve_tlb(struct config *cfg, enum config_tlb own, enum config_tlb other)
{
	if (cfg->tlb == CONFIG_UNSET)
		cfg->tlb = own;
	return cfg->tlb == own || cfg->tlb == other || cfg->tlb == TLB_GENERIC;
}

/*
 * The tiny geometry's levels and ias: levels tables of tiny index bits above granule_lg2, by default as many as 8 bits hold.
 * Returns false if they contradict each other.
 */
static inline bool resolve_tiny(struct config *cfg, unsigned granule_lg2, unsigned levels_max)
{
	unsigned most = 8 / cfg->tiny < levels_max ? 8 / cfg->tiny : levels_max;

	if (!resolve_in(&cfg->levels, most, 2, most))
		return false;
	return resolve_in(&cfg->ias, granule_lg2 + cfg->levels * cfg->tiny, granule_lg2 + cfg->levels * cfg->tiny,
			  granule_lg2 + cfg->levels * cfg->tiny);
}

#endif
