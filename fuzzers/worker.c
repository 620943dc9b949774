/* SPDX-License-Identifier: GPL-2.0-or-later */
/* worker.c - a campaign's worker process. */
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gen_round.h"
#include "mutate.h"
#include "pct.h"
#include "round.h"
#include "run.h"

/*
 * Of so many domains all but one have rounds of several writers, at most so many. They are short, since tables are made and the top grows in a
 * fresh one; that is about a quarter of the time.
 */
#define WORKER_ROUNDS_BUT_ONE_IN 16
#define WORKER_ROUNDS_MAX_LG2 5

/* With plan.mutate: of so many domains one is an earlier one, changed; of so many of those one has that one's configuration, one something of two. */
#define WORKER_MUTATED_ONE_IN 2
#define WORKER_MUTATED_THERE_ONE_IN 2
#define WORKER_MUTATED_CROSSED_ONE_IN 4

/*
 * The domain that this process runs now; a finding ends the process.
 *
 * @counted: with plan.mutate: of its operations so many have been counted as coverage
 */
static struct {
	const struct plan *plan;
	struct worker *w;
	struct exec x;
	struct gen gen;
	struct mutator mutator;
	struct feedback feedback;
	uint64_t counted;
} worker_now;

static void worker_account(struct worker_stats *s, const struct exec *x)
{
	const struct check *c = &x->check;
	unsigned i;

	s->twin_items += x->twin_items;

	s->leaves += c->leaves;
	s->cost.commands += c->cost.commands;
	s->cost.spare += c->cost.spare;
	s->cost.syncs += c->cost.syncs;
	s->cost.spare_syncs += c->cost.spare_syncs;
	for (i = 0; i < CHECK_NR; i++)
		s->comparisons[i] += c->comparisons[i];
}

/* On disk first: whatever happens to this process or its parent after that, the finding stays. */
static void worker_found(void *arg, const struct verdict *v, const struct op *op)
{
	struct worker *w = worker_now.w;
	struct trace t;
	char path[4096];

	(void)arg;
	finding_make(&w->finding, &worker_now.x, v, op);
	worker_account(&w->stats[w->config.format_idx], &worker_now.x);
	t = (struct trace){ .cfg = w->config.cfg, .ops = w->ops, .nr = w->ops_nr };
	if (worker_now.plan->dir)
		finding_save(&w->finding, &t, worker_now.plan->dir, path, sizeof(path));
	__atomic_store_n(&w->found, true, __ATOMIC_RELEASE);
	_exit(WORKER_FOUND);
}

static uint64_t worker_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Statistics of one operation that has returned; the log is still that of the operation. */
static void worker_count(struct worker_stats *s, const struct op *op, enum exec_status status)
{
	const struct mem_view *view = &worker_now.x.mem.view;
	size_t i;

	s->operations++;
	s->refused += status == EXEC_REFUSED;
	s->skipped += status == EXEC_SKIPPED;
	for (i = 0; status != EXEC_SKIPPED && op->devices_nr && i < view->events_nr; i++)
		s->turns += view->events[i].kind == MEM_DEVICE;
	for (i = 0; status == EXEC_REFUSED && op->fail && i < view->events_nr; i++)
		s->no_memory += view->events[i].kind == MEM_ALLOC_FAIL;
	if (status != EXEC_DONE)
		return;
	for (i = 0; i < view->events_nr; i++)
		s->stores += view->events[i].kind <= MEM_CAS ? view->events[i].nr : 0;
	s->splits += op->kind == OP_CUT && view->events_nr;
	s->maps_done += op->kind == OP_MAP;
	if (op->kind == OP_UNMAP && view->events_nr) {
		s->unmaps++;
		/* Partial: something of the piece that was cut into is still there. */
		s->unmaps_partial +=
			imap_find(&worker_now.x.check.im, op->iova - 1, NULL) || imap_find(&worker_now.x.check.im, op->last + 1, NULL);
	}
}

/*
 * Turn choices that any configuration may be combined with: deferred invalidation, negative caching, generic commands, the other order of
 * stores, where the tables lie. What the format refuses together is left as it was.
 */
static void worker_vary(struct rng *rng, struct config *cfg)
{
	const struct engine_ops *ops = engine_find(cfg->format);
	struct config varied = *cfg;
	const char *why;

	if (!rng_below(rng, 6))
		varied.defer = 1;
	if (!rng_below(rng, 6))
		varied.negcache = 1;
	if (!rng_below(rng, 8))
		varied.tlb = TLB_GENERIC;
	if (cfg->coherent && !rng_below(rng, 4))
		varied.model = cfg->model == MODEL_STRONG ? MODEL_WEAK : MODEL_STRONG;
	if (!rng_below(rng, 2))
		varied.tables = (uint8_t)rng_below(rng, TABLES_NR);
	if (!ops->resolve(&varied, &why))
		*cfg = varied;
}

