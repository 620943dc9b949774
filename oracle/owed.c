/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * owed.c - what a device may still hold in its IOTLB and walk caches, and what removes it (G4). What a raw command removes is iotlb.c's to say.
 */
#include "owed.h"

#include <stdlib.h>

#include "dirty.h"

static struct owed *owed_new(struct check *c)
{
	if (c->owed_nr == c->owed_room) {
		c->owed_room = c->owed_room ? 2 * c->owed_room : 64;
		c->owed = realloc(c->owed, c->owed_room * sizeof(*c->owed));
		if (!c->owed)
			abort();
	}
	return &c->owed[c->owed_nr++];
}

void owed_leaves(struct check *c, const struct imap_piece *piece, uint64_t iova, uint64_t last)
{
	struct owed *o = c->owed_nr ? &c->owed[c->owed_nr - 1] : NULL;

	if (iova < piece->iova)
		iova = piece->iova;
	if (last > piece->last)
		last = piece->last;
	iova = layout_leaf(c->hw.cfg.pgsizes, piece, iova).iova;
	last = layout_leaf(c->hw.cfg.pgsizes, piece, last).last;
	/* Item by item and run by run it is often the same leaf, or the one after it. */
	if (o && !o->table && o->cmds_nr == c->cmds_nr && o->from == c->owed_from && o->piece.iova == piece->iova &&
	    o->piece.last == piece->last && iova >= o->iova && iova <= o->last + 1) {
		o->last = last > o->last ? last : o->last;
		return;
	}
	*owed_new(c) = (struct owed){ .iova = iova, .last = last, .piece = *piece, .cmds_nr = c->cmds_nr, .from = c->owed_from };
}

void owed_mapped(struct check *c, uint64_t iova, uint64_t last)
{
	const struct imap_piece *p;
	struct imap_pos pos;

	for (p = imap_from(&c->im, iova, &pos); p && p->iova <= last; p = imap_next(&pos))
		owed_leaves(c, p, iova, last);
}

void owed_table(struct check *c, uint64_t iova, uint64_t last)
{
	if (check_is_on(c, CHECK_IOTLB))
		*owed_new(c) = (struct owed){ .table = true, .iova = iova, .last = last, .cmds_nr = c->cmds_nr, .from = c->owed_from };
}

size_t owed_since(const struct check *c, size_t at)
{
	const struct mem_event *ev = &c->view->events[at];
	uint64_t first = ev->pa, end = ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2);
	size_t i;

	if (c->hw.cfg.coherent)
		return 0;
	for (i = at + 1; i < c->view->events_nr; i++) {
		const struct mem_event *flush = &c->view->events[i];
		uint64_t flush_end = flush->pa + flush->old;

		if (flush->kind != MEM_FLUSH || flush->pa >= end || flush_end <= first)
			continue;
		if (flush->pa <= first)
			first = flush_end;
		else if (flush_end >= end)
			end = flush->pa;
		if (first >= end)
			return i + 1;
	}
	return SIZE_MAX;
}

void owed_written_back(struct check *c, size_t at)
{
	size_t i;

	/* Mostly they come in the order of the stores. */
	while (c->owed_waiting < c->owed_nr && !c->owed[c->owed_waiting].from)
		c->owed_waiting++;
	for (i = c->owed_waiting; i < c->owed_nr; i++) {
		if (c->owed[i].from == at + 1) {
			c->owed[i].from = 0;
			c->owed[i].cmds_nr = c->cmds_nr;
		}
	}
}

void owed_command(struct check *c, const struct mem_event *ev)
{
	struct iotlb_cmd *cmd;

	if (c->cmds_nr == c->cmds_room) {
		c->cmds_room = c->cmds_room ? 2 * c->cmds_room : 64;
		c->cmds = realloc(c->cmds, c->cmds_room * sizeof(*c->cmds));
		if (!c->cmds)
			abort();
	}
	c->cost.commands++;
	cmd = &c->cmds[c->cmds_nr++];
	iotlb_decode(&c->hw, (unsigned)ev->pa, ev->old, ev->new, cmd);
	if ((cmd->why || ev->pa != c->hw.cfg.tlb) && check_is_on(c, CHECK_IOTLB))
		check_report(c, VERDICT_BAD_COMMAND, 4, VERDICT_LEVEL_NONE, KIND_NONE, KIND_NONE, NULL, "command 0x%016llx 0x%016llx: %s",
			     (unsigned long long)ev->old, (unsigned long long)ev->new, cmd->why ? cmd->why : "of another vendor");
}

