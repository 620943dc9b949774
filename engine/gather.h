/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gather.h - what an operation owes the device: a range to invalidate, the leaf sizes and table pointers in it, tables to free after that.
 *
 * One range: whatever an operation touches is one interval, and invalidating a little more than needed is legal.
 */
#ifndef HITLESS_GATHER_H
#define HITLESS_GATHER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* A table to free, and the level that it lies at. */
struct gather_free {
	uint64_t pa;
	unsigned level;
};

/*
 * struct gather - owed to the device until the engine's ->sync.
 *
 * @owed:      something is; otherwise the fields below are meaningless
 * @iova, @last: hull of what changed
 * @leaf_sizes: bit n set: a leaf of 2^n bytes was removed or changed there
 * @levels:    bit n set: such a leaf lay at level n
 * @tables:    a table pointer was removed there
 * @table_levels: bit n set: the removed pointer lay at level n
 * @free:      tables to free
 */
struct gather {
	bool owed, tables;
	uint8_t levels, table_levels;
	uint64_t iova, last;
	uint64_t leaf_sizes;
	struct gather_free *free;
	size_t free_nr, free_room;
};

static inline void gather_init(struct gather *g)
{
	*g = (struct gather){ 0 };
}

static inline void gather_release(struct gather *g)
{
	free(g->free);
	gather_init(g);
}

/* Extend the hull to cover [iova, last]. */
static inline void gather_range(struct gather *g, uint64_t iova, uint64_t last)
{
	if (!g->owed || iova < g->iova)
		g->iova = iova;
	if (!g->owed || last > g->last)
		g->last = last;
	g->owed = true;
}

/* A leaf of 2^size_lg2 bytes at level, mapping [iova, last] (or a run of such leaves), was removed or changed. */
static inline void gather_leaf(struct gather *g, uint64_t iova, uint64_t last, unsigned level, unsigned size_lg2)
{
	gather_range(g, iova, last);
	g->levels |= 1u << level;
	g->leaf_sizes |= UINT64_C(1) << size_lg2;
}

/*
 * The table at pa, reached through an item at level that spans [iova, last], was unlinked and is to be freed after the sync.
 * Running out of host memory here is a fault of the machine, not of the tables: it ends the process.
 */
static inline void gather_table(struct gather *g, uint64_t iova, uint64_t last, unsigned level, uint64_t pa)
{
	if (g->free_nr == g->free_room) {
		g->free_room = g->free_room ? 2 * g->free_room : 16;
		g->free = realloc(g->free, g->free_room * sizeof(*g->free));
		if (!g->free)
			abort();
	}
	g->free[g->free_nr++] = (struct gather_free){ pa, level - 1 };
	gather_range(g, iova, last);
	g->tables = true;
	g->table_levels |= 1u << level;
}

/* What from owes, to owes as well; from owes nothing after that. */
static inline void gather_join(struct gather *to, struct gather *from)
{
	size_t i;

	if (from->owed)
		gather_range(to, from->iova, from->last);
	to->levels |= from->levels;
	to->leaf_sizes |= from->leaf_sizes;
	for (i = 0; i < from->free_nr; i++)
		gather_table(to, from->iova, from->last, from->free[i].level + 1, from->free[i].pa);
	to->tables |= from->tables;
	to->table_levels |= from->table_levels;
	gather_release(from);
}

#endif
