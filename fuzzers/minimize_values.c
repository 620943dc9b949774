/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * minimize_values.c - makes simpler what a trace of few operations says: the smallest configuration, addresses near 0, the smallest sizes, the
 * fewest attributes, the first failure and the earliest action of the device that still show the finding.
 *
 * Each candidate is less than what it replaces, by an order of its own kind (fewer keys, a lower address, a smaller length, fewer bits). So it ends,
 * and what nothing could be taken from any more stays as it is when it is minimized again.
 */
#include <stdlib.h>
#include <string.h>

#include "../oracle/layout.h"
#include "config_key.h"
#include "minimizer.h"
#include "pick.h"

#define LEAVES_FEW 1024
#define STEPS_MAX 16 /* values that are tried one by one, before halving */

static bool values_late(const struct minimizer *m)
{
	return minimize_now() >= m->until;
}

static bool values_has_range(const struct op *op)
{
	return op->kind == OP_MAP || op->kind == OP_UNMAP || op->kind == OP_DIRTY;
}

/* The smallest page, log2, and where addresses begin. */
static unsigned values_geometry(const struct minimizer *m, uint64_t *base)
{
	const char *why;
	struct hw hw;

	*base = 0;
	if (hw_init(&hw, &m->t->cfg, &why))
		return 12;
	if (!hw.has_low)
		*base = hw.iova_high_first;
	return pick_granule_lg2(&hw);
}

/* Leaves of the largest map; UINT64_MAX where that cannot be told. */
static uint64_t values_leaves(const struct minimizer *m, const struct op *ops, size_t nr)
{
	uint64_t most = 0, leaves;
	const char *why;
	struct hw hw;
	size_t i;

	if (hw_init(&hw, &m->t->cfg, &why))
		return UINT64_MAX;
	for (i = 0; i < nr; i++) {
		leaves = ops[i].kind == OP_MAP ? pick_leaves(&hw, ops[i].iova, ops[i].last, ops[i].oa) : 0;
		most = leaves > most ? leaves : most;
	}
	return most;
}

/* Not with a map of many more leaves, as one has that may not have large pages any more: it would take long, and nobody would call it simpler. */
static bool values_run(struct minimizer *m, struct op *scratch)
{
	return values_leaves(m, scratch, m->t->nr) <= m->leaves && minimize_try(m, scratch, m->t->nr);
}

/* --- the configuration --- */

static unsigned values_keys(const struct config *cfg)
{
	unsigned i, nr = 0;

	for (i = 0; i < CONFIG_KEYS_NR; i++)
		nr += config_is_set(cfg, &config_keys[i]);
	return nr;
}

/* With another configuration; brief says how many keys it takes to write down the one that there is. */
static bool values_try_config(struct minimizer *m, const struct config *less, unsigned keys, struct op *scratch)
{
	struct config was = m->t->cfg, cfg = *less, brief;
	char err[240];

	if (values_late(m) || exec_resolve(&cfg, err, sizeof(err)))
		return false;
	brief = cfg;
	exec_brief(&brief);
	if (values_keys(&brief) >= keys)
		return false;
	m->t->cfg = cfg;
	memcpy(scratch, m->t->ops, m->t->nr * sizeof(*scratch));
	if (values_run(m, scratch))
		return true;
	m->t->cfg = was;
	return false;
}

static bool values_config(struct minimizer *m, struct op *scratch)
{
	struct config brief = m->t->cfg, less;
	bool any = false;
	unsigned i, keys;

	exec_brief(&brief);
	keys = values_keys(&brief);
	config_unset(&less);
	memcpy(less.format, brief.format, sizeof(less.format));
	if (keys > 1 && values_try_config(m, &less, keys, scratch))
		return true;
	for (i = 0; i < CONFIG_KEYS_NR; i++) {
		if (!config_is_set(&brief, &config_keys[i]))
			continue;
		less = brief;
		config_set(&less, &config_keys[i], config_keys[i].kind == CONFIG_BITMAP ? 0 : CONFIG_UNSET);
		if (!values_try_config(m, &less, values_keys(&brief), scratch))
			continue;
		any = true;
		brief = m->t->cfg;
		exec_brief(&brief);
	}
	return any;
}

