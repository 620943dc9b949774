/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fit.c - one operation of a trace that is being changed; see fit.h. */
#include "fit.h"

#include <string.h>

#include "../oracle/layout.h"

#define FIT_TRIES 4
#define FIT_PIECES_MAX 16 /* to step over on the way to a hole */
#define FIT_LEAVES_MAX 1024
#define FIT_POINTS_MAX 64 /* primitives that an operation of a round may usually have */

static uint32_t fit_draw(void *source, uint32_t bound)
{
	return rng_below(source, bound);
}

void fit_open(struct fit *f, struct rng *rng, struct guess *guess)
{
	f->rng = rng;
	f->guess = guess;
	pick_init(&f->pick, fit_draw, rng, &guess->check.im, &guess->check.hw);
	f->pick.leaves_max = FIT_LEAVES_MAX;
}

static const struct hw *fit_hw(const struct fit *f)
{
	return f->pick.hw;
}

static uint64_t fit_granule(const struct fit *f)
{
	return UINT64_C(1) << pick_granule_lg2(fit_hw(f));
}

static bool fit_has_range(const struct op *op)
{
	return op->kind == OP_MAP || op->kind == OP_UNMAP || op->kind == OP_DIRTY;
}

/* Another operation of the same kind; it stays one of its round. */
static void fit_fresh(struct fit *f, struct op *op, enum op_kind kind)
{
	uint8_t thread = op->thread;

	pick_op(&f->pick, kind, op);
	op->thread = op_may_thread(kind) ? thread : 0;
}

/* --- changing --- */

static enum op_kind fit_kind(struct fit *f, bool thread)
{
	static const uint8_t kinds[16] = { OP_MAP,   OP_MAP,   OP_MAP,   OP_MAP,   OP_CUT,       OP_CUT,       OP_CUT,   OP_CUT,
					   OP_UNMAP, OP_UNMAP, OP_UNMAP, OP_DIRTY, OP_TRANSLATE, OP_WRITE,     OP_READ,  OP_SYNC };

	return kinds[rng_below(f->rng, thread ? 13 : 16)];
}

/* An address moved a little: by a granule, or down or up to a boundary of some page size. */
static uint64_t fit_moved(struct fit *f, uint64_t iova)
{
	uint64_t mask = layout_mask(pick_page_lg2(&f->pick));

	switch (rng_below(f->rng, 5)) {
	case 0:
		return iova - fit_granule(f);
	case 1:
		return iova + fit_granule(f);
	case 2:
		return iova & ~mask;
	case 3:
		return (iova | mask) + 1;
	default:
		return iova + ((mask + 1) << rng_below(f->rng, 3));
	}
}

static void fit_move(struct fit *f, struct op *op)
{
	const struct imap_piece *piece;
	uint64_t moved;

	if (!fit_has_range(op)) {
		op->iova = fit_moved(f, op->iova);
		return;
	}
	switch (rng_below(f->rng, 4)) {
	case 0: /* the start; a map goes on to give each address the oa that it had */
		moved = fit_moved(f, op->iova);
		op->oa += moved - op->iova;
		op->iova = moved;
		break;
	case 1: /* all of it */
		moved = fit_moved(f, op->iova);
		op->last += moved - op->iova;
		op->iova = moved;
		break;
	case 2: /* up to what is live next, or to the end of what holds the last address */
		piece = imap_from(f->pick.im, op->last, NULL);
		if (piece) {
			op->last = piece->iova > op->last ? piece->iova - 1 : piece->last;
			break;
		}
		/* fallthrough */
	default:
		op->last = fit_moved(f, op->last + 1) - 1;
		break;
	}
}

/* Onto a live piece; a map beside it. */
static void fit_target(struct fit *f, struct op *op)
{
	const struct imap_piece *old = imap_find(f->pick.im, op->iova, NULL), *new = pick_piece(&f->pick);
	uint64_t length_less_1 = op->last - op->iova, offset = old ? op->iova - old->iova : 0, was = op->iova;

	if (!new || op->kind == OP_SYNC || op->kind == OP_SWITCH)
		return;
	if (op->kind == OP_MAP) {
		op->iova = rng_below(f->rng, 2) ? new->last + 1 : new->iova - (length_less_1 + 1);
		op->oa += op->iova - was;
		op->last = op->iova + length_less_1;
		return;
	}
	op->iova = old && offset <= new->last - new->iova && rng_below(f->rng, 2) ? new->iova + offset : pick_inside(&f->pick, new);
	if (fit_has_range(op)) {
		if (rng_below(f->rng, 2))
			op->iova = new->iova;
		op->last = new->last - op->iova < length_less_1 || rng_below(f->rng, 2) ? new->last : op->iova + length_less_1;
	}
}

static void fit_device(struct fit *f, struct op_device *dev)
{
	const struct imap_piece *piece;

	switch (rng_below(f->rng, 4)) {
	case 0:
		dev->write = !dev->write;
		break;
	case 1:
		dev->iova = fit_moved(f, dev->iova);
		break;
	case 2:
		piece = pick_piece(&f->pick);
		if (piece)
			dev->iova = pick_inside(&f->pick, piece);
		break;
	default:
		dev->at = (uint16_t)(dev->at + rng_below(f->rng, 5) - 2);
		break;
	}
}

