/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_table.c - random tables for a judge. */
#include "judge_table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "../../oracle/layout.h"
#include "../gen.h"

static void table_finding(void *arg, const struct verdict *v, const struct op *op)
{
	struct judge_table *t = arg;

	(void)op;
	t->verdict = *v;
	t->found = true;
	siglongjmp(t->caught, 1);
}

int judge_table_init(struct judge_table *t, struct judge *j)
{
	uint64_t frames_nr = JUDGE_ARENA_BYTES >> MEM_FRAME_LG2, i;
	struct exec_options options = exec_defaults;

	memset(t, 0, sizeof(*t));
	t->j = j;
	options.arena_bytes = JUDGE_ARENA_BYTES;
	if (exec_init(&t->x, &options, table_finding, t))
		return -ENOMEM;
	t->frames = mmap(NULL, frames_nr * sizeof(*t->frames), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->frames == MAP_FAILED) {
		t->frames = NULL;
		exec_release(&t->x);
		return -ENOMEM;
	}
	for (i = 0; i < frames_nr; i++)
		t->frames[i] = (struct mem_frame){ .state = MEM_FRAME_LIVE, .bytes = UINT32_MAX };
	return 0;
}

void judge_table_release(struct judge_table *t)
{
	if (t->frames)
		munmap(t->frames, (JUDGE_ARENA_BYTES >> MEM_FRAME_LG2) * sizeof(*t->frames));
	exec_release(&t->x);
}

int judge_table_copy(struct judge_table *t)
{
	const struct mem_view *v = &t->x.mem.view;
	uint8_t *to = qemu_ram_at(&t->j->ram, v->pa, v->bytes_nr);
	uint64_t i, at;

	if (!to) {
		snprintf(t->j->why, sizeof(t->j->why), "the tables at 0x%llx are not in the guest's RAM", (unsigned long long)v->pa);
		return -EFAULT;
	}
	/* What is no table must be zero, wherever the last one lay: a changed pointer may lead there. */
	if (t->copied)
		memset(t->guest.bytes, 0, t->copied);
	t->copied = 0;
	t->guest = (struct mem_view){ .bytes = to, .pa = v->pa, .bytes_nr = v->bytes_nr, .frames = t->frames };
	for (i = 0; i < t->x.mem.bump >> MEM_FRAME_LG2; i++) {
		at = i << MEM_FRAME_LG2;
		if (v->frames[i].state != MEM_FRAME_LIVE)
			continue;
		memcpy(to + at, v->bytes + at, v->frames[i].bytes);
		if (t->copied < at + v->frames[i].bytes)
			t->copied = at + v->frames[i].bytes;
	}
	return 0;
}

/* Now and then what is mapped lies in the window, so that a judge can tell where an access went. */
static void table_aim(struct judge_table *t, struct op *op)
{
	uint64_t window = t->j->ops->window;

	if (op->kind != OP_MAP || !window || op->last < op->iova || op->last - op->iova >= JUDGE_WINDOW_BYTES || rng_below(&t->rng, 2))
		return;
	op->oa = window | (op->oa & (JUDGE_WINDOW_BYTES - 1));
}

static void table_fill(struct judge_table *t, unsigned ops_nr)
{
	struct op op = { .kind = OP_SYNC };
	struct gen g;

	gen_init(&g, rng_next(&t->rng), GEN_VARIED, &t->x.check.im, &t->x.check.hw);
	while (ops_nr--) {
		gen_next(&g, &op);
		table_aim(t, &op);
		exec_op(&t->x, &op);
	}
	op = (struct op){ .kind = OP_SYNC };
	exec_op(&t->x, &op);
}

int judge_table_make(struct judge_table *t, const struct config *cfg, uint64_t seed, unsigned ops_nr)
{
	const char *why = "";
	int ret;

	t->cfg = *cfg;
	t->seed = seed;
	t->found = t->open = false;
	rng_init(&t->rng, seed);
	t->x.options.arena_pa = t->j->ops->arena(cfg);
	if (sigsetjmp(t->caught, 0)) {
		exec_abandon(&t->x);
		t->open = false;
		return 1;
	}
	ret = exec_open(&t->x, cfg, &why);
	if (ret) {
		snprintf(t->j->why, sizeof(t->j->why), "%s: %s", cfg->format, why);
		return ret;
	}
	t->open = true;
	table_fill(t, ops_nr);
	t->domain = (struct judge_domain){ .hw = &t->x.check.hw };
	t->x.ops->root(t->x.engine, &t->domain.root, &t->domain.level);
	ret = judge_table_copy(t);
	if (!ret)
		ret = t->j->ops->load(t->j, &t->domain);
	t->has_room = !ret && t->j->ops->room && t->j->ops->room(t->j, &t->room_iova, &t->room_last);
	if (ret)
		judge_table_end(t);
	return ret;
}

void judge_table_end(struct judge_table *t)
{
	if (t->open && !sigsetjmp(t->caught, 0))
		exec_close(&t->x);
	else if (t->open)
		exec_abandon(&t->x);
	t->open = false;
}

