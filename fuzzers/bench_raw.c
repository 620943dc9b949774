/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_raw.c - what the bare engine costs, with and without its log. There is no oracle here. */
#include <errno.h>
#include <string.h>

#include "../oracle/hw.h"
#include "../oracle/layout.h"
#include "bench.h"
#include "rng.h"

#define CALLS_MAX 256
#define RANGE_LEAVES 256
#define ROUNDS_MIN 8

/* Sizes that are measured, where the format has them. */
static const uint8_t sizes[] = { 12, 14, 16, 20, 21, 24, 25, 29, 30 };

/*
 * struct raw - one size being measured.
 *
 * @stride: from one call's range to the next
 */
struct raw {
	struct exec *x;
	const struct hw *hw;
	struct bench_row *row;
	bool observed;
	uint64_t base, bytes, stride, oa;
	unsigned prot;
	struct rng rng;
};

/* Where what is computed goes, so that it is computed. */
static volatile uint64_t raw_sink;

/*
 * The log is emptied before each call, and so is its cost part of the observer's. Without one this is done once for all calls: what an
 * operation has freed can be allocated again only by a later one.
 */
static void raw_begin(struct raw *r, unsigned i)
{
	if (r->observed || !i)
		mem_begin_op(&r->x->mem, UINT64_MAX, 0);
}

static int raw_map(struct raw *r)
{
	const struct engine_ops *ops = r->x->ops;
	uint64_t granules;
	unsigned i;
	int ret = 0;

	for (i = 0; i < r->row->calls; i++) {
		uint64_t at = i * r->stride;

		raw_begin(r, i);
		ret |= ops->map(r->x->engine, r->base + at, r->base + at + r->bytes - 1, r->oa + at, r->prot, &r->x->gather, &granules);
		ops->sync(r->x->engine, &r->x->gather);
	}
	return ret;
}

static int raw_unmap(struct raw *r)
{
	const struct engine_ops *ops = r->x->ops;
	uint64_t granules, sum = 0;
	unsigned i;
	int ret = 0;

	for (i = 0; i < r->row->calls; i++) {
		uint64_t iova = r->base + i * r->stride;

		raw_begin(r, i);
		ret |= ops->unmap(r->x->engine, iova, iova + r->bytes - 1, &r->x->gather, &granules);
		ops->sync(r->x->engine, &r->x->gather);
		sum += granules;
	}
	return ret || sum != r->row->calls * (r->bytes >> r->hw->item_lg2[0]) ? -EIO : 0;
}

static int raw_cut(struct raw *r)
{
	const struct engine_ops *ops = r->x->ops;
	uint64_t into = r->bytes / 2, small = r->x->cfg.pgsizes & -r->x->cfg.pgsizes;
	unsigned i;
	int ret = 0;

	if (r->row->leaves_nr == 1)
		into = r->bytes > small ? into + (into > small ? small : 0) : 0;
	for (i = 0; i < r->row->calls; i++) {
		raw_begin(r, i);
		ret |= ops->cut(r->x->engine, r->base + i * r->stride + into, &r->x->gather);
		ops->sync(r->x->engine, &r->x->gather);
	}
	return ret;
}

/* In another order than they were mapped in, anywhere inside them. */
static int raw_translate(struct raw *r)
{
	uint64_t oa, sum = 0;
	unsigned i;
	int ret = 0;

	for (i = 0; i < CALLS_MAX; i++) {
		uint64_t random = rng_next(&r->rng);

		raw_begin(r, i);
		ret |= r->x->ops->translate(r->x->engine, r->base + (random >> 32) % r->row->calls * r->stride + (random & (r->bytes - 1)),
					    &oa);
		sum += oa;
	}
	raw_sink = sum;
	return ret;
}

/* One round: a cut needs leaves that are whole, so that what it left is unmapped and mapped again. */
static int raw_round(struct raw *r, double best[BENCH_OPS_NR])
{
	uint64_t t[7];
	double ns[BENCH_OPS_NR];
	unsigned i;
	int ret, cut;

	t[0] = bench_now();
	ret = raw_map(r);
	t[1] = bench_now();
	ret |= raw_translate(r);
	t[2] = bench_now();
	ret |= raw_unmap(r);
	t[3] = bench_now();
	ret |= raw_map(r);
	t[4] = bench_now();
	cut = raw_cut(r);
	t[5] = bench_now();
	ret |= raw_unmap(r);
	ns[BENCH_MAP] = (double)(t[1] - t[0]) / r->row->calls;
	ns[BENCH_TRANSLATE] = (double)(t[2] - t[1]) / CALLS_MAX;
	ns[BENCH_UNMAP] = (double)(t[3] - t[2]) / r->row->calls;
	/* Where the configuration cannot cut there is nothing to measure. */
	ns[BENCH_CUT] = cut ? 0 : (double)(t[5] - t[4]) / r->row->calls;
	for (i = 0; i < BENCH_OPS_NR; i++)
		if (!best[i] || ns[i] < best[i])
			best[i] = ns[i];
	return ret ? -EIO : 0;
}

