/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * campaign.c - `hitless fuzz`: worker processes run random domains; the parent watches them, minimizes what they find, and goes on.
 */
#include "campaign.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "minimize.h"

/* A worker whose operation does not end for this long is taken for stuck. */
#define CAMPAIGN_STUCK_SECONDS 20

static volatile sig_atomic_t campaign_stop;

static void campaign_signal(int signal_nr)
{
	(void)signal_nr;
	campaign_stop = 1;
}

/* Of this process, or of its children that have ended. */
static double campaign_processor(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec + 1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static double campaign_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* Add a format's configurations to the plan; with --config that one alone. */
static int plan_format(struct plan *p, const struct options *o, const struct engine_ops *ops)
{
	unsigned i, nr = 0;
	char err[300];

	while (ops->configs[nr])
		nr++;
	p->real = realloc(p->real, (p->real_nr + nr + 1) * sizeof(*p->real));
	p->tiny = realloc(p->tiny, (p->tiny_nr + nr + 1) * sizeof(*p->tiny));
	if (!p->real || !p->tiny)
		abort();
	for (i = 0; i < (o->config ? 1 : nr); i++) {
		struct plan_config pc = { .format_idx = p->formats_nr };

		if (options_config(o, ops->name, o->config ? "" : ops->configs[i], &pc.cfg, err, sizeof(err))) {
			/* --model and --tlb leave out the configurations that they contradict. */
			if (!o->config && (o->model >= 0 || o->tlb >= 0))
				continue;
			return complain(EXIT_USAGE, "%s", err);
		}
		if (pc.cfg.tiny)
			p->tiny[p->tiny_nr++] = pc;
		else
			p->real[p->real_nr++] = pc;
	}
	p->formats[p->formats_nr++] = ops->name;
	return 0;
}

static int plan_make(struct plan *p, const struct options *o)
{
	unsigned i;
	int ret;

	if (o->baseline && (o->exec.checks != exec_defaults.checks || !strcmp(engine_name(), "both")))
		return complain(EXIT_USAGE, "--baseline says what is compared: it takes neither --without nor --engine both");

	p->seed = o->seed;
	if (!o->has_seed && getrandom(&p->seed, sizeof(p->seed), 0) != sizeof(p->seed))
		return complain(EXIT_TOOL, "no random seed: %s", strerror(errno));
	p->jobs = o->jobs ? o->jobs : 1;
	p->exec = o->exec;
	p->profile = o->baseline ? GEN_BASELINE : GEN_VARIED;
	p->vary = !o->config && o->model < 0 && o->tlb < 0 && !o->baseline;
	p->rounds = !strcmp(engine_name(), "native") && !o->baseline;
	if (o->baseline) {
		p->exec.checks = 1u << CHECK_TRANSLATION | 1u << CHECK_FAILURE;
		p->exec.blind = true;
	}
	p->dir = o->out ? o->out : "findings";
	for (i = 0; engine_formats()[i]; i++) {
		if (!options_want(o, engine_formats()[i]->name))
			continue;
		ret = plan_format(p, o, engine_formats()[i]);
		if (ret)
			return ret;
	}
	if (!p->real_nr && !p->tiny_nr)
		return complain(EXIT_USAGE, "no configuration is left to run");
	ret = options_directory(p->dir);
	return ret < 0 ? 0 : ret;
}

static void campaign_spawn(struct campaign *c, unsigned job)
{
	pid_t pid;

	fflush(NULL);
	c->workers[job]->found = false;
	c->workers[job]->ops_nr = 0;
	pid = fork();
	if (!pid)
		worker_main(&c->plan, c->workers[job]);
	if (pid < 0) {
		complain(EXIT_TOOL, "no worker process: %s", strerror(errno));
		c->tool_fault = true;
		return;
	}
	c->pids[job] = pid;
	c->stuck[job] = false;
	c->seen[job] = 0;
	c->seen_at[job] = campaign_now();
}

/* A finding that is new is minimized, saved and printed; one that is known is counted. */
static void campaign_found(struct campaign *c, struct worker *w)
{
	struct finding *f = &w->finding;
	struct campaign_finding *new;
	struct trace t = { .cfg = w->config.cfg };
	unsigned i;
	size_t k;
	int ret;

	for (i = 0; i < c->findings_nr; i++) {
		if (!strcmp(c->findings[i].finding.signature, f->signature)) {
			c->findings[i].times++;
			return;
		}
	}
	if (c->findings_nr == CAMPAIGN_FINDINGS_MAX) {
		c->repeats++;
		return;
	}
	for (k = 0; k < w->ops_nr; k++)
		trace_push(&t, &w->ops[k]);
	new = &c->findings[c->findings_nr++];
	new->times = 1;
	new->processor_seconds = campaign_processor(RUSAGE_SELF) + campaign_processor(RUSAGE_CHILDREN);
	new->known = known_has(&c->known, f->signature);
	c->new_nr += !new->known;
	/* First what there is, then what is left of it: the process may be killed at any moment. */
	finding_save(f, &t, c->plan.dir, new->path, sizeof(new->path));
	if (!minimize(&c->plan.exec, &t, f, c->o->until_finding ? 20 : 10))
		fprintf(stderr, "hitless: %s: did not come again when the operations were replayed\n", new->path);
	ret = finding_save(f, &t, c->plan.dir, new->path, sizeof(new->path));
	if (ret) {
		complain(EXIT_TOOL, "%s: %s", new->path, strerror(-ret));
		c->tool_fault = true;
	}
	new->finding = *f;
	new->ops_nr = t.nr;
	trace_release(&t);
	if (!new->known)
		campaign_print_finding(new, c->o->json ? stderr : stdout);
}

/* The worker of this job has ended with status. Returns whether it should be replaced. */
static bool campaign_reap(struct campaign *c, unsigned job, int status)
{
	struct worker *w = c->workers[job];
	size_t at = w->ops_nr ? w->ops_nr - 1 : 0;

	c->pids[job] = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_DONE)
		return false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_FAULT) {
		c->tool_fault = true;
		return false;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !c->stuck[job]) {
		complain(EXIT_TOOL, "a worker was killed from outside, in domain %" PRIu64 " of seed 0x%" PRIx64, w->domain, c->plan.seed);
		w->domain += c->plan.jobs;
		return true;
	}
	if (!__atomic_load_n(&w->found, __ATOMIC_ACQUIRE))
		finding_crash(&w->finding, w->config.cfg.format, w->ops_nr ? w->ops[at].kind : (unsigned)OP_NR, at,
			      WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	campaign_found(c, w);
	w->domain += c->plan.jobs;
	return true;
}