/*
 * Whether a command since cmds_nr removes this leaf. An Armv8 or RISC-V device may have cached a group item by item (the contiguous bit,
 * DDI 0487 D8.7.1; Svnapot, privileged specification 5.1), so there each item must be gone as well as the whole.
 */
static bool owed_leaf_gone(struct check *c, size_t cmds_nr, const struct layout_leaf *leaf, unsigned level)
{
	uint64_t item = layout_mask(c->hw.item_lg2[level]), iova = leaf->iova, last = leaf->last;
	size_t i;

	for (;;) {
		for (i = cmds_nr; i < c->cmds_nr && !iotlb_removes_leaf(&c->cmds[i], iova, last, level); i++)
			;
		if (i == c->cmds_nr)
			return false;
		c->cmds[i].used = true;
		/* First the whole leaf, then its items; a command that covers all of it leaves none of them. */
		if (last == leaf->last && ((iova | item) == last || (c->hw.cfg.tlb != TLB_ARM && c->hw.cfg.tlb != TLB_RISCV) ||
					   (c->cmds[i].iova <= leaf->iova && c->cmds[i].last >= leaf->last)))
			return true;
		iova = iova == leaf->iova && last == leaf->last ? iova : last + 1;
		last = iova | item;
	}
}

/* Whether one command since cmds_nr covers all of [iova, last] for leaves of this level; then nothing there needs looking at one by one. */
static bool owed_covered(struct check *c, size_t cmds_nr, uint64_t iova, uint64_t last, unsigned level)
{
	size_t i;

	for (i = cmds_nr; i < c->cmds_nr; i++) {
		struct iotlb_cmd *cmd = &c->cmds[i];

		if (cmd->leaves && !cmd->why && cmd->leaf_levels & 1u << level && cmd->iova <= iova && cmd->last >= last) {
			cmd->used = true;
			return true;
		}
	}
	return false;
}

/* The first leaf in o that a device may still hold; false if there is none. */
static bool owed_leaf_left(struct check *c, const struct owed *o, uint64_t *iova, unsigned *level)
{
	struct layout_leaf leaf;

	for (*iova = o->iova;; *iova = leaf.last + 1) {
		uint64_t run_last;

		leaf = layout_leaf(c->hw.cfg.pgsizes, &o->piece, *iova);
		*level = check_level_of(&c->hw, leaf.size_lg2);
		run_last = leaf.iova + (layout_run(c->hw.cfg.pgsizes, &o->piece, &leaf) << leaf.size_lg2) - 1;
		if (owed_covered(c, o->cmds_nr, leaf.iova, run_last, *level))
			leaf.last = run_last;
		else if (!owed_leaf_gone(c, o->cmds_nr, &leaf, *level))
			return true;
		if (leaf.last >= o->last)
			return false;
	}
}

/* The first address in o whose entry no command since removed; false if there is none. */
static bool owed_left(struct check *c, const struct owed *o, uint64_t *iova, unsigned *level)
{
	size_t i;

	if (!o->table)
		return owed_leaf_left(c, o, iova, level);
	for (i = o->cmds_nr; i < c->cmds_nr; i++)
		if (iotlb_removes_table(&c->cmds[i], o->iova, o->last)) {
			c->cmds[i].used = true;
			return false;
		}
	*iova = o->iova;
	return true;
}

/*
 * Keep, for a later sync, what of owed[i] no command has removed: it may have been invalidated in part, in front of iova for one. Returns whether
 * that is all of it.
 */
static bool owed_keep(struct check *c, size_t i, uint64_t iova)
{
	struct owed left = c->owed[i], kept = left;
	bool all = iova == left.iova;
	unsigned level;

	for (;;) {
		kept.iova = iova;
		do {
			kept.last = left.table ? left.last : layout_leaf(c->hw.cfg.pgsizes, &left.piece, iova).last;
			if (kept.last >= left.last)
				break;
			left.iova = kept.last + 1;
			if (!owed_leaf_left(c, &left, &iova, &level)) {
				left.last = kept.last;
				all = false;
			}
		} while (kept.last < left.last && iova == kept.last + 1);
		*owed_new(c) = kept;
		if (kept.last >= left.last)
			return all;
		all = false;
	}
}