/* Where the calls of a row go. 0, or -ENOSPC: the configuration has no room for them. */
static int raw_place(struct raw *r, struct exec *x, const struct hw *hw, struct bench_row *row)
{
	uint64_t room = hw->has_low ? hw->iova_low_last : UINT64_MAX - hw->iova_high_first, oa_room = layout_mask(hw->oa_lg2);
	unsigned i;

	*r = (struct raw){ .x = x, .hw = hw, .row = row, .bytes = (uint64_t)row->leaves_nr << row->size_lg2 };
	/* Beside each other, above the first range; in the oa half its width further on, where there is room. */
	r->base = (hw->has_low ? 0 : hw->iova_high_first) + r->bytes;
	r->stride = r->bytes;
	if (oa_room < room)
		room = oa_room;
	row->calls = CALLS_MAX;
	while (row->calls && (row->calls + 2) * r->stride - 1 > room)
		row->calls /= 2;
	if (!row->calls)
		return -ENOSPC;
	r->oa = row->calls * r->stride < oa_room / 2 ? oa_room / 2 + 1 : 0;
	/* Off by one page, so that several leaves do not become one. */
	if (row->leaves_nr > 1)
		r->oa += UINT64_C(1) << row->size_lg2;
	for (i = 1; i <= PROT_ALL && !r->prot; i++)
		if ((i & PROT_R) && (i & PROT_W) && hw->format->expressible(hw, i))
			r->prot = i;
	rng_init(&r->rng, 1);
	return 0;
}

/* Without an observer, then with the log. */
static int raw_row(struct exec *x, const struct hw *hw, double seconds, struct bench_row *row)
{
	struct raw r;
	int ret = raw_place(&r, x, hw, row);
	uint64_t end;
	unsigned i;

	for (i = 0; i < 2 && !ret; i++) {
		unsigned rounds = 0;

		r.observed = i;
		mem_observe(&x->mem, r.observed);
		for (end = bench_now() + (uint64_t)(seconds * 1e9); !ret && (rounds < ROUNDS_MIN || bench_now() < end); rounds++)
			ret = raw_round(&r, row->ns[i]);
	}
	mem_observe(&x->mem, false);
	return ret;
}

/* One engine, then the other, round by round. */
static int raw_row_engines(struct exec x[2], const struct hw *hw, double seconds, struct bench_row *row)
{
	uint64_t end = bench_now() + (uint64_t)(seconds * 1e9);
	unsigned rounds = 0, i;
	struct raw r[2];
	int ret = 0;

	for (i = 0; i < 2 && !ret; i++)
		ret = raw_place(&r[i], &x[i], hw, row);
	for (; !ret && (rounds < ROUNDS_MIN || bench_now() < end); rounds++)
		for (i = 0; i < 2 && !ret; i++)
			ret = raw_round(&r[i], row->ns[i]);
	return ret;
}

/* Which rows this configuration has. */
static void raw_plan(const struct config *cfg, struct bench_raw *raw)
{
	unsigned i;

	memset(raw, 0, sizeof(*raw));
	for (i = 0; i < sizeof(sizes); i++) {
		bool common = sizes[i] == 12 || sizes[i] == 16 || sizes[i] == 21 || sizes[i] == 30;

		if (cfg->pgsizes >> sizes[i] & 1 && (common || __builtin_popcountll(cfg->pgsizes) <= 8))
			raw->rows[raw->nr++] = (struct bench_row){ .size_lg2 = sizes[i], .leaves_nr = 1 };
	}
	raw->rows[raw->nr++] = (struct bench_row){ .size_lg2 = (unsigned)__builtin_ctzll(cfg->pgsizes), .leaves_nr = RANGE_LEAVES };
}

int bench_raw(const struct config *cfg, const struct exec_options *options, double seconds, struct bench_raw *raw)
{
	struct exec_options bare = *options;
	const char *why;
	unsigned i;
	struct exec x;
	struct hw hw;
	int ret;

	bare.observed = false;
	if (hw_init(&hw, cfg, &why))
		return -EINVAL;
	ret = exec_init(&x, &bare, bench_found, &x);
	if (ret)
		return ret;
	raw_plan(cfg, raw);
	for (i = 0; i < raw->nr && !ret; i++) {
		ret = exec_open(&x, cfg, &why);
		if (ret)
			break;
		ret = raw_row(&x, &hw, seconds, &raw->rows[i]);
		if (ret == -ENOSPC)
			ret = 0;
		exec_close(&x);
	}
	exec_release(&x);
	return ret;
}

int bench_engines(const struct config *cfg, const struct exec_options *options, const char *const names[2], double seconds, struct bench_raw *raw)
{
	struct exec_options bare = *options;
	const char *why;
	struct exec x[2];
	unsigned i, k;
	struct hw hw;
	int ret = 0;

	bare.observed = false;
	if (hw_init(&hw, cfg, &why))
		return -EINVAL;
	if (exec_init(&x[0], &bare, bench_found, &x[0]))
		return -ENOMEM;
	if (exec_init(&x[1], &bare, bench_found, &x[1])) {
		exec_release(&x[0]);
		return -ENOMEM;
	}
	raw_plan(cfg, raw);
	for (i = 0; i < raw->nr && !ret; i++) {
		for (k = 0; k < 2 && !ret; k++) {
			ret = engine_choose(names[k]);
			if (!ret)
				ret = exec_open(&x[k], cfg, &why);
		}
		if (ret)
			break;
		ret = raw_row_engines(x, &hw, seconds, &raw->rows[i]);
		if (ret == -ENOSPC)
			ret = 0;
		exec_close(&x[0]);
		exec_close(&x[1]);
	}
	exec_release(&x[0]);
	exec_release(&x[1]);
	return ret;
}