static void fit_extras(struct fit *f, struct op *op)
{
	unsigned how = rng_below(f->rng, op->thread || !fit_hw(f)->cfg.ad ? 2 : 6), k;

	if (op->kind > OP_DIRTY)
		return;
	if (how < 2) {
		if (op->fail && rng_below(f->rng, 2))
			op->fail = op->fail == 1 ? 0 : (uint16_t)(op->fail + (rng_below(f->rng, 2) ? 1 : -1));
		else
			pick_fail(&f->pick, op);
	} else if (!op->devices_nr || how == 2) {
		pick_devices(&f->pick, op);
	} else if (how == 3) {
		k = rng_below(f->rng, op->devices_nr);
		memmove(&op->devices[k], &op->devices[k + 1], (op->devices_nr - k - 1u) * sizeof(op->devices[0]));
		op->devices_nr--;
	} else {
		fit_device(f, &op->devices[rng_below(f->rng, op->devices_nr)]);
	}
}

/* What it means otherwise: permissions, the oa, the kind. */
static void fit_meaning(struct fit *f, struct op *op)
{
	enum op_kind kind;

	if (op->kind == OP_MAP && rng_below(f->rng, 4)) {
		if (rng_below(f->rng, 2))
			op->prot = (uint8_t)pick_prot(&f->pick);
		else
			op->oa = pick_oa(&f->pick, op->iova, op->last, pick_page_lg2(&f->pick));
		return;
	}
	if (op->kind == OP_DIRTY && rng_below(f->rng, 2)) {
		op->clear = !op->clear;
		return;
	}
	kind = fit_kind(f, op->thread);
	if (kind == OP_MAP || op->kind == OP_SYNC) {
		fit_fresh(f, op, kind);
		return;
	}
	if (!fit_has_range(op))
		op->last = op->iova + fit_granule(f) - 1;
	if (kind > OP_DIRTY) {
		op->fail = 0;
		op->devices_nr = 0;
	}
	op->kind = kind;
}

/* Of a round: a switch comes, goes, or is a little earlier or later. */
static void fit_switches(struct fit *f, struct op *op)
{
	unsigned k = op->switches_nr ? rng_below(f->rng, op->switches_nr) : 0, i;
	struct op_switch s;

	if (!op->switches_nr || (op->switches_nr < OP_SWITCHES_MAX && !rng_below(f->rng, 3))) {
		s.writer = (uint8_t)(1 + rng_below(f->rng, MEM_WRITERS_MAX));
		s.to = (uint8_t)(1 + (s.writer + rng_below(f->rng, MEM_WRITERS_MAX - 1)) % MEM_WRITERS_MAX);
		s.at = (uint16_t)rng_below(f->rng, FIT_POINTS_MAX);
		k = op->switches_nr;
	} else if (!rng_below(f->rng, 3)) {
		memmove(&op->switches[k], &op->switches[k + 1], (op->switches_nr - k - 1u) * sizeof(op->switches[0]));
		op->switches_nr--;
		return;
	} else {
		s = op->switches[k];
		s.at = (uint16_t)(s.at + rng_below(f->rng, 9) - 4);
	}
	/* No two of the same writer at the same place. */
	for (i = 0; i < op->switches_nr; i++)
		if (op->switches[i].writer == s.writer && op->switches[i].at == s.at)
			return;
	op->switches[k] = s;
	op->switches_nr += k == op->switches_nr;
}

void fit_edit(struct fit *f, enum fit_edit edit, struct op *op)
{
	if (op->kind == OP_SWITCH) {
		if (edit != FIT_KEEP)
			fit_switches(f, op);
		return;
	}
	switch (edit) {
	case FIT_FRESH:
		fit_fresh(f, op, fit_kind(f, op->thread));
		break;
	case FIT_MOVE:
		fit_move(f, op);
		break;
	case FIT_TARGET:
		fit_target(f, op);
		break;
	case FIT_EXTRAS:
		fit_extras(f, op);
		break;
	case FIT_MEANING:
		fit_meaning(f, op);
		break;
	case FIT_SPOIL:
		pick_spoil(&f->pick, op);
		break;
	default:
		break;
	}
}

/* --- fitting --- */

/* The nearest address that a walk does not refuse at once. */
static uint64_t fit_into_aperture(const struct hw *hw, uint64_t iova)
{
	if (hw_iova_valid(hw, iova))
		return iova;
	if (hw->has_high && (!hw->has_low || iova >> 63))
		return iova | hw->iova_high_first;
	return hw->iova_low_last & (hw->iova_low_last + 1) ? iova % (hw->iova_low_last + 1) : iova & hw->iova_low_last;
}

static uint64_t fit_part_last(const struct hw *hw, uint64_t iova)
{
	return hw->has_low && iova <= hw->iova_low_last ? hw->iova_low_last : UINT64_MAX;
}