static unsigned campaign_running(const struct campaign *c)
{
	unsigned job, nr = 0;

	for (job = 0; job < c->plan.jobs; job++)
		nr += c->pids[job] != 0;
	return nr;
}

/* Reap whoever has ended; replace those that did not end by themselves unless the campaign is over. */
static void campaign_poll(struct campaign *c, bool over)
{
	unsigned job;
	int status;

	for (job = 0; job < c->plan.jobs; job++) {
		struct worker *w = c->workers[job];
		uint64_t ops = w->domain + w->stats[w->config.format_idx].operations;

		if (!c->pids[job])
			continue;
		if (waitpid(c->pids[job], &status, WNOHANG) == c->pids[job]) {
			if (campaign_reap(c, job, status) && !over && !(c->o->until_finding && c->new_nr) && !c->tool_fault)
				campaign_spawn(c, job);
		} else if (ops != c->seen[job]) {
			c->seen[job] = ops;
			c->seen_at[job] = campaign_now();
		} else if (campaign_now() - c->seen_at[job] > CAMPAIGN_STUCK_SECONDS) {
			c->stuck[job] = true;
			kill(c->pids[job], SIGKILL);
		}
	}
}

static void campaign_progress(const struct campaign *c, bool terminal)
{
	struct worker_stats s;
	uint64_t comparisons = 0;
	unsigned i;

	campaign_sum(c, c->plan.formats_nr, &s);
	for (i = 0; i < CHECK_NR; i++)
		comparisons += s.comparisons[i];
	fprintf(stderr, "%s%.0f s: %" PRIu64 " operations, %" PRIu64 " comparisons, %u findings%s", terminal ? "\r" : "",
		campaign_now() - c->started, s.operations, comparisons, c->new_nr, terminal ? "  " : "\n");
}

