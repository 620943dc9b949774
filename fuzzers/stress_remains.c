/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stress_remains.c - takes over what a process has left in shared memory, whatever state that is in. */
#include "stress_remains.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

#define REMAINS_ERRNO_MAX 133

/* A bool that may hold anything. */
static bool remains_bool(const bool *b)
{
	return *(const volatile unsigned char *)b;
}

static unsigned remains_most(unsigned n, unsigned most)
{
	return n < most ? n : most;
}

/* --- the figures --- */

static void remains_totals(struct stress_run *left, const struct stress_run *run, const struct stress_death *death)
{
	unsigned i;

	left->total = run->total;
	left->config = run->config < left->configs_nr ? run->config : 0;
	for (i = 0; i < left->configs_nr; i++) {
		left->configs[i].usable = remains_bool(&run->configs[i].usable);
		left->configs[i].domains = run->configs[i].domains;
		left->configs[i].overlaps = run->configs[i].overlaps;
	}
	left->d.x.cfg = left->configs[left->config].cfg;
	left->hung = death->stuck || remains_bool(&run->hung);
	left->ret = run->ret;
	memcpy(left->why, run->why, sizeof(left->why) - 1);
	if (!death->early && isfinite(left->total.seconds))
		return;
	left->total.seconds = (double)(latency_now() - death->began) * 1e-9;
	/* Of a domain that was not brought to its end: nobody adds to it any more. */
	left->readers_started = remains_most(run->readers_started, left->plan->readers_nr);
	left->writers_started = remains_most(run->writers_started, left->plan->writers_nr);
	left->reclaim.deferred = run->reclaim.deferred;
	left->reclaim.waits = run->reclaim.waits;
	left->reclaim.throttled = run->reclaim.throttled;
	left->reclaim.most = run->reclaim.most;
	if (left->readers_started)
		stress_run_account(left);
}

/* --- the domain, as far as its log is about it --- */

static void remains_stripes(struct stress_domain *to, const struct stress_domain *from)
{
	unsigned i;

	to->stripes_nr = 0;
	to->flat.page_lg2 = from->flat.page_lg2;
	to->flat.island_lg2 = from->flat.island_lg2;
	to->flat.nr = from->flat.nr;
	memcpy(to->flat.iovas, from->flat.iovas, sizeof(to->flat.iovas));
	if (to->flat.page_lg2 > 63 || to->flat.island_lg2 > STRESS_PAGES_LG2_MAX ||
	    to->flat.nr > (uint32_t)FLAT_ISLANDS_MAX << to->flat.island_lg2)
		return;
	for (i = 0; i < remains_most(from->stripes_nr, STRESS_STRIPES_MAX); i++) {
		struct stress_stripe s = from->stripes[i];

		if (s.first <= s.last && s.last < to->flat.nr && s.writer < to->writers_nr)
			to->stripes[to->stripes_nr++] = s;
	}
}

/* --- the logs --- */

/*
 * What the writer generated, if it can be that and began no earlier than at *began, which goes up. Never: its number in the log is that of
 * another domain, or something was written over it.
 */
static bool remains_entry(struct stress_entry *to, const struct stress_entry *from, uint64_t *began, uint64_t now)
{
	const struct op *op = &from->op;

	if (op->kind > OP_UNMAP || op->thread || op->devices_nr || from->begin < *began || from->begin > now)
		return false;
	*began = from->begin;
	to->op = (struct op){ .kind = op->kind, .prot = op->prot, .fail = op->fail, .iova = op->iova, .last = op->last, .oa = op->oa };
	to->begin = from->begin;
	to->end = from->end >= from->begin && from->end <= now ? from->end : 0;
	to->granules = from->granules;
	to->ret = from->ret == INT_MIN ? 0 : from->ret;
	return true;
}

/* Copies of the logs, each operation in its place; begin is 0 where there is none. *left_out: operations that cannot be. */
static struct stress_writer *remains_writers(const struct stress_run *left, uint64_t since, unsigned *left_out)
{
	unsigned nr = left->d.writers_nr, w, i;
	struct stress_writer *writers = calloc(nr ? nr : 1, sizeof(*writers));
	uint64_t now = latency_now();

	if (!writers)
		abort();
	*left_out = 0;
	for (w = 0; w < nr; w++) {
		const struct stress_entry *from = left->logs + (size_t)w * STRESS_OPS_MAX;
		uint64_t began = since;

		writers[w].log = calloc(STRESS_OPS_MAX, sizeof(*writers[w].log));
		if (!writers[w].log)
			abort();
		writers[w].log_nr = remains_most(left->writers[w].log_nr, STRESS_OPS_MAX);
		for (i = 0; i < writers[w].log_nr; i++)
			if (from[i].begin)
				*left_out += !remains_entry(&writers[w].log[i], &from[i], &began, now);
	}
	return writers;
}

static void remains_writers_release(const struct stress_run *left, struct stress_writer *writers)
{
	unsigned w;

	for (w = 0; w < left->d.writers_nr; w++)
		free(writers[w].log);
	free(writers);
}

/* --- the evidence --- */

/* A name of an error code is one of the C library's, or it is none. */
static const char *remains_code(const char *code)
{
	int i;

	for (i = 0; i <= REMAINS_ERRNO_MAX; i++)
		if (code && code == strerrorname_np(i))
			return code;
	return NULL;
}