bool judge_table_mapped(struct judge_table *t, uint64_t *iova)
{
	const struct imap *im = &t->x.check.im;
	const struct imap_piece *p;
	struct layout_leaf leaf;
	uint64_t at;

	if (!im->nr)
		return false;
	p = imap_nth(im, rng_next(&t->rng) % im->nr);
	at = p->iova + (p->last == p->iova + UINT64_MAX ? rng_next(&t->rng) : rng_next(&t->rng) % (p->last - p->iova + 1));
	leaf = layout_leaf(t->cfg.pgsizes, p, rng_below(&t->rng, 4) ? at : rng_below(&t->rng, 2) ? p->iova : p->last);
	switch (rng_below(&t->rng, 4)) {
	case 0:
		*iova = leaf.iova;
		break;
	case 1:
		*iova = leaf.last;
		break;
	default:
		*iova = leaf.iova + (rng_next(&t->rng) & (leaf.last - leaf.iova));
		break;
	}
	return true;
}

/* Somewhere in the aperture or, rarely, outside; nothing need be mapped there. */
static uint64_t table_anywhere(struct judge_table *t)
{
	const struct hw *hw = &t->x.check.hw;
	uint64_t random = rng_next(&t->rng) >> rng_below(&t->rng, 52);
	unsigned root_lg2 = hw->item_lg2[t->domain.level] + hw->index_lg2[t->domain.level];
	/* A register of 32 bits holds no iova beyond the aperture. */
	bool narrow = hw->has_low && hw->iova_low_last == UINT32_MAX && !strcmp(t->cfg.format, "armv7s");

	/* Where the root has not grown to its full height, mostly what it spans. */
	if (t->domain.level < hw->top_level_max && rng_below(&t->rng, 8))
		return random & layout_mask(root_lg2);
	switch (rng_below(&t->rng, 8)) {
	case 0:
		return hw->has_low ? 0 : hw->iova_high_first;
	case 1:
		return hw->has_low ? hw->iova_low_last : UINT64_MAX;
	case 2:
		return narrow ? UINT32_MAX : hw->has_low ? hw->iova_low_last + 1 : hw->iova_high_first - 1;
	case 3:
		return narrow ? (uint32_t)random : random;
	case 4:
		return narrow ? (uint32_t)random : hw->iova_high_first | random;
	default:
		return hw->has_low ? random & hw->iova_low_last : hw->iova_high_first | random;
	}
}

uint64_t judge_table_iova(struct judge_table *t)
{
	uint64_t iova, granule = UINT64_C(1) << t->x.check.small_lg2;
	bool narrow = !strcmp(t->cfg.format, "armv7s");

	for (;;) {
		if (!rng_below(&t->rng, 8) || !judge_table_mapped(t, &iova)) {
			iova = table_anywhere(t);
		} else if (!rng_below(&t->rng, 4)) {
			/* Beside what is mapped: a byte, a page, or as far as a table reaches. */
			uint64_t step = rng_below(&t->rng, 2) ? 1 : granule << rng_below(&t->rng, 10);

			iova += rng_below(&t->rng, 2) ? step : -step;
			iova = narrow ? (uint32_t)iova : iova;
		}
		iova &= ~UINT64_C(7);
		if (!t->has_room || iova < t->room_iova || iova > t->room_last)
			return iova;
	}
}

void judge_expect(const struct judge_table *t, const struct mem_view *view, const struct judge_ask *ask, struct judge_ask *due,
		  struct walk *w)
{
	static const uint8_t needs[JUDGE_KINDS_NR] = {
		[JUDGE_READ] = PROT_R,
		[JUDGE_WRITE] = PROT_W,
		[JUDGE_READ_USER] = PROT_R,
		[JUDGE_WRITE_USER] = PROT_W,
	};
	bool user = ask->kind == JUDGE_READ_USER || ask->kind == JUDGE_WRITE_USER;

	walk(t->domain.hw, view, t->domain.root, t->domain.level, ask->iova, w);
	*due = *ask;
	due->answered = true;
	due->ok = w->end == WALK_LEAF && (w->prot & needs[ask->kind]) == needs[ask->kind] && !(user && w->prot & PROT_PRIV);
	due->has_oa = due->ok;
	due->oa = due->ok ? w->oa : 0;
	due->type = due->ok ? w->prot & PROT_TYPE : 0;
}

bool judge_agrees(const struct judge_ask *due, const struct judge_ask *answer)
{
	if (due->ok != answer->ok)
		return false;
	if (answer->ok && answer->has_oa && answer->oa != due->oa)
		return false;
	return !answer->ok || answer->type == JUDGE_TYPE_UNSEEN || answer->type == due->type;
}

bool judge_asked_for(const struct judge_table *t, uint64_t iova, const struct walk *w)
{
	const struct imap_piece *p = imap_find(&t->x.check.im, iova, NULL);

	if (!p)
		return w->end == WALK_FAULT;
	return w->end == WALK_LEAF && w->oa == p->oa + (iova - p->iova) && w->prot == p->prot;
}
