/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_run.c - the threads of a stress run. Each domain has its own, so that nothing needs to be said between them but when to stop.
 */
#include "stress_run.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "stress_rest.h"

#define RUN_ARENA_BYTES (UINT64_C(256) << 20)
#define RUN_OPS_MIN 200
#define RUN_OPS_FEW 40 /* of some domains, which are about how tables come to be */
#define RUN_DOMAIN_NS 100000000          /* for a domain; pauses may make its operations take long */
#define RUN_LOOK_NS 500000                /* between two looks at threads that run */

/* --- an engine that misbehaves --- */

/* The run that this process's main thread is in, for signals. */
static struct stress_run *run_now;
static pthread_t run_main;

/* The engine, in whatever thread, did what it must not. */
static void run_fault(void *arg, const struct verdict *v, const struct op *op)
{
	struct stress_run *run = arg;
	struct stress_evidence e = { .v = *v };

	(void)op;
	stress_writer_caught(v);
	stress_domain_claim(&run->d, &e);
	if (pthread_equal(pthread_self(), run_main))
		siglongjmp(run->end, 1);
}

static void run_crash(int signal_nr)
{
	struct verdict v = { .class = VERDICT_CRASH, .guarantee = 9, .level = VERDICT_LEVEL_NONE };

	snprintf(v.text, sizeof(v.text), "signal %d: %s", signal_nr, strsignal(signal_nr));
	if (run_now)
		run_fault(run_now, &v, NULL);
	signal(signal_nr, SIG_DFL);
	raise(signal_nr);
}

static void run_catch(struct stress_run *run)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	struct sigaction action = { .sa_handler = run ? run_crash : SIG_DFL, .sa_flags = SA_ONSTACK | SA_NODEFER };
	unsigned i;

	run_now = run;
	run_main = pthread_self();
	sigemptyset(&action.sa_mask);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

/* --- the threads of one domain --- */

static int run_start(struct stress_run *run, unsigned i, void *(*body)(void *), void *arg)
{
	sigset_t block, before;
	int ret;

	/* What the user sends is for the main thread. */
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &block, &before);
	ret = pthread_create(&run->threads[i], NULL, body, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -ret;
}

/* Readers first: they should be there when the first operation runs. */
static int run_start_all(struct stress_run *run)
{
	unsigned i;
	int ret = 0;

	run->readers_started = run->writers_started = 0;
	for (i = 0; !ret && i < run->plan->readers_nr; i++) {
		struct stress_reader *r = &run->readers[i];

		*r = (struct stress_reader){ .d = &run->d, .grace = &run->grace };
		rng_init(&r->rng, rng_next(&run->rng));
		stress_pause_init(&r->pauser, run->d.pause, rng_next(&run->rng));
		ret = run_start(run, i, stress_reader_main, r);
		run->readers_started += !ret;
	}
	for (i = 0; !ret && i < run->d.writers_nr; i++) {
		ret = run_start(run, STRESS_READERS_MAX + i, stress_writer_main, &run->writers[i]);
		run->writers_started += !ret;
	}
	__atomic_store_n(&run->d.go, !ret, __ATOMIC_RELEASE);
	return ret;
}

/* Join it; false: it does not end, though it has been told to. */
static bool run_join(const struct stress_run *run, unsigned i, const struct timespec *until)
{
	return !pthread_timedjoin_np(run->threads[i], NULL, until);
}

/* An operation that does not end is a finding. */
static void run_stop_all(struct stress_run *run)
{
	struct stress_evidence e = { .v = { .class = VERDICT_NO_PROGRESS, .guarantee = 9, .level = VERDICT_LEVEL_NONE } };
	struct timespec until;
	unsigned i;

	snprintf(e.v.text, sizeof(e.v.text), "the operation has been running for %u s", run->plan->hang_seconds);
	stress_domain_stop(&run->d);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)run->plan->hang_seconds;
	for (i = 0; i < run->writers_started; i++) {
		if (run_join(run, STRESS_READERS_MAX + i, &until))
			continue;
		run->hung = true;
		e.writer = i;
		e.number = stress_number(__atomic_load_n(&run->d.now[i].word, __ATOMIC_RELAXED));
		stress_domain_claim(&run->d, &e);
	}
	for (i = 0; i < run->readers_started; i++)
		run->hung |= !run_join(run, i, &until);
}

/* Whether every writer has done its part. */
static bool run_is_done(const struct stress_run *run)
{
	unsigned i;

	for (i = 0; i < run->writers_started; i++)
		if (stress_number(__atomic_load_n(&run->d.now[i].word, __ATOMIC_ACQUIRE)) < run->writers[i].ops_nr ||
		    __atomic_load_n(&run->d.now[i].word, __ATOMIC_ACQUIRE) & STRESS_RUNNING)
			return false;
	return true;
}

