/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_domain.c - one domain under stress: where in the space of iovas it is used, and which writer gets what of it.
 */
#include "stress_domain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "latency.h"

#define STRESS_ISLAND_PAGES_LG2_MAX 14
#define STRESS_LEAF_PAGES_LG2_MAX 12 /* of the largest leaf that an island holds two of */
#define STRESS_PLACE_TRIES 16

const char *const stress_pause_names[PAUSE_NR] = {
	[PAUSE_NONE] = "none", [PAUSE_SPIN] = "spin", [PAUSE_YIELD] = "yield", [PAUSE_SLEEP] = "sleep", [PAUSE_MIXED] = "mixed",
};

/* --- where --- */

/* Bytes of the lower or the upper half, less one. */
static uint64_t domain_half(const struct hw *hw)
{
	return hw->has_high ? ~hw->iova_high_first : hw->iova_low_last;
}

/*
 * The page that everything is a multiple of: mostly the smallest, else a larger one, so that leaves are divided that are too large to be
 * looked at in smallest pages.
 */
static unsigned domain_unit_lg2(const struct stress_domain *d, struct rng *rng)
{
	const struct config *cfg = &d->x.cfg;
	uint64_t half = domain_half(&d->oracle.hw);
	uint8_t units[64];
	unsigned lg2, nr = 0;

	for (lg2 = 0; lg2 < 64; lg2++)
		if ((cfg->pgsizes >> lg2 & 1) && lg2 + 2 < cfg->oas && layout_mask(lg2 + 2) <= half)
			units[nr++] = (uint8_t)lg2;
	if (!nr || rng_below(rng, 2))
		return d->oracle.small_lg2;
	return units[rng_below(rng, nr)];
}

/* Two of the largest leaf that is not too large, and at least two tables of the lowest level, as far as the aperture allows. */
static void domain_size(struct stress_domain *d, struct rng *rng)
{
	const struct hw *hw = &d->oracle.hw;
	unsigned unit_lg2 = domain_unit_lg2(d, rng), most = unit_lg2 + STRESS_ISLAND_PAGES_LG2_MAX, lg2, level;
	uint64_t sizes = d->x.cfg.pgsizes & layout_mask(unit_lg2 + STRESS_LEAF_PAGES_LG2_MAX + 1);

	lg2 = 64 - (unsigned)__builtin_clzll(sizes);
	level = check_level_of(hw, unit_lg2);
	if (level < hw->top_level_max && lg2 < hw->item_lg2[level + 1] + 1u)
		lg2 = hw->item_lg2[level + 1] + 1u;
	while (lg2 > unit_lg2 && (lg2 > most || layout_mask(lg2) > domain_half(hw) || lg2 >= d->x.cfg.oas))
		lg2--;
	d->flat.page_lg2 = unit_lg2;
	d->flat.island_lg2 = lg2 - unit_lg2;
}

/*
 * Where an island may begin, from the start of its half: around the end of what a root spans that can still grow, around the border of two
 * tables, at either end of the half, or anywhere. Aligned to half an island.
 */
static uint64_t domain_offset(const struct stress_domain *d, struct rng *rng)
{
	const struct hw *hw = &d->oracle.hw;
	unsigned lg2 = d->flat.page_lg2 + d->flat.island_lg2, levels = hw->top_level_max - hw->top_level, level;
	uint64_t room = domain_half(hw) - layout_mask(lg2), around = 0;

	switch (rng_below(rng, 6)) {
	case 0:
		return 0;
	case 1:
		return room;
	case 2:
	case 3:
		if (levels) {
			level = hw->top_level + rng_below(rng, levels);
			around = UINT64_C(1) << (hw->item_lg2[level] + hw->index_lg2[level]);
			break;
		}
		/* fallthrough */
	case 4:
		level = 1 + rng_below(rng, hw->top_level_max ? hw->top_level_max : 1u);
		around = hw->top_level_max ? rng_next(rng) & room & ~layout_mask(hw->item_lg2[level]) : 0;
		break;
	default:
		break;
	}
	if (!around || !d->flat.island_lg2 || around < UINT64_C(1) << (lg2 - 1) || around - (UINT64_C(1) << (lg2 - 1)) > room)
		return rng_next(rng) & room & ~layout_mask(lg2);
	return (around - (UINT64_C(1) << (lg2 - 1))) & ~layout_mask(lg2 - 1);
}

static bool domain_is_free(const struct stress_domain *d, unsigned islands_nr, uint64_t iova)
{
	uint64_t mask = layout_mask(d->flat.page_lg2 + d->flat.island_lg2);
	unsigned i;

	for (i = 0; i < islands_nr; i++)
		if (iova - d->flat.iovas[i] <= mask || d->flat.iovas[i] - iova <= mask)
			return false;
	return true;
}

/* One to four islands that do not overlap. */
static void domain_place(struct stress_domain *d, struct rng *rng)
{
	const struct hw *hw = &d->oracle.hw;
	unsigned want = 1u << rng_below(rng, 3), nr = 0, tries;

	while (want > 1 && ((uint64_t)want << d->flat.island_lg2) > 1u << STRESS_PAGES_LG2_MAX)
		want /= 2;
	for (tries = 0; nr < want && tries < STRESS_PLACE_TRIES; tries++) {
		bool high = hw->has_high && (!hw->has_low || rng_below(rng, 2));
		uint64_t iova = (high ? hw->iova_high_first : 0) + domain_offset(d, rng);

		if (domain_is_free(d, nr, iova))
			d->flat.iovas[nr++] = iova;
	}
	d->flat.nr = (uint32_t)nr << d->flat.island_lg2;
}

/* --- who --- */