/* --- one operation --- */

/* op in the place of the one at idx. */
static bool values_try(struct minimizer *m, struct op *scratch, size_t idx, const struct op *op)
{
	if (idx >= m->t->nr || values_late(m))
		return false;
	memcpy(scratch, m->t->ops, m->t->nr * sizeof(*scratch));
	scratch[idx] = *op;
	return values_run(m, scratch);
}

static bool values_length(struct minimizer *m, struct op *scratch, size_t idx, unsigned granule_lg2)
{
	const struct op *now = &m->t->ops[idx];
	uint64_t granule = UINT64_C(1) << granule_lg2, length_less_1 = now->last - now->iova;
	struct op op = *now;
	bool any = false;
	unsigned lg2, i;

	if (!values_has_range(now) || now->last < now->iova)
		return false;
	for (lg2 = granule_lg2; layout_mask(lg2) < length_less_1; lg2++) {
		op.last = op.iova + layout_mask(lg2);
		if (values_try(m, scratch, idx, &op))
			return true;
	}
	/* Then by ever smaller amounts. */
	for (lg2 = 63 - (unsigned)__builtin_clzll(length_less_1 | granule); lg2 >= granule_lg2; lg2--)
		for (i = 0; i < 2 && idx < m->t->nr; i++) {
			op = m->t->ops[idx];
			if (op.last - op.iova <= layout_mask(lg2))
				break;
			op.last -= UINT64_C(1) << lg2;
			if (!values_try(m, scratch, idx, &op))
				break;
			any = true;
		}
	return any;
}

/* The first number below the one there is that does: the small ones in turn, then halves. *field is in op. */
static bool values_number(struct minimizer *m, struct op *scratch, size_t idx, struct op *op, uint16_t *field, unsigned least)
{
	unsigned was = *field, n;

	/* Any other would do. */
	if (m->moving)
		return false;
	for (n = least; n < was && n < least + STEPS_MAX; n++) {
		*field = (uint16_t)n;
		if (values_try(m, scratch, idx, op))
			return true;
	}
	for (n = was / 2; n >= least + STEPS_MAX; n /= 2) {
		*field = (uint16_t)n;
		if (values_try(m, scratch, idx, op))
			return true;
	}
	*field = (uint16_t)was;
	return false;
}

static bool values_prot(struct minimizer *m, struct op *scratch, size_t idx)
{
	static const uint8_t few[] = { PROT_R, PROT_R | PROT_W };
	struct op op = m->t->ops[idx];
	unsigned i, was = op.prot;

	if (op.kind != OP_MAP)
		return false;
	for (i = 0; i < sizeof(few); i++) {
		op.prot = few[i];
		if (__builtin_popcount(few[i]) < __builtin_popcount(was) && values_try(m, scratch, idx, &op))
			return true;
	}
	for (i = 0; i < 8; i++) {
		op.prot = (uint8_t)(was & ~(1u << i));
		if (op.prot != was && values_try(m, scratch, idx, &op))
			return true;
	}
	return false;
}

/* The oa with as few of its bits as will do, but neither the iova nor the oa of another map: a wrong translation must not look right. */
static bool values_oa(struct minimizer *m, struct op *scratch, size_t idx, unsigned granule_lg2)
{
	struct op op = m->t->ops[idx];
	uint64_t was = op.oa;
	unsigned lg2;
	size_t i;

	if (op.kind != OP_MAP)
		return false;
	for (lg2 = granule_lg2; lg2 < 64 && was >> lg2; lg2++) {
		/* That one bit above them is left keeps it away from 0. */
		op.oa = (was & layout_mask(lg2)) | UINT64_C(1) << lg2;
		for (i = 0; i < m->t->nr && (i == idx || m->t->ops[i].kind != OP_MAP || m->t->ops[i].oa != op.oa); i++)
			;
		if (op.oa < was && op.oa != op.iova && i == m->t->nr && values_try(m, scratch, idx, &op))
			return true;
	}
	return false;
}