static void fit_prot(struct fit *f, struct op *op)
{
	static const uint8_t without[] = { 0, PROT_CACHE, PROT_MMIO, PROT_PRIV, PROT_X, PROT_TYPE, PROT_TYPE | PROT_PRIV, PROT_TYPE | PROT_PRIV | PROT_X };
	const struct hw *hw = fit_hw(f);
	unsigned i, prot = op->prot & PROT_ALL;

	for (i = 0; i < 2 * sizeof(without); i++) {
		unsigned less = (prot & ~(unsigned)without[i / 2]) | (i & 1 ? PROT_R : 0);

		if (less & PROT_ACCESS && hw->format->expressible(hw, less)) {
			op->prot = (uint8_t)less;
			return;
		}
	}
	op->prot = PROT_R | PROT_W;
}

static void fit_oa(const struct fit *f, struct op *op)
{
	uint64_t granule = fit_granule(f), oa_last = layout_mask(fit_hw(f)->oa_lg2), length_less_1;

	op->oa &= oa_last & ~(granule - 1);
	length_less_1 = op->last - op->iova;
	if (length_less_1 > oa_last) {
		op->last = op->iova + granule - 1;
		length_less_1 = granule - 1;
	}
	if (oa_last - op->oa < length_less_1)
		op->oa = (oa_last - length_less_1) & ~(granule - 1);
}

/* Aligned, inside the aperture, with an oa and permissions that there are. */
static void fit_arguments(struct fit *f, struct op *op)
{
	const struct hw *hw = fit_hw(f);
	uint64_t granule = fit_granule(f), length_less_1 = op->last - op->iova, most;

	op->iova = fit_into_aperture(hw, op->iova);
	if (op->kind <= OP_DIRTY)
		op->iova &= ~(granule - 1);
	if (op->kind == OP_DIRTY && !hw->has_dirty)
		op->kind = OP_UNMAP;
	if (!fit_has_range(op))
		return;
	if (op->last < op->iova && length_less_1 >> 63)
		length_less_1 = 0;
	most = fit_part_last(hw, op->iova) - op->iova;
	length_less_1 |= granule - 1;
	op->last = op->iova + (length_less_1 < most ? length_less_1 : most);
	if (op->kind != OP_MAP)
		return;
	fit_oa(f, op);
	fit_prot(f, op);
}

/* A map over something: end before it, or move on to the next hole. */
static void fit_hole(struct fit *f, struct op *op)
{
	const struct imap_piece *piece = imap_from(f->pick.im, op->iova, NULL);
	uint64_t length_less_1 = op->last - op->iova, align = op->iova | (length_less_1 + 1), shift;
	unsigned i;

	if (piece && piece->iova > op->iova && rng_below(f->rng, 2)) {
		op->last = piece->iova - 1;
		return;
	}
	align = align ? (align & -align) - 1 : fit_granule(f) - 1;
	for (i = 0; piece && piece->iova <= op->last && i < FIT_PIECES_MAX; i++) {
		shift = (piece->last + 1 - op->iova + align) & ~align;
		if (fit_part_last(fit_hw(f), op->iova) - op->iova < shift || fit_part_last(fit_hw(f), op->iova) - op->iova - shift < length_less_1)
			break;
		op->iova += shift;
		op->last += shift;
		op->oa += shift;
		piece = imap_from(f->pick.im, op->iova, NULL);
	}
}

/* A map of too many leaves. */
static void fit_clip(struct fit *f, struct op *op)
{
	uint64_t mask = fit_granule(f) - 1;

	while (op->last - op->iova > mask && pick_leaves(fit_hw(f), op->iova, op->last, op->oa) > FIT_LEAVES_MAX)
		op->last = op->iova + ((op->last - op->iova) / 2 | mask);
}

/* What is not refused and does nothing, since nothing is there. */
static bool fit_idle(const struct fit *f, const struct op *op)
{
	return (op->kind == OP_UNMAP || op->kind == OP_DIRTY) && f->pick.im->nr && !imap_find(f->pick.im, op->iova, NULL);
}

bool fit_op(struct fit *f, struct op *op)
{
	enum guess_how how;
	unsigned i;

	if (op->kind == OP_SYNC || op->kind == OP_SWITCH)
		return true;
	for (i = 0; i < FIT_TRIES; i++) {
		how = guess_look(f->guess, op);
		if (how == GUESS_FORBIDDEN)
			return false;
		if (how == GUESS_DONE && !fit_idle(f, op))
			return true;
		if (how == GUESS_ARGUMENT)
			fit_arguments(f, op);
		else if (how == GUESS_HUGE)
			fit_clip(f, op);
		else if (op->kind == OP_MAP)
			fit_hole(f, op);
		else if (op->kind == OP_CUT && imap_find(f->pick.im, op->iova, NULL))
			return true; /* not on this hardware; what it answers is worth checking, too */
		else if (!f->pick.im->nr)
			fit_fresh(f, op, OP_MAP);
		else
			fit_target(f, op);
	}
	if (guess_look(f->guess, op) != GUESS_DONE)
		fit_fresh(f, op, op->kind);
	return guess_look(f->guess, op) != GUESS_FORBIDDEN;
}
