/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_checked.c - what an operation costs with everything checked: the default mix, and small operations among many pieces. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "finding.h"
#include "gen.h"
#include "options.h"

#define DOMAIN_OPS 2048 /* the upper median of the domains of a campaign */
#define SCALE_VISITS 20000
#define SLOT_UNITS 16 /* smallest pages from one piece to the next; half of them mapped */

static uint64_t bench_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t bench_now(void)
{
	return bench_clock(CLOCK_MONOTONIC);
}

uint64_t bench_cpu(void)
{
	return bench_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void bench_found(void *arg, const struct verdict *v, const struct op *op)
{
	static struct finding f;

	finding_make(&f, arg, v, op);
	complain(EXIT_FINDING, "a finding while measuring:\n%s", f.report);
	exit(EXIT_FINDING);
}

/* --- the default mix --- */

/* What the operation will do to pieces: whether it may leave part of one. */
static bool checked_is_partial(const struct imap *im, const struct op *op)
{
	const struct imap_piece *first = imap_find(im, op->iova, NULL), *last = imap_find(im, op->last, NULL);

	return (first && first->iova != op->iova) || (last && last->last != op->last);
}

/* The operation has returned; the log is still its. */
static void checked_count(struct bench_checked *n, const struct exec *x, const struct op *op, enum exec_status status, bool partial)
{
	uint64_t stores = 0;
	size_t i;

	n->refused += status == EXEC_REFUSED;
	n->skipped += status == EXEC_SKIPPED;
	if (status == EXEC_SKIPPED)
		return;
	for (i = 0; i < x->mem.view.events_nr; i++)
		stores += x->mem.view.events[i].kind <= MEM_CAS ? x->mem.view.events[i].nr : 0;
	n->stores += stores;
	n->splits += op->kind == OP_CUT && status == EXEC_DONE && stores;
	n->maps += op->kind == OP_MAP && status == EXEC_DONE;
	n->unmaps += op->kind == OP_UNMAP && stores;
	n->partial += op->kind == OP_UNMAP && stores && partial;
}

/* One domain of the mix. counts: NULL while it is timed. */
static int checked_domain(struct exec *x, const struct config *cfg, uint64_t seed, uint64_t ops, bool cuts, struct bench_checked *counts)
{
	struct gen gen;
	const char *why;
	struct op op;
	unsigned i;
	int ret = exec_open(x, cfg, &why);

	if (ret)
		return ret;
	gen_init(&gen, seed, GEN_DEFAULT, &x->check.im, &x->check.hw);
	for (; ops; ops--) {
		bool partial;

		do
			gen_next(&gen, &op);
		while (op.kind == OP_CUT && !cuts);
		if (!counts) {
			exec_op(x, &op);
			continue;
		}
		partial = op.kind == OP_UNMAP && checked_is_partial(&x->check.im, &op);
		checked_count(counts, x, &op, exec_op(x, &op), partial);
	}
	exec_close(x);
	if (!counts)
		return 0;
	counts->leaves += x->check.leaves;
	for (i = 0; i < CHECK_NR; i++)
		counts->comparisons[i] += x->check.comparisons[i];
	return 0;
}

static int checked_pass(struct exec *x, const struct config *cfg, uint64_t seed, uint64_t ops, bool cuts, struct bench_checked *counts)
{
	uint64_t done;
	int ret = 0;

	for (done = 0; done < ops && !ret; done += DOMAIN_OPS)
		ret = checked_domain(x, cfg, seed + done, ops - done < DOMAIN_OPS ? ops - done : DOMAIN_OPS, cuts, counts);
	return ret;
}

int bench_checked(const struct config *cfg, const struct exec_options *options, uint64_t seed, uint64_t ops, bool cuts,
		  struct bench_checked *checked)
{
	uint64_t start, cpu;
	struct exec x;
	int ret;

	memset(checked, 0, sizeof(*checked));
	checked->operations = ops;
	ret = exec_init(&x, options, bench_found, &x);
	if (ret)
		return ret;
	/* What the first touch of the arena costs is not the operations'. */
	ret = checked_pass(&x, cfg, seed, ops < DOMAIN_OPS ? ops : DOMAIN_OPS, cuts, NULL);
	start = bench_now();
	cpu = bench_cpu();
	if (!ret)
		ret = checked_pass(&x, cfg, seed, ops, cuts, NULL);
	checked->ns = bench_now() - start;
	checked->cpu_ns = bench_cpu() - cpu;
	if (!ret)
		ret = checked_pass(&x, cfg, seed, ops, cuts, checked);
	exec_release(&x);
	return ret;
}

/* --- many pieces --- */

/* @base: where the first slot starts; @small_lg2: the smallest page */
struct slots {
	struct exec *x;
	uint64_t base, nr;
	unsigned small_lg2, prot;
	struct rng rng;
};

/* Part of a slot's piece: units first to last. */
static void slot_map(struct slots *s, uint64_t slot, unsigned first, unsigned last)
{
	uint64_t iova = s->base + ((slot * SLOT_UNITS) << s->small_lg2);
	struct op op = { .kind = OP_MAP,
			 .prot = (uint8_t)s->prot,
			 .iova = iova + ((uint64_t)first << s->small_lg2),
			 .last = iova + ((uint64_t)(last + 1) << s->small_lg2) - 1 };

	/* Shifted by one page, so that it is never the iova and all leaves are smallest pages. */
	op.oa = ((slot * SLOT_UNITS + first + 1) << s->small_lg2) & layout_mask(s->x->check.hw.oa_lg2);
	exec_op(s->x, &op);
}

static void slot_op(struct slots *s, uint64_t slot, enum op_kind kind, unsigned first, unsigned last)
{
	uint64_t iova = s->base + ((slot * SLOT_UNITS) << s->small_lg2);

	exec_op(s->x, &(struct op){ .kind = (uint8_t)kind,
				    .iova = iova + ((uint64_t)first << s->small_lg2),
				    .last = iova + ((uint64_t)(last + 1) << s->small_lg2) - 1 });
}

/* Five operations at each of so many random places. The number of live pieces stays. Returns how many operations. */
static uint64_t slots_visit(struct slots *s, unsigned visits)
{
	uint64_t ops = s->x->ops_nr;

	for (; visits; visits--) {
		uint64_t slot = rng_next(&s->rng) % s->nr;
		unsigned at = 1 + rng_below(&s->rng, SLOT_UNITS / 2 - 1);

		slot_op(s, slot, OP_TRANSLATE, at, at);
		slot_op(s, slot, OP_CUT, at, at);
		slot_op(s, slot, OP_UNMAP, 0, at - 1);
		slot_op(s, slot, OP_UNMAP, at, SLOT_UNITS / 2 - 1);
		slot_map(s, slot, 0, SLOT_UNITS / 2 - 1);
	}
	return s->x->ops_nr - ops;
}

/* scripts/bench-instructions counts what is executed in here. */
__attribute__((noinline)) uint64_t bench_scale_measured(struct slots *s);

uint64_t bench_scale_measured(struct slots *s)
{
	return slots_visit(s, SCALE_VISITS);
}

static void scale_run(struct slots *s, uint64_t pieces, struct bench_scale *scale)
{
	const struct hw *hw = &s->x->check.hw;
	uint64_t room = hw->has_low ? hw->iova_low_last : UINT64_MAX - hw->iova_high_first, i, start, cpu;

	s->base = hw->has_low ? 0 : hw->iova_high_first;
	s->small_lg2 = (unsigned)__builtin_ctzll(hw->cfg.pgsizes);
	s->nr = pieces;
	if (layout_mask(hw->oa_lg2) < room)
		room = layout_mask(hw->oa_lg2);
	if (s->nr > (room >> s->small_lg2) / SLOT_UNITS)
		s->nr = (room >> s->small_lg2) / SLOT_UNITS;
	for (s->prot = PROT_R | PROT_W; !hw->format->expressible(hw, s->prot) && s->prot < PROT_ALL; s->prot++)
		;
	for (i = 0; i < s->nr; i++)
		slot_map(s, i, 0, SLOT_UNITS / 2 - 1);
	/* Sweeps are measured by themselves. */
	s->x->sweep_at = UINT64_MAX;
	scale->pieces = s->x->check.im.nr;
	scale->bytes = s->x->check.im.bytes;
	slots_visit(s, SCALE_VISITS / 10);
	start = bench_now();
	cpu = bench_cpu();
	scale->operations = bench_scale_measured(s);
	scale->ns = bench_now() - start;
	scale->cpu_ns = bench_cpu() - cpu;
	start = bench_now();
	check_all(&s->x->check);
	scale->sweep_ns = bench_now() - start;
}

int bench_scale(const struct config *cfg, const struct exec_options *options, uint64_t seed, uint64_t pieces, struct bench_scale *scale)
{
	struct slots s = { 0 };
	const char *why;
	struct exec x;
	int ret = exec_init(&x, options, bench_found, &x);

	memset(scale, 0, sizeof(*scale));
	if (ret)
		return ret;
	ret = exec_open(&x, cfg, &why);
	if (!ret) {
		s.x = &x;
		rng_init(&s.rng, seed);
		scale_run(&s, pieces, scale);
		exec_close(&x);
		ret = scale->pieces == s.nr ? 0 : -ENOMEM;
	}
	exec_release(&x);
	return ret;
}