static int domain_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/*
 * Divide one island, and deal the stripes out in turn: coarse, where large leaves begin, so that there are some to be cut; or at random places,
 * half of them where a larger leaf may begin.
 */
static void domain_divide(struct stress_domain *d, uint32_t first, unsigned writers_nr, bool coarse, struct rng *rng)
{
	uint32_t pages = 1u << d->flat.island_lg2, starts[2 * STRESS_WRITERS_MAX + 1] = { first };
	unsigned i, nr = 1 + rng_below(rng, 2 * writers_nr), lg2;

	for (i = 1; i < nr; i++) {
		lg2 = d->flat.island_lg2;
		lg2 = coarse ? (lg2 ? lg2 - 1 : 0) : rng_below(rng, 2) ? rng_below(rng, lg2 + 1) : 0;
		starts[i] = first + (rng_below(rng, pages) & ~((1u << lg2) - 1));
	}
	qsort(starts, nr, sizeof(starts[0]), domain_compare);
	for (i = 0; i < nr; i++) {
		struct stress_stripe *s = &d->stripes[d->stripes_nr];

		if (i + 1 < nr && starts[i + 1] == starts[i])
			continue;
		s->first = starts[i];
		s->last = i + 1 < nr ? starts[i + 1] - 1 : first + pages - 1;
		s->writer = d->stripes_nr++ % writers_nr;
	}
}

static void domain_deal(struct stress_domain *d, unsigned writers_nr, struct rng *rng)
{
	bool coarse = rng_below(rng, 2);
	uint32_t first, i;
	unsigned k;

	/* Until there is one for each, or no way to have that. */
	do {
		d->stripes_nr = 0;
		for (first = 0; first < d->flat.nr; first += 1u << d->flat.island_lg2)
			domain_divide(d, first, writers_nr, coarse, rng);
		coarse = coarse && rng_below(rng, 4);
	} while (d->stripes_nr < writers_nr && 2 * writers_nr <= d->flat.nr);
	d->writers_nr = d->stripes_nr < writers_nr ? d->stripes_nr : writers_nr;
	for (k = 0; k < d->stripes_nr; k++)
		for (i = d->stripes[k].first; i <= d->stripes[k].last; i++)
			d->flat.pages[i] = (struct flat_page){ .writer = d->stripes[k].writer };
}

/* --- the domain --- */

/* What an entry can say, of what may be asked for. */
static void domain_prots(struct stress_domain *d)
{
	const struct check *c = &d->oracle;
	unsigned prot, effective;

	d->prots_nr = 0;
	for (prot = 1; prot <= PROT_ALL; prot++) {
		effective = traits_prot(&c->traits, prot);
		if ((effective & PROT_ACCESS) && c->hw.format->expressible(&c->hw, effective))
			d->prots[d->prots_nr++] = (uint8_t)prot;
	}
}

int stress_domain_init(struct stress_domain *d, uint64_t arena_bytes, exec_finding_fn *fault, void *arg)
{
	struct exec_options options = { .arena_bytes = arena_bytes };

	memset(d, 0, sizeof(*d));
	d->flat.pages = calloc(1u << STRESS_PAGES_LG2_MAX, sizeof(*d->flat.pages));
	if (!d->flat.pages)
		return -ENOMEM;
	if (exec_init(&d->x, &options, fault, arg)) {
		free(d->flat.pages);
		memset(d, 0, sizeof(*d)); /* may be released all the same */
		return -ENOMEM;
	}
	return 0;
}

void stress_domain_release(struct stress_domain *d)
{
	if (d->has_oracle)
		check_release(&d->oracle);
	exec_release(&d->x);
	free(d->flat.pages);
}

int stress_domain_open(struct stress_domain *d, const struct config *cfg, unsigned writers_nr, enum stress_pause pause,
		       const struct mem_threads *threads, struct rng *rng, const char **why)
{
	static const uint8_t touches[] = { 1, 4, 32 };
	struct engine_info info;
	int ret;

	d->go = d->stop = d->taken = false;
	d->writers_nr = 0;
	memset(d->now, 0, sizeof(d->now));
	mem_share(&d->x.mem, threads, d);
	ret = exec_open(&d->x, cfg, why);
	if (ret)
		return ret;
	if (d->has_oracle)
		check_release(&d->oracle);
	ret = check_init(&d->oracle, cfg, &d->x.mem.view, NULL, NULL, why);
	d->has_oracle = !ret;
	if (ret)
		return ret;
	d->x.ops->info(d->x.engine, &info);
	d->oracle.traits = info.traits;
	d->oracle.cap_size_change = info.cap_size_change;
	d->oracle.cap_leaf_to_table = info.cap_leaf_to_table;
	domain_prots(d);
	domain_size(d, rng);
	domain_place(d, rng);
	domain_deal(d, writers_nr, rng);
	d->pause = pause == PAUSE_NR ? rng_below(rng, PAUSE_NR) : pause;
	d->touch_nr = touches[rng_below(rng, sizeof(touches))];
	return 0;
}

bool stress_domain_close(struct stress_domain *d, uint64_t *left)
{
	exec_close(&d->x);
	*left = d->x.mem.view.live_nr;
	return !*left;
}

void stress_domain_abandon(struct stress_domain *d)
{
	exec_abandon(&d->x);
}

void stress_domain_claim(struct stress_domain *d, const struct stress_evidence *e)
{
	if (!__atomic_exchange_n(&d->taken, true, __ATOMIC_ACQ_REL)) {
		d->evidence = *e;
		d->evidence.ns = latency_now();
	}
	stress_domain_stop(d);
}

void stress_domain_top(struct stress_domain *d, uint64_t root, unsigned level)
{
	__atomic_store_n(&d->root, root | level, __ATOMIC_RELEASE);
}
