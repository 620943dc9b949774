/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_proof.c - what proving an operation costs beside doing it, and what each check costs apart. */
#include <errno.h>
#include <string.h>

#include "bench.h"

#define CALLS_MAX 64
#define ROUNDS_MIN 8

/*
 * struct proof - one size.
 *
 * @x: [0] the bare engine, [1] everything checked; the same operations on both
 */
struct proof {
	struct exec *x[2];
	struct bench_proof_row *row;
	uint64_t base, bytes, oa;
	unsigned prot;
};

/* One operation on each leaf; returns the nanoseconds of a call, 0 if one was refused. */
static double proof_calls(const struct proof *p, unsigned checked, enum op_kind kind)
{
	uint64_t small = UINT64_C(1) << p->row->granule_lg2, start = bench_now();
	bool refused = false;
	unsigned i;

	for (i = 0; i < p->row->calls; i++) {
		struct op op = { .kind = kind, .prot = (uint8_t)p->prot, .iova = p->base + i * p->bytes };

		op.last = op.iova + p->bytes - 1;
		op.oa = p->oa + i * p->bytes;
		if (kind == OP_CUT)
			op.iova += p->bytes / 2 + (p->bytes / 2 > small ? small : 0);
		refused |= exec_op(p->x[checked], &op) != EXEC_DONE;
	}
	return refused ? 0 : (double)(bench_now() - start) / p->row->calls;
}

static void proof_best(double *best, double ns)
{
	if (ns > 0 && (!*best || ns < *best))
		*best = ns;
}

/* Map, unmap, map again, cut, and unmap what that left. */
static void proof_round(const struct proof *p, unsigned checked)
{
	struct bench_proof_row *row = p->row;

	proof_best(&row->ns[checked][BENCH_MAP], proof_calls(p, checked, OP_MAP));
	proof_best(&row->ns[checked][BENCH_UNMAP], proof_calls(p, checked, OP_UNMAP));
	if (row->size_lg2 == row->granule_lg2)
		return;
	proof_calls(p, checked, OP_MAP);
	proof_best(&row->ns[checked][BENCH_CUT], proof_calls(p, checked, OP_CUT));
	proof_calls(p, checked, OP_UNMAP);
}

static void proof_row(struct proof *p, double seconds)
{
	const struct hw *hw = &p->x[1]->check.hw;
	uint64_t room = hw->has_low ? hw->iova_low_last : UINT64_MAX - hw->iova_high_first, oa_room = layout_mask(hw->oa_lg2), end;
	unsigned i, rounds;

	if (oa_room < room)
		room = oa_room;
	p->bytes = UINT64_C(1) << p->row->size_lg2;
	p->base = (hw->has_low ? 0 : hw->iova_high_first) + p->bytes;
	p->row->calls = CALLS_MAX >> (p->row->size_lg2 > 24 ? 3 : 0);
	while (p->row->calls && (p->row->calls + 1) * p->bytes - 1 > room)
		p->row->calls /= 2;
	p->oa = 0;
	for (i = 0; i < 2; i++)
		for (rounds = 0, end = bench_now() + (uint64_t)(seconds * 1e9); rounds < ROUNDS_MIN || bench_now() < end; rounds++)
			proof_round(p, i);
}

int bench_proof(const struct config *cfg, const struct exec_options *options, double seconds, struct bench_proof *proof)
{
	static const uint8_t sizes[] = { 12, 14, 16, 21, 25, 30 };
	struct exec_options bare = *options;
	struct exec x[2];
	struct proof p = { .x = { &x[0], &x[1] } };
	const char *why;
	unsigned i;
	int ret;

	memset(proof, 0, sizeof(*proof));
	bare.observed = false;
	ret = exec_init(&x[0], &bare, bench_found, &x[0]);
	if (ret)
		return ret;
	ret = exec_init(&x[1], options, bench_found, &x[1]);
	if (!ret)
		ret = exec_open(&x[0], cfg, &why);
	if (!ret)
		ret = exec_open(&x[1], cfg, &why);
	if (ret)
		return ret;
	for (i = PROT_ALL; i; i--)
		if ((i & PROT_R) && (i & PROT_W) && x[1].check.hw.format->expressible(&x[1].check.hw, i))
			p.prot = i;
	for (i = 0; i < sizeof(sizes); i++) {
		if (!(cfg->pgsizes >> sizes[i] & 1))
			continue;
		p.row = &proof->rows[proof->nr++];
		p.row->size_lg2 = sizes[i];
		p.row->granule_lg2 = (unsigned)__builtin_ctzll(cfg->pgsizes);
		proof_row(&p, seconds);
	}
	exec_close(&x[1]);
	exec_close(&x[0]);
	exec_release(&x[1]);
	exec_release(&x[0]);
	return 0;
}

int bench_checks(const struct config *cfg, const struct exec_options *options, uint64_t seed, uint64_t ops, double cpu_ns[BENCH_CHECKS_NR])
{
	struct exec_options some = *options;
	struct bench_checked checked;
	unsigned i;
	int ret = 0;

	for (i = 0; i < BENCH_CHECKS_NR && !ret; i++) {
		some.checks = i < CHECK_NR ? 1u << i : i == BENCH_CHECKS_ALL ? options->checks : 0;
		ret = bench_checked(cfg, &some, seed, ops, true, &checked);
		cpu_ns[i] = (double)checked.cpu_ns / (double)checked.operations;
	}
	return ret;
}