static void owed_stale(struct check *c, const struct owed *o, uint64_t iova, unsigned level)
{
	if (o->table)
		check_report(c, VERDICT_STALE_WALK_CACHE, 4, VERDICT_LEVEL_NONE, KIND_TABLE, KIND_NONE, &iova,
			     "after the sync a device may still hold the pointer to the table that was unlinked from [0x%llx, 0x%llx]",
			     (unsigned long long)o->iova, (unsigned long long)o->last);
	check_report(c, VERDICT_STALE_IOTLB, 4, level, KIND_LEAF, KIND_NONE, &iova,
		     "after the sync a device may still hold the old leaf at iova 0x%llx, level %u", (unsigned long long)iova, level);
}

void owed_sync(struct check *c)
{
	unsigned level = VERDICT_LEVEL_NONE;
	size_t i, nr = c->owed_nr, waiting;
	bool spare = true;
	uint64_t iova;

	/* What waits on goes behind the others, then into their place. */
	for (i = 0; i < nr; i++) {
		if (c->owed[i].from) {
			struct owed o = c->owed[i];

			*owed_new(c) = o;
			continue;
		}
		check_count(c, CHECK_IOTLB, 1);
		if (!owed_left(c, &c->owed[i], &iova, &level))
			spare = false;
		else if (!(c->traits.set & TRAIT_OWN_SYNC))
			owed_stale(c, &c->owed[i], iova, level);
		else if (!owed_keep(c, i, iova))
			/* A later sync may still be for the rest. */
			spare = false;
	}
	for (i = 0; c->held.nr && i < c->cmds_nr; i++)
		dirty_invalidated(c, &c->cmds[i]);
	waiting = c->owed_nr - nr;
	c->cost.syncs++;
	c->cost.spare_syncs += spare;
	for (i = 0; i < c->cmds_nr; i++)
		c->cost.spare += !c->cmds[i].used;
	for (i = 0; i < waiting; i++) {
		c->owed[i] = c->owed[nr + i];
		c->owed[i].cmds_nr = 0;
	}
	c->owed_nr = waiting;
	c->owed_first = c->owed_waiting = c->cmds_nr = 0;
	c->syncs++;
}

void owed_end(struct check *c, bool settled)
{
	if (c->owed_nr && (!c->defer || (settled && c->traits.set & TRAIT_OWN_SYNC)))
		check_report(c, VERDICT_STALE_IOTLB, 4, VERDICT_LEVEL_NONE, KIND_LEAF, KIND_NONE, &c->owed[0].iova,
			     "the call returned and its gather was synced, but nothing invalidated [0x%llx, 0x%llx] after it had changed "
			     "in memory",
			     (unsigned long long)c->owed[0].iova, (unsigned long long)c->owed[0].last);
}

/* --- several writers --- */

void owed_change(struct check *c, unsigned writer)
{
	struct owing *from = &c->owing[c->owing_now];
	const struct owing *to = &c->owing[writer];

	if (writer == c->owing_now)
		return;
	*from = (struct owing){ c->owed,  c->owed_nr, c->owed_room, c->owed_from, c->owed_first, c->owed_waiting,
				c->cmds, c->cmds_nr, c->cmds_room, c->syncs };
	c->owed = to->owed;
	c->owed_nr = to->owed_nr;
	c->owed_room = to->owed_room;
	c->owed_from = to->owed_from;
	c->owed_first = to->owed_first;
	c->owed_waiting = to->owed_waiting;
	c->cmds = to->cmds;
	c->cmds_nr = to->cmds_nr;
	c->cmds_room = to->cmds_room;
	c->syncs = to->syncs;
	c->owing_now = writer;
}

void owed_round(struct check *c)
{
	unsigned i;

	for (i = 1; i <= MEM_WRITERS_MAX; i++) {
		struct owing *o = &c->owing[i];

		o->owed_nr = o->owed_from = o->owed_first = o->owed_waiting = o->cmds_nr = 0;
		o->syncs = c->syncs;
	}
}

void owed_round_end(struct check *c)
{
	unsigned i;
	size_t k;

	owed_change(c, 0);
	for (i = 1; i <= MEM_WRITERS_MAX; i++) {
		const struct owing *o = &c->owing[i];

		for (k = 0; k < o->owed_nr; k++) {
			*owed_new(c) = o->owed[k];
			c->owed[c->owed_nr - 1].cmds_nr = c->cmds_nr;
		}
		if (o->syncs > c->syncs)
			c->syncs = o->syncs;
	}
}