static bool values_devices(struct minimizer *m, struct op *scratch, size_t idx, unsigned granule_lg2)
{
	struct op op = m->t->ops[idx];
	bool any = false;
	unsigned k;

	if (op.kind > OP_DIRTY)
		return false;
	for (k = 0; idx < m->t->nr && k < m->t->ops[idx].devices_nr; k++) {
		op = m->t->ops[idx];
		any |= values_number(m, scratch, idx, &op, &op.devices[k].at, 0);
		if (idx >= m->t->nr || k >= m->t->ops[idx].devices_nr)
			break;
		op = m->t->ops[idx];
		op.devices[k].write = false;
		any |= m->t->ops[idx].devices[k].write && values_try(m, scratch, idx, &op);
		op = m->t->ops[idx];
		op.devices[k].iova &= ~layout_mask(granule_lg2);
		any |= op.devices[k].iova != m->t->ops[idx].devices[k].iova && values_try(m, scratch, idx, &op);
		op = m->t->ops[idx];
		op.devices[k].iova = op.iova;
		any |= op.iova < m->t->ops[idx].devices[k].iova && values_try(m, scratch, idx, &op);
	}
	return any;
}

/* A place inside a mapping, nearer to its start. */
static bool values_inside(struct minimizer *m, struct op *scratch, size_t idx, unsigned granule_lg2)
{
	struct op op = m->t->ops[idx];
	uint64_t was = op.iova, length_less_1 = op.last - op.iova, start, offset;
	bool any = false;
	unsigned lg2;
	size_t i;

	if (op.kind == OP_MAP || op.kind == OP_SYNC || op.kind == OP_SWITCH)
		return false;
	for (i = idx; i-- && (m->t->ops[i].kind != OP_MAP || was < m->t->ops[i].iova || was > m->t->ops[i].last);)
		;
	if (i == SIZE_MAX)
		return false;
	start = m->t->ops[i].iova;
	for (lg2 = granule_lg2 - 1; lg2 < 64; lg2++) {
		offset = lg2 < granule_lg2 ? 0 : UINT64_C(1) << lg2;
		if (offset >= was - start)
			break;
		op.iova = start + offset;
		op.last = op.iova + length_less_1;
		if (values_try(m, scratch, idx, &op))
			return true;
		/* With the end where it is. */
		op.last = was + length_less_1;
		if (values_has_range(&op) && values_try(m, scratch, idx, &op))
			return true;
	}
	/* With fewer bits of the distance. */
	for (lg2 = 63; lg2 >= granule_lg2 && idx < m->t->nr; lg2--) {
		op = m->t->ops[idx];
		offset = (op.iova - start) & ~(UINT64_C(1) << lg2);
		if (offset == op.iova - start)
			continue;
		op.iova = start + offset;
		op.last = op.iova + length_less_1;
		any |= values_try(m, scratch, idx, &op);
	}
	return any;
}

static bool values_op(struct minimizer *m, struct op *scratch, size_t idx, unsigned granule_lg2)
{
	struct op op = m->t->ops[idx];
	bool any = false;

	if (op.kind == OP_SWITCH || op.kind == OP_SYNC)
		return false;
	if (op.clear) {
		op.clear = false;
		any |= values_try(m, scratch, idx, &op);
	}
	if (idx < m->t->nr && op.kind <= OP_DIRTY && op.fail > 1) {
		op = m->t->ops[idx];
		any |= values_number(m, scratch, idx, &op, &op.fail, 1);
	}
	any |= idx < m->t->nr && values_prot(m, scratch, idx);
	any |= idx < m->t->nr && values_length(m, scratch, idx, granule_lg2);
	any |= idx < m->t->nr && values_oa(m, scratch, idx, granule_lg2);
	any |= idx < m->t->nr && values_devices(m, scratch, idx, granule_lg2);
	return any;
}

