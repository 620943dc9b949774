/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_readers.c - what it costs a reader of hitless stress to be in a read section, and to judge what it sees: on tables at rest. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "options.h"
#include "stress_run.h"

#define READERS_ARENA_BYTES (UINT64_C(64) << 20)
#define READERS_OPS 600 /* of one writer, before the tables are at rest */
#define READERS_BATCH 2048
#define READERS_ROUNDS_MIN 16

/* Where what is computed goes, so that it is computed. */
static volatile uint64_t readers_sink;

/* Of iovas that a reader chooses, and as it chooses them: otherwise the walks would be others. */
static __attribute__((noinline)) void readers_walks(struct stress_reader *r, unsigned nr)
{
	struct stress_domain *d = r->d;
	uint64_t sink = 0, root;
	unsigned level;
	struct walk w;

	while (nr--) {
		uint64_t iova = flat_iova(&d->flat, stress_pick(r)) + (rng_next(&r->rng) & layout_mask(d->flat.page_lg2));

		root = stress_domain_root(d, &level);
		walk(&d->oracle.hw, &d->x.mem.view, root, level, iova, &w);
		sink += w.oa;
	}
	readers_sink = sink;
}

static void readers_bare(struct stress_reader *r)
{
	unsigned i;

	for (i = 0; i < READERS_BATCH / STRESS_SECTION_NR; i++)
		readers_walks(r, STRESS_SECTION_NR);
}

static void readers_inside(struct stress_reader *r)
{
	unsigned i;

	for (i = 0; i < READERS_BATCH / STRESS_SECTION_NR; i++) {
		grace_enter(r->grace);
		readers_walks(r, STRESS_SECTION_NR);
		grace_leave(r->grace);
	}
}

static void readers_judged(struct stress_reader *r)
{
	unsigned i;

	for (i = 0; i < READERS_BATCH / STRESS_SECTION_NR; i++)
		stress_section(r);
}

/* Nanoseconds of processor time of one translation, the shortest round; the three take turns, so that other load hits them alike. */
static void readers_measure(struct stress_reader *r, double seconds, double ns[BENCH_READERS_NR])
{
	static void (*const rounds[BENCH_READERS_NR])(struct stress_reader *) = { readers_bare, readers_inside, readers_judged };
	uint64_t end = bench_now() + (uint64_t)(seconds * 1e9);
	unsigned i, round;

	for (i = 0; i < BENCH_READERS_NR; i++)
		ns[i] = 0;
	for (round = 0; round < READERS_ROUNDS_MIN || bench_now() < end; round++) {
		for (i = 0; i < BENCH_READERS_NR; i++) {
			uint64_t start = bench_cpu();
			double taken;

			rounds[i](r);
			taken = (double)(bench_cpu() - start) / READERS_BATCH;
			if (!round || taken < ns[i])
				ns[i] = taken;
		}
	}
}

/* One domain that a writer has left as it happened to be. */
static int readers_domain(struct stress_domain *d, struct stress_writer *w, const struct config *cfg, uint64_t seed, double seconds,
			  struct bench_readers *n)
{
	struct grace grace = { 0 };
	struct stress_reclaim reclaim;
	struct stress_reader r;
	const char *why;
	struct rng rng;
	uint64_t left;
	unsigned i;
	int ret;

	rng_init(&rng, seed);
	ret = stress_domain_open(d, cfg, 1, PAUSE_NONE, stress_writer_hooks(PAUSE_NONE), &rng, &why);
	if (!ret)
		ret = stress_reclaim_init(&reclaim, &d->x.mem, &grace);
	if (ret)
		return ret;
	stress_writer_init(w, d, &reclaim, 0, READERS_OPS, rng_next(&rng));
	d->go = true;
	stress_writer_main(w);
	stress_reclaim_drain(&reclaim);
	n->pages = d->flat.nr;
	for (i = 0; i < GRACE_NR && !stress_domain_taken(d); i++) {
		grace.flavour = (enum grace_flavour)i;
		r = (struct stress_reader){ .d = d, .grace = &grace };
		rng_init(&r.rng, rng_next(&rng));
		stress_pause_init(&r.pauser, PAUSE_NONE, 0);
		grace_register(&grace);
		readers_measure(&r, seconds, n->ns[i]);
		grace_unregister(&grace);
	}
	ret = stress_domain_taken(d) ? -1 : 0;
	stress_writer_release(w);
	stress_reclaim_release(&reclaim);
	if (ret)
		stress_domain_abandon(d);
	else
		stress_domain_close(d, &left);
	return ret;
}

/* Beside a writer: what is left of it depends on the machine's load and processors, and is only reported. */
static int readers_busy(const struct config *cfg, uint64_t seed, double seconds, struct bench_readers *n)
{
	struct stress_plan plan = {
		.readers_nr = 1, .writers_nr = 1, .hang_seconds = 20, .reclaim = RECLAIM_CALL, .exec = exec_defaults, .out = "findings"
	};
	struct stress_run *run;
	unsigned i;
	int ret = 0;

	for (i = 0; i < GRACE_NR && !ret; i++) {
		const uint64_t *kinds;

		run = calloc(1, sizeof(*run));
		if (!run)
			return -1;
		plan.flavour = (enum grace_flavour)i;
		run->configs[0] = (struct stress_config){ .cfg = *cfg, .divides = true };
		run->configs_nr = 1;
		ret = stress_run_init(run, &plan, seed);
		if (!ret)
			ret = stress_run_until(run, bench_now() + (uint64_t)(seconds * 1e9), NULL, NULL);
		kinds = run->total.deeds.kinds;
		n->busy[i] = (double)run->total.counts.translations / run->total.seconds;
		n->busy_operations[i] = (double)(kinds[CALL_MAP] + kinds[CALL_CUT] + kinds[CALL_UNMAP]) / run->total.seconds;
		/* What runs there still may use what would be given back. */
		if (!ret && (run->hung || stress_domain_taken(&run->d)))
			return complain(-1, "%s: %s; hitless stress says more", cfg->format, run->d.evidence.v.text);
		stress_run_release(run);
		free(run);
	}
	return ret;
}

int bench_readers(const struct config *cfg, uint64_t seed, double seconds, struct bench_readers *readers)
{
	struct stress_domain *d = malloc(sizeof(*d));
	struct stress_writer *w = calloc(1, sizeof(*w));
	int ret = -1;

	memset(readers, 0, sizeof(*readers));
	if (w)
		w->log = calloc(STRESS_OPS_MAX, sizeof(*w->log));
	if (d && w && w->log && !stress_domain_init(d, READERS_ARENA_BYTES, bench_found, NULL)) {
		ret = readers_domain(d, w, cfg, seed, seconds, readers);
		stress_domain_release(d);
	}
	if (!ret)
		ret = readers_busy(cfg, seed, seconds, readers);
	if (w)
		free(w->log);
	free(w);
	free(d);
	return ret;
}