/* Run op, the last of the domain's operations so far. */
static enum exec_status worker_run(const struct worker *w, const struct op *op)
{
	enum exec_status status;

	if (!w->pool || w->ops_nr > POOL_OPS_MAX)
		return exec_op(&worker_now.x, op);
	feedback_begin(&worker_now.feedback, op);
	status = exec_op(&worker_now.x, op);
	feedback_op(&worker_now.feedback, &worker_now.x, op, status);
	if (status != EXEC_WAITS)
		worker_now.counted = w->ops_nr;
	return status;
}

/* What a round of nr operations has come to that has run as last says. */
static void worker_count_round(struct worker_stats *s, unsigned nr, const struct op *last)
{
	uint64_t points = 0;
	unsigned i;

	for (i = 0; i < nr; i++)
		points += worker_now.x.round->w[i].points;
	s->operations += nr;
	s->rounds.nr++;
	s->rounds.operations += nr;
	s->rounds.switches += last->switches_nr;
	s->rounds.points += points;
	s->rounds.longest = points > s->rounds.longest ? points : s->rounds.longest;
	s->rounds.most = nr > s->rounds.most ? nr : s->rounds.most;
}

/* Let several writers run at the same time, as priorities drawn for it say. The operations are where they can be minimized, whatever happens. */
static void worker_round(struct worker *w, struct worker_stats *s, struct rng *rng)
{
	struct op ops[MEM_WRITERS_MAX], *last;
	unsigned nr = gen_round(&worker_now.gen, ops), i;
	struct pct pct;

	if (!nr)
		return;
	for (i = 0; i < nr; i++) {
		w->ops[w->ops_nr] = ops[i];
		__atomic_store_n(&w->ops_nr, w->ops_nr + 1, __ATOMIC_RELEASE);
		worker_run(w, &ops[i]);
	}
	last = &w->ops[w->ops_nr];
	memset(last, 0, sizeof(*last));
	last->kind = OP_SWITCH;
	__atomic_store_n(&w->ops_nr, w->ops_nr + 1, __ATOMIC_RELEASE);
	pct_init(&pct, rng);
	round_choose(&worker_now.x, pct_choose, &pct, last);
	if (worker_run(w, last) == EXEC_SKIPPED) {
		w->ops_nr -= nr + 1;
		return;
	}
	w->ops_left -= nr;
	worker_count_round(s, nr, last);
}

static bool worker_goes_on(const struct worker *w)
{
	return w->ops_left && !__atomic_load_n(&w->stop, __ATOMIC_RELAXED);
}

static void worker_generated(struct worker *w, struct worker_stats *s)
{
	struct op *op = &w->ops[w->ops_nr];

	gen_next(&worker_now.gen, op);
	__atomic_store_n(&w->ops_nr, w->ops_nr + 1, __ATOMIC_RELEASE);
	worker_count(s, op, worker_run(w, op));
	w->ops_left--;
}

/* A short domain in which several writers run at the same time, two times out of three. */
static void worker_rounds(struct worker *w, struct worker_stats *s, struct rng *rng)
{
	uint64_t steps = UINT64_C(1) << rng_below(rng, WORKER_ROUNDS_MAX_LG2 + 1);

	for (; steps && worker_goes_on(w); steps--) {
		if (w->ops_left >= MEM_WRITERS_MAX && rng_below(rng, 3))
			worker_round(w, s, rng);
		else
			worker_generated(w, s);
	}
}

/*
 * An earlier trace is changed: mutator.to becomes the operations of this domain, and w->config its configuration, unless the trace is to be tried on
 * the one that is there. False: there is none yet.
 */
static bool worker_mutate(struct worker *w, struct rng *rng)
{
	const struct pool_trace *of = pool_pick(w->pool, rng), *other;
	struct mutator *m = &worker_now.mutator;

	if (!of)
		return false;
	rng_init(&m->rng, rng_next(rng));
	m->others.nr = 0;
	if (!rng_below(rng, WORKER_MUTATED_CROSSED_ONE_IN)) {
		other = pool_pick(w->pool, rng);
		mutate_take(m, &other->cfg, other->ops, other->nr, &m->others);
	}
	mutate_take(m, &of->cfg, of->ops, of->nr, &m->items);
	if (!rng_below(rng, WORKER_MUTATED_THERE_ONE_IN))
		w->config = (struct plan_config){ .cfg = of->cfg, .format_idx = of->format };
	m->cfg = m->resolved = w->config.cfg;
	mutate_trace(m);
	return true;
}