/* --- one domain --- */

static void run_add(struct stress_totals *sum, const struct stress_run *run)
{
	const uint64_t *from;
	uint64_t *to;
	unsigned i;
	size_t k;

	for (i = 0; i < run->readers_started; i++) {
		from = (const uint64_t *)&run->readers[i].counts;
		to = (uint64_t *)&sum->counts;
		for (k = 0; k < STRESS_COUNTS_NR; k++)
			to[k] += __atomic_load_n(&from[k], __ATOMIC_RELAXED);
		latency_sum(&sum->translations, &run->readers[i].latency);
	}
	for (i = 0; i < run->writers_started; i++) {
		from = (const uint64_t *)&run->writers[i].deeds;
		to = (uint64_t *)&sum->deeds;
		for (k = 0; k < sizeof(sum->deeds) / sizeof(*to); k++)
			to[k] += __atomic_load_n(&from[k], __ATOMIC_RELAXED);
		latency_sum(&sum->operations, &run->writers[i].latency);
	}
}

void stress_run_sum(const struct stress_run *run, struct stress_totals *sum)
{
	*sum = run->total;
	run_add(sum, run);
}

/* Look after the threads until they are done or it is time. */
static void run_wait(struct stress_run *run, uint64_t until, stress_progress_fn *progress, void *arg)
{
	while (!stress_domain_stops(&run->d) && !run_is_done(run)) {
		struct timespec nap = { .tv_nsec = RUN_LOOK_NS };
		uint64_t now;

		nanosleep(&nap, NULL);
		now = latency_now();
		if (now >= until || run->interrupted)
			stress_domain_stop(&run->d);
		if (progress)
			progress(arg, run, __atomic_load_n(&run->reclaim.waiting, __ATOMIC_RELAXED));
	}
}

/* Each in turn, from one on that can divide live leaves. */
static unsigned run_choose(const struct stress_run *run)
{
	unsigned usable[STRESS_CONFIGS_MAX], nr = 0, first, i;

	for (i = 0; i < run->configs_nr; i++)
		if (run->configs[i].usable)
			usable[nr++] = i;
	for (first = 0; first + 1 < nr && !run->configs[usable[first]].divides; first++)
		;
	return usable[(first + run->total.domains) % nr];
}

static int run_open(struct stress_run *run)
{
	const struct stress_plan *plan = run->plan;
	struct stress_domain *d = &run->d;
	enum stress_pause pause = plan->pause == PAUSE_NR ? rng_below(&run->rng, PAUSE_NR) : plan->pause;
	struct stress_evidence e = { .v = { .class = VERDICT_WRONG_RETURN, .guarantee = 7, .level = VERDICT_LEVEL_NONE } };
	const char *why = "";
	unsigned i, ops_nr;
	int ret;

	run->grace.flavour = plan->flavour;
	run->reclaim.mode = plan->reclaim == RECLAIM_NR ? rng_below(&run->rng, RECLAIM_NR) : plan->reclaim;
	run->readers_started = run->writers_started = 0;
	ret = stress_domain_open(d, &run->configs[run->config].cfg, plan->writers_nr, pause, stress_writer_hooks(pause), &run->rng, &why);
	if (ret) {
		snprintf(e.v.text, sizeof(e.v.text), "a domain cannot be made: %s", why);
		stress_domain_claim(d, &e);
		return ret;
	}
	ops_nr = rng_below(&run->rng, 3) ? RUN_OPS_MIN + rng_below(&run->rng, STRESS_OPS_MAX - RUN_OPS_MIN)
					 : 1 + rng_below(&run->rng, RUN_OPS_FEW);
	for (i = 0; i < d->writers_nr; i++)
		stress_writer_init(&run->writers[i], d, &run->reclaim, i, ops_nr, rng_next(&run->rng));
	return 0;
}

void stress_run_account(struct stress_run *run)
{
	struct stress_config *c = &run->configs[run->config];
	struct stress_totals *t = &run->total;
	uint64_t before = t->counts.overlaps;

	run_add(t, run);
	c->overlaps += t->counts.overlaps - before;
	c->domains++;
	t->domains++;
	t->deferred = run->reclaim.deferred;
	t->waits = run->reclaim.waits;
	t->throttled = run->reclaim.throttled;
	t->most = run->reclaim.most;
	run->readers_started = run->writers_started = 0;
}

