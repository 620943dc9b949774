/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enumerate_scope.c - one tiny configuration being enumerated: domains, scripts, and ranges of units as operations. */
#include "enumerate_scope.h"

#include <stdio.h>

void scope_caught(void *arg, const struct verdict *v, const struct op *op)
{
	struct scope *s = arg;

	finding_make(&s->e->finding, &s->x, v, op);
	s->e->end = ENUMERATE_FINDING;
	siglongjmp(s->end, 1);
}

void scope_unable(struct scope *s, const char *why)
{
	snprintf(s->e->why, sizeof(s->e->why), "%s", why);
	s->e->end = ENUMERATE_UNABLE;
	siglongjmp(s->end, 1);
}

bool scope_inside_leaf(const struct scope *s, uint64_t iova)
{
	const struct imap_piece *p = imap_find(&s->x.check.im, iova, NULL);

	return p && layout_leaf(s->cfg.pgsizes, p, iova).iova != iova;
}

enum exec_status scope_op(struct scope *s, const struct op *op)
{
	struct enumerate_counts *n = &s->e->counts;
	bool splits = op->kind == OP_CUT && scope_inside_leaf(s, op->iova);
	enum exec_status status;

	if (s->e->ops_nr == ENUMERATE_OPS_MAX)
		scope_unable(s, "too many operations in one domain");
	s->e->ops[s->e->ops_nr++] = *op;
	status = exec_op(&s->x, op);
	n->operations++;
	n->refused += status == EXEC_REFUSED;
	n->maps += op->kind == OP_MAP && status == EXEC_DONE;
	n->cuts += op->kind == OP_CUT && status == EXEC_DONE;
	n->splits += splits && status == EXEC_DONE;
	n->unmaps += op->kind == OP_UNMAP && status == EXEC_DONE;
	return status;
}

void scope_open(struct scope *s)
{
	const char *why;

	s->e->ops_nr = s->e->script_at = 0;
	if (exec_open(&s->x, &s->cfg, &why))
		scope_unable(s, why);
	s->e->counts.domains++;
}

void scope_count(struct scope *s)
{
	unsigned i;

	s->e->counts.leaves += s->x.check.leaves;
	/* What is counted for a check that is left out compared nothing. */
	for (i = 0; i < CHECK_NR; i++)
		s->e->counts.comparisons[i] += s->x.options.checks & 1u << i ? s->x.check.comparisons[i] : 0;
}

void scope_close(struct scope *s)
{
	exec_close(&s->x);
	scope_count(s);
}

void scope_script(struct scope *s)
{
	s->turn++;
	s->e->script_at = s->e->ops_nr;
}

/* --- ranges to operations --- */

uint64_t scope_iova(const struct scope *s, const struct part *part, uint64_t unit)
{
	return part->iova + (unit << s->unit_lg2);
}

/*
 * An oa of this alignment: the units' bits as in the iova, plus the one unit that ends the congruence, under a pattern of ones and zeros
 * that takes turns.
 */
static uint64_t scope_oa(const struct scope *s, const struct range *r)
{
	unsigned low_lg2 = s->unit_lg2 + s->bits + 1;
	uint64_t low = scope_iova(s, r->part, r->first) & layout_mask(low_lg2 - 1);
	uint64_t high = (s->turn & 1 ? UINT64_C(0x5555555555555555) : UINT64_C(0xaaaaaaaaaaaaaaaa)) & layout_mask(s->hw.oa_lg2) &
			~layout_mask(low_lg2);

	if (r->align < s->bits)
		low += UINT64_C(1) << (s->unit_lg2 + r->align);
	return high | low;
}

struct op scope_map_op(const struct scope *s, const struct range *r, unsigned prot)
{
	return (struct op){ .kind = OP_MAP,
			    .iova = scope_iova(s, r->part, r->first),
			    .last = scope_iova(s, r->part, r->last + 1) - 1,
			    .oa = scope_oa(s, r),
			    .prot = s->prots[prot % s->prots_nr] };
}

void scope_unmap(struct scope *s, uint64_t iova, uint64_t last)
{
	scope_op(s, &(struct op){ .kind = OP_UNMAP, .iova = iova, .last = last });
}

void scope_cut(struct scope *s, uint64_t iova)
{
	scope_op(s, &(struct op){ .kind = OP_CUT, .iova = iova });
}

/* That nothing is removed where something is mapped is a finding before it is an endless loop here. */
void scope_rest(struct scope *s)
{
	while (s->x.check.im.nr) {
		const struct imap_piece *p = imap_nth(&s->x.check.im, 0);
		const struct part *part = &s->parts[s->parts_nr > 1 && p->iova >= s->parts[1].iova];

		scope_unmap(s, p->iova, scope_iova(s, part, part->nr) - 1);
	}
}

bool scope_align_counts(const struct scope *s, unsigned align)
{
	return align == s->bits || s->cfg.pgsizes & UINT64_C(1) << (s->unit_lg2 + align + 1);
}

void scope_measure(struct scope *s)
{
	const char *why = "";
	uint64_t most = 0;
	unsigned prot, i;

	if (hw_init(&s->hw, &s->cfg, &why))
		scope_unable(s, why);
	s->unit_lg2 = (unsigned)__builtin_ctzll(s->cfg.pgsizes);
	if (s->hw.has_low)
		s->parts[s->parts_nr++] = (struct part){ 0, (s->hw.iova_low_last >> s->unit_lg2) + 1 };
	if (s->hw.has_high)
		s->parts[s->parts_nr++] = (struct part){ s->hw.iova_high_first, ((UINT64_MAX - s->hw.iova_high_first) >> s->unit_lg2) + 1 };
	for (i = 0; i < s->parts_nr; i++) {
		s->e->counts.units += s->parts[i].nr;
		most = s->parts[i].nr > most ? s->parts[i].nr : most;
	}
	while (UINT64_C(1) << s->bits < most)
		s->bits++;
	for (prot = 0; prot <= PROT_ALL; prot++)
		if (prot & PROT_ACCESS && s->hw.format->expressible(&s->hw, prot))
			s->prots[s->prots_nr++] = (uint8_t)prot;
	s->e->counts.alignments = s->bits + 1;
	if (!s->prots_nr || !most || s->e->counts.units > 256)
		scope_unable(s, "this is not a tiny geometry");
}
