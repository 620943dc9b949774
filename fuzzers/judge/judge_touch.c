/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_touch.c - what the judge has written into the tables: accessed and dirty state where the configuration lets the device keep it, and
 * nothing else. Our side of it is the format's touch().
 */
#include <inttypes.h>
#include <string.h>

#include "judge_run.h"

static uint64_t guest_item(const struct judge_table *t, uint64_t pa)
{
	return mem_view_load(&t->guest, pa, t->domain.hw->item_bytes_lg2);
}

/* A changed item: a leaf after a read or a write. Pointers are marked by x86 alone ([APM] 5.4.2: A in every entry that is used). */
static bool touch_right(const struct hw *hw, unsigned level, uint64_t raw, uint64_t now)
{
	struct hw_entry e = hw->format->decode(hw, level, raw);

	if (e.kind == HW_LEAF)
		return now == hw->format->touch(hw, level, raw, false) || now == hw->format->touch(hw, level, raw, true);
	return e.kind == HW_TABLE && !strcmp(hw->cfg.format, "x86_64") && now == hw->format->touch(hw, level, raw, false);
}

static void touch_table(struct judge_table *t, unsigned level, uint64_t table, struct judge_result *res)
{
	const struct hw *hw = t->domain.hw;
	char before[300], after[300];
	uint64_t i;

	for (i = 0; i < UINT64_C(1) << hw->index_lg2[level]; i++) {
		uint64_t pa = table + (i << hw->item_bytes_lg2), raw = mem_view_load(&t->x.mem.view, pa, hw->item_bytes_lg2);
		uint64_t now = guest_item(t, pa);
		struct hw_entry e = hw->format->decode(hw, level, raw);

		if (e.kind == HW_TABLE)
			touch_table(t, e.level, e.pa, res);
		/* The judge may have an item of the root to itself. */
		if (now == raw || e.kind == HW_EMPTY)
			continue;
		res->updates++;
		if (touch_right(hw, level, raw, now))
			continue;
		res->updates_wrong++;
		hw->format->fields(hw, level, raw, before, sizeof(before));
		hw->format->fields(hw, level, now, after, sizeof(after));
		judge_report(res, false, "%s: the judge made of %s at level %u: %s", hw->cfg.format, before, level, after);
	}
}

void judge_touched(struct judge_table *t, const struct judge_ask *asks, size_t nr, struct judge_result *res)
{
	const struct hw *hw = t->domain.hw;
	struct judge_ask due;
	struct walk w;
	size_t i;

	if (!hw->cfg.ad)
		return;
	touch_table(t, t->domain.level, t->domain.root, res);
	if (!t->j->ops->marks || !t->j->ops->marks(t->j))
		return;
	for (i = 0; i < nr; i++) {
		bool write = asks[i].kind == JUDGE_WRITE || asks[i].kind == JUDGE_WRITE_USER;
		const struct walk_step *s;
		struct hw_entry now;

		if (!asks[i].answered || !asks[i].ok || asks[i].kind == JUDGE_ADDRESS)
			continue;
		judge_expect(t, &t->x.mem.view, &asks[i], &due, &w);
		if (!due.ok)
			continue; /* told already */
		s = &w.steps[w.nr - 1];
		now = hw->format->decode(hw, s->level, guest_item(t, s->pa));
		if (now.accessed && (now.dirty || !write))
			continue;
		res->updates_wrong++;
		judge_report(res, false, "%s: table of seed %" PRIu64 ": the judge did not mark the leaf at iova 0x%" PRIx64 " as %s",
			     hw->cfg.format, t->seed, asks[i].iova, write ? "dirty" : "accessed");
		return; /* one is enough to look at */
	}
}