/* The operations that worker_mutate has made. What may not run here does not stay among those of the domain. */
static void worker_mutated(struct worker *w, struct worker_stats *s)
{
	const struct trace *t = &worker_now.mutator.to;
	enum exec_status status;
	struct op *op;
	unsigned nr;
	size_t i;

	for (i = 0; i < t->nr; i++) {
		nr = (unsigned)ops_waiting(w->ops, w->ops_nr);
		/* A round is run to its end. */
		if (!nr && (!worker_goes_on(w) || (t->ops[i].thread && w->ops_left < MEM_WRITERS_MAX)))
			break;
		if (pick_is_huge(&worker_now.x.check.hw, &t->ops[i]))
			continue;
		op = &w->ops[w->ops_nr];
		*op = t->ops[i];
		__atomic_store_n(&w->ops_nr, w->ops_nr + 1, __ATOMIC_RELEASE);
		status = worker_run(w, op);
		if (status == EXEC_SKIPPED) {
			w->ops_nr -= op->kind == OP_SWITCH ? 1 + nr : 1;
		} else if (op->kind == OP_SWITCH) {
			w->ops_left -= nr;
			worker_count_round(s, nr, op);
		} else if (status != EXEC_WAITS) {
			w->ops_left--;
			worker_count(s, op, status);
		}
	}
	s->mutated++;
}

/* Of the plan's configurations one, drawn. */
static void worker_config(const struct plan *plan, struct worker *w, struct rng *rng)
{
	const struct plan_config *configs = plan->real;
	unsigned nr = plan->real_nr;

	if (plan->tiny_nr && (!nr || rng_below(rng, 2))) {
		configs = plan->tiny;
		nr = plan->tiny_nr;
	}
	w->config = configs[rng_below(rng, nr)];
	if (plan->vary)
		worker_vary(rng, &w->config.cfg);
}

/* One domain: configuration, length and operations follow from the campaign's seed and the domain's number. */
static void worker_domain(const struct plan *plan, struct worker *w)
{
	uint64_t seed = plan->seed ^ w->domain * UINT64_C(0x9e3779b97f4a7c15), ops, start = worker_ns();
	struct worker_stats *s;
	const char *why = "";
	struct rng rng;
	bool mutated;

	rng_init(&rng, seed);
	worker_config(plan, w, &rng);
	w->ops_nr = 0;
	ops = UINT64_C(128) << rng_below(&rng, 8);
	mutated = w->pool && !rng_below(&rng, WORKER_MUTATED_ONE_IN) && worker_mutate(w, &rng);
	s = &w->stats[w->config.format_idx];
	if (exec_open(&worker_now.x, &w->config.cfg, &why)) {
		fprintf(stderr, "hitless: %s: %s\n", w->config.cfg.format, why);
		_exit(WORKER_FAULT);
	}
	gen_init(&worker_now.gen, rng_next(&rng), rng_below(&rng, 8) || plan->profile == GEN_BASELINE ? plan->profile : GEN_DEFAULT, &worker_now.x.check.im,
		 &worker_now.x.check.hw);
	if (w->pool) {
		pool_begin(w->pool);
		feedback_open(&worker_now.feedback, &worker_now.x, w->pool->counters);
		worker_now.counted = 0;
	}
	if (mutated)
		worker_mutated(w, s);
	else if (plan->rounds && rng_below(&rng, WORKER_ROUNDS_BUT_ONE_IN))
		worker_rounds(w, s, &rng);
	else
		for (; ops && worker_goes_on(w); ops--)
			worker_generated(w, s);
	exec_close(&worker_now.x);
	if (w->pool)
		pool_end(w->pool, &w->config.cfg, w->config.format_idx, w->ops, worker_now.counted);
	worker_account(s, &worker_now.x);
	s->domains++;
	s->ns += worker_ns() - start;
}

void worker_main(const struct plan *plan, struct worker *w)
{
	run_guard();
	worker_now.plan = plan;
	worker_now.w = w;
	mutator_init(&worker_now.mutator, NULL, NULL);
	worker_now.mutator.rounds = plan->rounds;
	if (exec_init(&worker_now.x, &plan->exec, worker_found, NULL)) {
		fprintf(stderr, "hitless: no memory for the arena\n");
		_exit(WORKER_FAULT);
	}
	while (w->ops_left && !__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		worker_domain(plan, w);
		w->domain += plan->jobs;
	}
	_exit(WORKER_DONE);
}
