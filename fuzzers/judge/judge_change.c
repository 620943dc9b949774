/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_change.c - bit by bit: entries with one bit changed, judged by our walker and by the judge. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "judge_run.h"

/* For each bit: change it, ask, change it back. */
enum { ASKS_BIT = JUDGE_KINDS_NR + 1, ASKS_ENTRY = 64 * ASKS_BIT };

/* What our walker makes of the questions with the item at pa being raw; the judge's memory has it only meanwhile. */
static void change_expect(struct judge_table *t, uint64_t pa, uint64_t raw, uint64_t changed, struct judge_ask *asks, size_t nr,
			  struct judge_ask *dues, struct walk *walks)
{
	unsigned bytes_lg2 = t->domain.hw->item_bytes_lg2;
	size_t i;

	judge_poke(t->j, pa, changed, bytes_lg2);
	for (i = 0; i < nr; i++) {
		judge_expect(t, &t->guest, &asks[i], &dues[i], &walks[i]);
		judge_hint(&asks[i], &walks[i], dues[i].ok);
	}
	judge_poke(t->j, pa, raw, bytes_lg2);
}

/* Whether the walk left the arena for a place in RAM that holds zeros, as most of it does: then both must fault. Elsewhere nobody knows. */
static bool change_told(const struct judge_table *t, const struct walk *w)
{
	const struct hw *hw = t->domain.hw;
	const struct walk_step *s = &w->steps[w->nr - 1];
	const uint8_t *at;
	uint64_t bytes;

	if (w->end != WALK_WILD)
		return true;
	bytes = UINT64_C(1) << (hw->index_lg2[s->entry.level] + hw->item_bytes_lg2);
	at = qemu_ram_at(&t->j->ram, s->entry.pa, bytes);
	return at && !at[0] && !memcmp(at, at + 1, bytes - 1);
}

static void change_compare(struct judge_table *t, const struct walk_step *s, unsigned bit, const struct judge_ask *due,
			   const struct walk *w, const struct judge_ask *answer, struct judge_result *res)
{
	struct judge_change change = { .level = s->level, .bit = bit, .table = s->entry.kind == HW_TABLE, .after = w };
	char fields[300];
	int listed;

	if (!answer->answered || !change_told(t, w)) {
		res->changes_untold++;
		return;
	}
	res->changes++;
	if (judge_agrees(due, answer)) {
		res->changes_agreed++;
		return;
	}
	listed = judge_differ_find(t->j, t->domain.hw, &change, due, answer);
	if (listed >= 0) {
		res->changes_listed++;
		res->listed[listed]++;
		return;
	}
	res->changes_wrong++;
	t->domain.hw->format->fields(t->domain.hw, s->level, s->raw, fields, sizeof(fields));
	judge_report(res, true, "%s stage=%u lpa=%u ad=%u: %s of level %u with bit %u changed, %s: our walker %s%s%s, the judge %s%s",
		     t->cfg.format, t->cfg.stage, t->cfg.lpa, t->cfg.ad, change.table ? "table" : "leaf", s->level, bit,
		     answer->kind == JUDGE_WRITE || answer->kind == JUDGE_WRITE_USER ? "write" : "read", due->ok ? "translates" : "faults",
		     w->end == WALK_BAD || w->end == WALK_WILD ? ": " : "", w->end == WALK_BAD || w->end == WALK_WILD ? w->why : "",
		     answer->ok ? "translates" : "faults",
		     due->ok && answer->ok
			     ? (answer->type != JUDGE_TYPE_UNSEEN && answer->type != due->type ? " with another type" : " to another oa")
			     : "");
}

/* All bits of one entry on the way from iova to oa. */
static int change_entry(struct judge_table *t, const struct walk_step *s, uint64_t iova, uint64_t oa, struct judge_result *res)
{
	static struct judge_ask asks[ASKS_ENTRY], dues[ASKS_ENTRY];
	static struct walk walks[ASKS_ENTRY];
	unsigned bits = 8u << t->domain.hw->item_bytes_lg2, bit, kind;
	uint8_t bit_of[ASKS_ENTRY];
	size_t nr = 0, first, i;
	int ret;

	for (bit = 0; bit < bits; bit++) {
		uint64_t changed = s->raw ^ UINT64_C(1) << bit;

		asks[nr++] = (struct judge_ask){ .kind = JUDGE_POKE, .iova = s->pa, .value = changed };
		first = nr;
		for (kind = 0; kind < JUDGE_POKE; kind++) {
			if (!(t->j->ops->kinds >> kind & 1))
				continue;
			bit_of[nr] = (uint8_t)bit;
			asks[nr++] = (struct judge_ask){ .kind = (uint8_t)kind, .iova = iova, .type = JUDGE_TYPE_UNSEEN };
		}
		change_expect(t, s->pa, s->raw, changed, asks + first, nr - first, dues + first, walks + first);
		for (i = first; i < nr; i++)
			asks[i].oa_near = oa;
		if (t->j->ops->spares && t->j->ops->spares(&t->cfg, s->level, bit, &walks[first])) {
			res->changes_untold++;
			nr = first - 1;
			continue;
		}
		/*
		 * The last kind, an address that costs a command or a write that leaves zeros, is asked for only where the walk has a leaf: what
		 * a judge that goes on regardless would write to is anybody's guess.
		 */
		if ((t->j->ops->kinds >> JUDGE_ADDRESS & 1 || t->j->ops->zeroes) && walks[nr - 1].end != WALK_LEAF)
			nr--;
		asks[nr++] = (struct judge_ask){ .kind = JUDGE_POKE, .iova = s->pa, .value = s->raw };
	}
	ret = t->j->ops->ask(t->j, asks, nr);
	t->j->asked += nr;
	for (i = 0; i < nr && !ret; i++)
		if (asks[i].kind != JUDGE_POKE)
			change_compare(t, s, bit_of[i], &dues[i], &walks[i], &asks[i], res);
	return ret;
}

int judge_changes(struct judge_table *t, struct judge_result *res)
{
	uint64_t iova;
	struct walk w;
	unsigned i;
	int ret = 0;

	if (!judge_table_mapped(t, &iova))
		return 0;
	iova &= ~UINT64_C(7);
	if (t->has_room && iova >= t->room_iova && iova <= t->room_last)
		return 0;
	walk(t->domain.hw, &t->guest, t->domain.root, t->domain.level, iova, &w);
	if (w.end != WALK_LEAF)
		return 0; /* the engine's checks say why, if it should not be so */
	for (i = 0; i < w.nr && !ret; i++)
		ret = change_entry(t, &w.steps[i], iova, w.oa, res);
	/* What a changed entry let be written to, nobody knows. */
	if (t->j->ops->zeroes)
		judge_fill_window(t->j, t->j->ops->window, JUDGE_WINDOW_BYTES);
	return ret;
}