static void campaign_loop(struct campaign *c)
{
	bool terminal = isatty(STDERR_FILENO);
	double end = c->o->seconds > 0 ? c->started + c->o->seconds : 0, shown = c->started, stopped = 0;
	unsigned job;

	while (campaign_running(c)) {
		struct timespec nap = { .tv_nsec = 5000000 };
		double now = campaign_now();

		if (!stopped && (campaign_stop || (end && now >= end) || (c->o->until_finding && c->new_nr) || c->tool_fault)) {
			for (job = 0; job < c->plan.jobs; job++)
				__atomic_store_n(&c->workers[job]->stop, 1, __ATOMIC_RELAXED);
			stopped = now;
		}
		campaign_poll(c, stopped > 0);
		if (now - shown >= (terminal ? 0.5 : 10)) {
			campaign_progress(c, terminal);
			shown = now;
		}
		nanosleep(&nap, NULL);
	}
	if (terminal)
		fputc('\n', stderr);
	c->seconds = campaign_now() - c->started;
}

static int campaign_init(struct campaign *c, const struct options *o)
{
	unsigned job, jobs;
	int ret;

	memset(c, 0, sizeof(*c));
	c->o = o;
	ret = known_load(&c->known, o->known);
	if (ret >= 0)
		return ret;
	ret = plan_make(&c->plan, o);
	if (ret)
		return ret;
	jobs = c->plan.jobs;
	c->workers = calloc(jobs, sizeof(*c->workers));
	c->pids = calloc(jobs, sizeof(*c->pids));
	c->seen = calloc(jobs, sizeof(*c->seen));
	c->seen_at = calloc(jobs, sizeof(*c->seen_at));
	c->stuck = calloc(jobs, sizeof(*c->stuck));
	c->findings = calloc(CAMPAIGN_FINDINGS_MAX, sizeof(*c->findings));
	if (!c->workers || !c->pids || !c->seen || !c->seen_at || !c->stuck || !c->findings)
		return complain(EXIT_TOOL, "out of memory");
	for (job = 0; job < jobs; job++) {
		struct worker *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (w == MAP_FAILED)
			return complain(EXIT_TOOL, "out of memory for %u jobs", jobs);
		c->workers[job] = w;
		w->domain = job;
		w->ops_left = o->ops ? o->ops / jobs + (job < o->ops % jobs) : UINT64_MAX;
	}
	return 0;
}

/* Whether it means anything that a check reports nothing. Returns -1, or the exit status after a message. */
static int campaign_canaries(struct campaign *c)
{
	const struct plan *p = &c->plan;
	unsigned i;
	int status = -1;

	for (i = 0; i < p->real_nr + p->tiny_nr && status < 0; i++)
		status = canary_must(&p->exec, i < p->real_nr ? &p->real[i].cfg : &p->tiny[i - p->real_nr].cfg, &c->canaries);
	return status;
}

static void campaign_release(struct campaign *c)
{
	unsigned job;

	for (job = 0; c->workers && job < c->plan.jobs; job++)
		if (c->workers[job])
			munmap(c->workers[job], sizeof(*c->workers[job]));
	free(c->workers);
	free(c->pids);
	free(c->seen);
	free(c->seen_at);
	free(c->stuck);
	free(c->findings);
	known_release(&c->known);
	free(c->plan.real);
	free(c->plan.tiny);
}