/* One line of printable characters. */
static void remains_text(char *to, const char *from, size_t bytes)
{
	size_t i;

	for (i = 0; i + 1 < bytes && from[i]; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	to[i] = '\0';
}

static bool remains_verdict(struct verdict *to, const struct verdict *from)
{
	*to = (struct verdict){
		.class = from->class, .guarantee = from->guarantee, .level = from->level, .want = from->want, .seen = from->seen
	};
	if (to->class >= VERDICT_NR || to->guarantee < 1 || to->guarantee > 10 || to->want >= KIND_NR || to->seen >= KIND_NR ||
	    (to->level >= CONFIG_LEVELS_MAX && to->level != VERDICT_LEVEL_NONE))
		return false;
	to->want_code = remains_code(from->want_code);
	to->seen_code = remains_code(from->seen_code);
	to->has_iova = remains_bool(&from->has_iova);
	to->iova = from->iova;
	remains_text(to->text, from->text, sizeof(to->text));
	remains_text(to->before, from->before, sizeof(to->before));
	remains_text(to->after, from->after, sizeof(to->after));
	return true;
}

/* What the walk read, for the log. */
static bool remains_walk(struct walk *to, const struct walk *from, const struct hw *hw)
{
	unsigned i;

	if (from->nr > CONFIG_LEVELS_MAX)
		return false;
	*to = (struct walk){ .nr = from->nr };
	for (i = 0; i < to->nr; i++) {
		const struct walk_step *s = &from->steps[i];

		if (s->level > hw->top_level_max || s->entry.kind > HW_BAD)
			return false;
		to->steps[i] = (struct walk_step){ .level = s->level, .pa = s->pa, .raw = s->raw, .entry = { .kind = s->entry.kind } };
	}
	return true;
}

/* What somebody claimed, if that was complete and is sound. */
static bool remains_claimed(struct stress_domain *to, const struct stress_domain *from, uint64_t since)
{
	const struct stress_evidence *e = &from->evidence;
	const char *why;

	if (!remains_bool(&from->taken) || e->ns < since || e->ns > latency_now() || !remains_verdict(&to->evidence.v, &e->v))
		return false;
	to->evidence.ns = e->ns;
	to->evidence.writer = e->writer;
	to->evidence.number = e->number;
	to->evidence.has_walk = remains_bool(&e->has_walk) && !hw_init(&to->oracle.hw, &to->x.cfg, &why) &&
				remains_walk(&to->evidence.walk, &e->walk, &to->oracle.hw);
	return true;
}

/* Which operation it is about when nobody could say: of those that were running the last to begin. Returns how many were. */
static unsigned remains_running(struct stress_domain *d, const struct stress_writer *writers)
{
	unsigned w, nr = 0;
	uint64_t latest = 0;

	for (w = 0; w < d->writers_nr; w++) {
		uint32_t number = writers[w].log_nr;
		const struct stress_entry *last = number ? &writers[w].log[number - 1] : NULL;

		if (!last || !last->begin || last->end)
			continue;
		nr++;
		if (last->begin >= latest) {
			latest = last->begin;
			d->evidence.writer = w;
			d->evidence.number = number;
		}
	}
	return nr;
}

/* What the trace cannot say. */
static void remains_doubts(struct stress_run *left, const struct stress_run *run, const struct stress_writer *writers, unsigned left_out)
{
	struct verdict *v = &left->d.evidence.v;
	unsigned w, nr = 0;

	for (w = 0; w < left->d.writers_nr; w++)
		nr += writers[w].log_nr;
	if (run->config >= left->configs_nr)
		say(v->text, sizeof(v->text), "; which configuration it was has been written over");
	if (left_out)
		say(v->text, sizeof(v->text), "; %u operations in the logs have been written over, and are left out", left_out);
	if (nr == left_out)
		say(v->text, sizeof(v->text), "; there is no operation, hitless stress was run with --seed 0x%llx",
		    (unsigned long long)left->plan->seed);
}

/* Nobody in the process could say of what it died, or it cannot be read. */
static void remains_accuse(struct stress_run *left, const struct stress_writer *writers, const struct stress_death *death)
{
	struct stress_evidence *e = &left->d.evidence;
	unsigned running;

	*e = (struct stress_evidence){ .ns = latency_now() };
	finding_died(&e->v, death->signal_nr);
	if (!death->early)
		snprintf(e->v.text, sizeof(e->v.text), "what was found has been written over");
	if (death->stuck) {
		e->v.class = VERDICT_NO_PROGRESS;
		snprintf(e->v.text, sizeof(e->v.text), "the process did not go on");
	}
	running = remains_running(&left->d, writers);
	if (running > 1)
		say(e->v.text, sizeof(e->v.text), "; %u operations were running, this one began last", running);
}

/* --- all --- */

void stress_remains(struct stress_run *left, const struct stress_run *run, const struct stress_death *death)
{
	struct stress_domain *d = &left->d;
	struct stress_writer *writers;
	unsigned left_out;
	bool claimed;

	remains_totals(left, run, death);
	d->x.speaker = &d->x;
	d->x.ops = engine_find(d->x.cfg.format);
	if (!death->early && !remains_bool(&run->d.taken))
		return;
	claimed = remains_claimed(d, &run->d, death->began);
	d->writers_nr = remains_most(run->d.writers_nr, left->plan->writers_nr);
	remains_stripes(d, &run->d);
	writers = remains_writers(left, death->began, &left_out);
	if (!claimed)
		remains_accuse(left, writers, death);
	else if (death->early && !death->stuck && death->signal_nr)
		say(d->evidence.v.text, sizeof(d->evidence.v.text), "; then signal %d ended the process", death->signal_nr);
	if (d->evidence.writer >= d->writers_nr || d->evidence.number > writers[d->evidence.writer].log_nr)
		d->evidence.number = 0;
	remains_doubts(left, run, writers, left_out);
	left->found = calloc(1, sizeof(*left->found));
	if (!left->found)
		abort();
	stress_conclude(d, writers, &left->plan->exec, left->plan->out, left->found);
	remains_writers_release(left, writers);
}
