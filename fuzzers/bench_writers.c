/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_writers.c - hitless bench: how many interleavings of two writers are run and checked per second. */
#include <string.h>

#include "bench.h"
#include "interleave.h"
#include "pct.h"

/* Two maps side by side in a table that is not there yet, on a domain of its own each time: the round that races most. */
static void writers_domain(struct exec *x, const struct config *cfg)
{
	uint64_t page = cfg->pgsizes & -cfg->pgsizes;
	struct op op = { .kind = OP_MAP, .thread = 1, .prot = PROT_R | PROT_W };
	const char *why;

	exec_open(x, cfg, &why);
	op.iova = x->check.hw.has_low ? 0 : x->check.hw.iova_high_first;
	op.last = op.iova + page - 1;
	op.oa = 8 * page;
	exec_op(x, &op);
	op.thread = 2;
	op.iova += page;
	op.last += page;
	op.oa = 16 * page;
	exec_op(x, &op);
}

int bench_writers(const struct config *cfg, const struct exec_options *options, uint64_t seed, double seconds, struct bench_writers *n)
{
	struct exec x;
	struct rng rng;
	struct interleave it;
	bool more;

	memset(n, 0, sizeof(*n));
	if (exec_init(&x, options, bench_found, NULL))
		return -1;
	rng_init(&rng, seed);
	for (n->ns = bench_now(); (double)(bench_now() - n->ns) < seconds * 1e9; n->rounds++) {
		struct op op = { .kind = OP_SWITCH };
		struct pct pct;

		writers_domain(&x, cfg);
		pct_init(&pct, &rng);
		round_choose(&x, pct_choose, &pct, &op);
		exec_op(&x, &op);
		n->primitives += x.round->w[0].points + x.round->w[1].points;
		exec_close(&x);
	}
	n->ns = bench_now() - n->ns;
	interleave_init(&it, false);
	do {
		struct op op = { .kind = OP_SWITCH };

		writers_domain(&x, cfg);
		interleave_begin(&it, &x, &op);
		exec_op(&x, &op);
		more = interleave_more(&it);
		exec_close(&x);
	} while (more);
	n->schedules = it.runs;
	interleave_release(&it);
	exec_release(&x);
	return 0;
}