static int campaign_status(const struct campaign *c)
{
	struct worker_stats s;
	uint64_t comparisons = 0;
	unsigned i;

	if (c->tool_fault)
		return EXIT_TOOL;
	if (c->new_nr)
		return EXIT_FINDING;
	campaign_sum(c, c->plan.formats_nr, &s);
	for (i = 0; i < CHECK_NR; i++)
		comparisons += s.comparisons[i];
	if (!comparisons || !s.leaves || (!strcmp(engine_name(), "both") && !s.twin_items))
		return complain(EXIT_TOOL, "the campaign compared nothing");
	return EXIT_CLEAN;
}

static const char fuzz_help[] =
	"usage: hitless fuzz [OPTION...]\n"
	"\n"
	"Runs random operations on page tables of every format under the oracle. What is found is minimized, printed and saved.\n"
	"\n"
	"      --format NAME    this format; may be given several times (default: all)\n"
	"      --config TEXT    this configuration, as \"stage=2 ias=40\", instead of each of the format's list\n"
	"      --seconds S      end after this long (default 60 if --ops is not given)\n"
	"      --ops N          end after N operations, over all jobs\n"
	"      --seed N         start from this seed (default: random; it is printed)\n"
	"      --jobs N         worker processes (default 1)\n"
	"      --until-finding  end with the first finding\n"
	"      --known FILE     findings that are written up already: patterns of signatures, one a line, as in\n"
	"                       \"stale-iotlb G4 * unmap * *\". They are saved and counted, and do not make it fail\n"
	"      --out DIR        where traces of findings go (default findings)\n"
	"      --model M        strong, weak or incoherent alone\n"
	"      --tlb V          generic, amd, vtd, arm, riscv, armv7s or dart alone\n"
	"      --without C,..   leave out checks\n"
	"      --engine NAME    native, linux or iopgtable where they are built in (scripts/linux), or both: the same operations on two, each under\n"
	"                       the oracle, and their tables compared bit for bit. No failing allocations and no device inside\n"
	"                       operations then: the two do not allocate and store equally often\n"
	"      --hostile        hand the engine what its callers must not pass, too: what it does with it then counts\n"
	"      --all-arguments  hand it what its callers may pass and what is known to go wrong (docs/findings), too\n"
	"      --baseline       no more than a page table's own random test does, to compare with: one writer, map and unmap, read-write, oa equal to\n"
	"                       iova, and all that is compared is what the engine returns and what it translates\n"
	"      --arena MIB      size of simulated table memory\n"
	"      --json           the summary as one JSON object on standard output\n"
	"\n"
	"examples: hitless fuzz --seconds 600 --jobs 2\n"
	"          hitless fuzz --format armv8_4k --config \"stage=2 bbm=2\" --ops 1000000 --seed 1\n";

int cmd_fuzz(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = campaign_signal };
	struct campaign c;
	struct options o;
	unsigned job;
	int status = options_parse(argc, argv,
				   OPTION_FORMAT | OPTION_SEED | OPTION_OPS | OPTION_SECONDS | OPTION_JOBS | OPTION_JSON | OPTION_UNTIL |
					   OPTION_OUT | OPTION_MODEL | OPTION_WITHOUT | OPTION_ENGINE | OPTION_ARENA | OPTION_KNOWN | OPTION_BASELINE,
				   fuzz_help, &o);

	if (status >= 0)
		return status;
	if (o.files_nr)
		return complain(EXIT_USAGE, "fuzz takes no file, '%s' was given", o.files[0]);
	if (!(o.seconds > 0) && !o.ops)
		o.seconds = 60;
	status = campaign_init(&c, &o);
	if (status) {
		campaign_release(&c);
		return status;
	}
	fprintf(stderr, "hitless: seed 0x%" PRIx64 "\n", c.plan.seed);
	status = campaign_canaries(&c);
	if (status >= 0) {
		campaign_release(&c);
		return status;
	}
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	c.started = campaign_now();
	for (job = 0; job < c.plan.jobs; job++)
		campaign_spawn(&c, job);
	campaign_loop(&c);
	if (o.json)
		campaign_json(&c, stdout);
	else
		campaign_print(&c, stdout);
	status = campaign_status(&c);
	campaign_release(&c);
	return status;
}