/* --- addresses of several operations --- */

/* Everything in [first, last] goes down by delta. */
static void values_shift(struct op *op, uint64_t first, uint64_t last, uint64_t delta)
{
	unsigned k;

	if (op->kind == OP_SYNC || op->kind == OP_SWITCH)
		return;
	if (op->iova >= first && op->iova <= last) {
		op->iova -= delta;
		if (values_has_range(op))
			op->last -= delta;
	}
	for (k = 0; op->kind <= OP_DIRTY && k < op->devices_nr; k++)
		if (op->devices[k].iova >= first && op->devices[k].iova <= last)
			op->devices[k].iova -= delta;
}

static bool values_down(struct minimizer *m, struct op *scratch, uint64_t first, uint64_t last, uint64_t delta)
{
	size_t i;

	memcpy(scratch, m->t->ops, m->t->nr * sizeof(*scratch));
	for (i = 0; i < m->t->nr; i++)
		values_shift(&scratch[i], first, last, delta);
	return values_run(m, scratch);
}

/* What lies in [first, last] down towards base: as few of the low bits of its address kept as will do, or at least fewer of them. */
static bool values_lower(struct minimizer *m, struct op *scratch, uint64_t first, uint64_t last, uint64_t base, unsigned granule_lg2)
{
	uint64_t above = first - base;
	bool any = false;
	unsigned lg2;

	for (lg2 = granule_lg2; lg2 < 64 && above >> lg2 && !values_late(m); lg2++)
		if (values_down(m, scratch, first, last, above & ~layout_mask(lg2)))
			return true;
	for (lg2 = 63; lg2 >= granule_lg2 && !values_late(m); lg2--)
		if (above >> lg2 & 1 && values_down(m, scratch, first, last, UINT64_C(1) << lg2)) {
			any = true;
			first -= UINT64_C(1) << lg2;
			last -= last == UINT64_MAX ? 0 : UINT64_C(1) << lg2;
		}
	return any;
}

static bool values_addresses(struct minimizer *m, struct op *scratch, uint64_t base, unsigned granule_lg2)
{
	uint64_t lowest = UINT64_MAX, first, last;
	bool any = false;
	size_t i;

	for (i = 0; i < m->t->nr; i++)
		if (m->t->ops[i].kind != OP_SYNC && m->t->ops[i].kind != OP_SWITCH && m->t->ops[i].iova < lowest)
			lowest = m->t->ops[i].iova;
	if (lowest == UINT64_MAX)
		return false;
	if (lowest >= base)
		any |= values_lower(m, scratch, lowest, UINT64_MAX, base, granule_lg2);
	/* Then each mapping with what happens in it. */
	for (i = 0; i < m->t->nr; i++) {
		first = m->t->ops[i].iova;
		last = m->t->ops[i].last;
		if (m->t->ops[i].kind == OP_MAP && last >= first && first > base)
			any |= values_lower(m, scratch, first, last, base, granule_lg2);
	}
	return any;
}

bool minimize_values(struct minimizer *m, struct op *scratch)
{
	unsigned granule_lg2;
	uint64_t base;
	bool any;
	size_t i;

	m->leaves = values_leaves(m, m->t->ops, m->t->nr);
	m->leaves = m->leaves > LEAVES_FEW ? m->leaves : LEAVES_FEW;
	any = values_config(m, scratch);
	granule_lg2 = values_geometry(m, &base);
	/* What decides how much there is to walk comes first: low addresses, and what lets a large mapping become a small one. */
	any |= values_addresses(m, scratch, base, granule_lg2);
	for (i = 0; i < m->t->nr; i++)
		any |= values_inside(m, scratch, i, granule_lg2);
	for (i = 0; i < m->t->nr; i++)
		any |= values_op(m, scratch, i, granule_lg2);
	return any;
}
