/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_all.c - where a judge can list every leaf of a table: each is compared, and there must be as many as were asked for. */
#include <inttypes.h>
#include <stdlib.h>

#include "../../oracle/layout.h"
#include "judge_run.h"

/* Tables with more leaves are not listed. */
#define ALL_LEAVES_MAX 20000

/* How many leaves the pieces come to; more than ALL_LEAVES_MAX is as much as that and one. */
static uint64_t all_due(const struct judge_table *t)
{
	struct imap_pos pos;
	const struct imap_piece *p;
	uint64_t due = 0, iova, nr;

	for (p = imap_from(&t->x.check.im, 0, &pos); p; p = imap_next(&pos)) {
		for (iova = p->iova;; iova += nr) {
			struct layout_leaf leaf = layout_leaf(t->cfg.pgsizes, p, iova);

			nr = layout_run(t->cfg.pgsizes, p, &leaf);
			due += nr;
			if (due > ALL_LEAVES_MAX)
				return ALL_LEAVES_MAX + 1;
			nr <<= leaf.size_lg2;
			if (nr > p->last - iova)
				break;
		}
	}
	return due;
}

static bool all_agrees(const struct judge_table *t, const struct judge_leaf *leaf)
{
	const struct hw_entry *e;
	struct walk w;

	walk(t->domain.hw, &t->x.mem.view, t->domain.root, t->domain.level, leaf->iova, &w);
	if (w.end != WALK_LEAF || (w.oa & layout_mask(t->j->ops->leaves_oa_lg2)) != leaf->oa || !judge_asked_for(t, leaf->iova, &w))
		return false;
	e = &w.steps[w.nr - 1].entry;
	return leaf->prot == (e->prot & (PROT_ACCESS | PROT_PRIV));
}

int judge_all(struct judge_table *t, struct judge_result *res)
{
	uint64_t due = all_due(t), before = 0;
	struct judge_leaf *list = NULL;
	size_t nr = 0, i;
	int ret;

	if (due > ALL_LEAVES_MAX)
		return 0;
	ret = t->j->ops->leaves(t->j, &list, &nr);
	for (i = 0; i < nr && !ret; i++) {
		/* Ascending, the upper half last: none comes twice. */
		bool agrees = all_agrees(t, &list[i]) && (!i || list[i].iova > before);

		before = list[i].iova;
		res->leaves++;
		res->agreed += agrees;
		res->disagreed += !agrees;
		if (!agrees)
			judge_report(res, false,
				     "%s: table of seed %" PRIu64 ": the judge lists a leaf at iova 0x%" PRIx64 " to oa 0x%" PRIx64,
				     t->cfg.format, t->seed, list[i].iova, list[i].oa);
	}
	if (!ret && nr != due) {
		res->disagreed++;
		judge_report(res, false, "%s: table of seed %" PRIu64 ": the judge lists %zu leaves, asked for were %" PRIu64,
			     t->cfg.format, t->seed, nr, due);
	}
	free(list);
	return ret;
}