/* At rest: compare everything, tear down, see that nothing is left. */
static void run_close(struct stress_run *run)
{
	struct stress_evidence e = { .v = { .class = VERDICT_LEAK, .guarantee = 8, .level = VERDICT_LEVEL_NONE } };
	uint64_t left;

	stress_reclaim_drain(&run->reclaim);
	run->total.rests += stress_rest(&run->d);
	if (stress_domain_taken(&run->d) || stress_domain_close(&run->d, &left))
		return;
	snprintf(e.v.text, sizeof(e.v.text), "%llu tables are left after teardown", (unsigned long long)left);
	stress_domain_claim(&run->d, &e);
}

/* A domain from its making to its end. 0, or -errno: no thread could be made. */
static int run_domain(struct stress_run *run, uint64_t until, stress_progress_fn *progress, void *arg)
{
	unsigned i;
	int ret;

	run->config = run_choose(run);
	if (run_open(run))
		return 0;
	ret = run_start_all(run);
	if (!ret)
		run_wait(run, until, progress, arg);
	run_stop_all(run);
	stress_run_account(run);
	if (!stress_domain_taken(&run->d) && !run->hung)
		run_close(run);
	for (i = 0; i < run->d.writers_nr && !run->hung && !stress_domain_taken(&run->d); i++)
		stress_writer_release(&run->writers[i]);
	return ret;
}

/* --- the run --- */

void *stress_share(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void stress_unshare(void *p, size_t bytes)
{
	if (p)
		munmap(p, bytes);
}

static size_t run_logs_bytes(const struct stress_plan *plan)
{
	return (size_t)plan->writers_nr * STRESS_OPS_MAX * sizeof(struct stress_entry);
}

int stress_run_init(struct stress_run *run, const struct stress_plan *plan, uint64_t seed)
{
	unsigned i;

	run->plan = plan;
	run->stage = STRESS_MADE;
	rng_init(&run->rng, seed);
	if (stress_domain_init(&run->d, RUN_ARENA_BYTES, run_fault, run))
		return -ENOMEM;
	run->readers = stress_share(plan->readers_nr * sizeof(*run->readers));
	run->writers = stress_share(plan->writers_nr * sizeof(*run->writers));
	run->logs = stress_share(run_logs_bytes(plan));
	run->threads = calloc(STRESS_READERS_MAX + STRESS_WRITERS_MAX, sizeof(*run->threads));
	if (!run->readers || !run->writers || !run->logs || !run->threads || stress_reclaim_init(&run->reclaim, &run->d.x.mem, &run->grace))
		return -ENOMEM;
	for (i = 0; i < plan->writers_nr; i++)
		run->writers[i].log = run->logs + (size_t)i * STRESS_OPS_MAX;
	return 0;
}

void stress_run_release(struct stress_run *run)
{
	const struct stress_plan *plan = run->plan;

	if (!plan)
		return;
	stress_unshare(run->readers, plan->readers_nr * sizeof(*run->readers));
	stress_unshare(run->writers, plan->writers_nr * sizeof(*run->writers));
	stress_unshare(run->logs, run_logs_bytes(plan));
	free(run->threads);
	stress_reclaim_release(&run->reclaim);
	stress_domain_release(&run->d);
	free(run->found);
}

/* Whether a domain of this configuration can be made; what it declares. */
static bool run_try(struct stress_run *run, struct stress_config *c, const char **why)
{
	struct exec *x = &run->d.x;
	struct engine_info info;

	if (exec_open(x, &c->cfg, why))
		return false;
	x->ops->info(x->engine, &info);
	exec_close(x);
	c->divides = (info.cap_size_change || info.cap_leaf_to_table) && !(info.traits.set & TRAIT_NO_CUT);
	return true;
}

/* How many configurations are usable. */
static unsigned run_try_all(struct stress_run *run)
{
	const char *why = "no configuration";
	unsigned nr = 0, i;

	for (i = 0; i < run->configs_nr; i++) {
		run->config = i;
		run->configs[i].usable = run_try(run, &run->configs[i], &why);
		nr += run->configs[i].usable;
	}
	snprintf(run->why, sizeof(run->why), "%s", why);
	return nr;
}

int stress_run_until(struct stress_run *run, uint64_t until, stress_progress_fn *progress, void *arg)
{
	uint64_t start = latency_now();
	volatile int ret = 0;

	run->stage = STRESS_ENGINE;
	run_catch(run);
	if (!sigsetjmp(run->end, 1)) {
		ret = run_try_all(run) ? 0 : -ENOENT;
		while (!ret) {
			uint64_t end = latency_now() + RUN_DOMAIN_NS;

			ret = run_domain(run, end < until ? end : until, progress, arg);
			if (stress_domain_taken(&run->d) || run->hung || run->interrupted || latency_now() >= until)
				break;
		}
	}
	run_catch(NULL);
	run->total.seconds = (double)(latency_now() - start) * 1e-9;
	run->ret = ret;
	run->stage = STRESS_ENDED;
	return ret;
}
