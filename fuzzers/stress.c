/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress.c - hitless stress: one thread changes a table while others translate through its bytes as a device would, all at full speed.
 *
 * The second opinion on G2: the proof in oracle/ decides every interleaving of a model of memory, this tries some on a real machine. The writer drives the
 * engine directly, with nothing logged; what it did is checked against check_predict. A reader is the device: it walks inside a read section and asks the flat
 * oracle (flat.h) what it may have seen. A cut never announces a change, so that whatever differs while one is running is a finding.
 *
 * A table that an operation took out of the tree may be freed when no walk can be in it any more: on hardware that is the wait for the invalidation, here
 * it is a grace period. The engine's ->sync invalidates, waits and frees in one call; the grace period is therefore put before it.
 *
 * Not compared here: layout, invalidation, dirty state, and tables freed too early by a moment that no reader hit.
 */
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "../oracle/walk.h"
#include "finding.h"
#include "flat.h"
#include "grace.h"
#include "options.h"
#include "pick.h"
#include "rng.h"

#define STRESS_ARENA (UINT64_C(64) << 20)
#define STRESS_DOMAIN_OPS 4000 /* then the domain is made anew, so that a trace stays short */
#define STRESS_PAGES_LG2_MAX 16
#define STRESS_LEAF_PAGES_LG2_MAX 13 /* of the largest leaf that the window holds two of */
#define STRESS_PIECES_MAX 48
#define STRESS_READERS_MAX 64
#define STRESS_SECTION_NR 8 /* translations in one read section */
#define STRESS_SECONDS 10.0
#define STRESS_STALL_EVERY_US 97
#define STRESS_STALL_SECONDS 8e-6

/* No translation outlives its domain, and an operation changes a page once at most. */
_Static_assert(STRESS_DOMAIN_OPS < FLAT_CHANGES_MAX, "flat_allowed cannot mistake many changes for none");

/*
 * The operation that runs, or ran last, in one word: bit 0 running, 2:1 enum call_kind, 18:3 and 34:19 first and last page of its range, 63:35 its number. What is
 * never changed in between is told apart from what changed and changed back by the number.
 */
#define STRESS_RUNNING UINT64_C(1)
#define STRESS_NUMBER_LG2 35

static inline uint64_t stress_word(uint64_t number, unsigned kind, uint32_t first, uint32_t last)
{
	return number << STRESS_NUMBER_LG2 | (uint64_t)last << 19 | (uint64_t)first << 3 | kind << 1;
}

static inline unsigned stress_kind(uint64_t word)
{
	return (word >> 1) & 3;
}

static inline uint32_t stress_first(uint64_t word)
{
	return (word >> 3) & 0xffff;
}

static inline uint32_t stress_last(uint64_t word)
{
	return (word >> 19) & 0xffff;
}

/*
 * struct stress_counts - what a reader saw.
 *
 * @overlaps: translations during which an operation ran, at least in part
 * @hits:     of these, those inside the operation's range; @cut_hits: inside the leaf that a cut divided
 * @before, @after: of these, those where the two differ, by what was seen
 * @unclear:  several changes of the page overlapped it: not judged
 * @touches:  accessed or dirty set
 */
struct stress_counts {
	uint64_t translations, overlaps, hits, cut_hits, before, after, unclear, touches;
};

/* A translation that gave what it must not. op1, op2: the operation's word before and after it. */
struct stress_miss {
	uint64_t iova, op1, op2, allowed[2];
	unsigned allowed_nr;
	struct walk walk;
};

struct stress;

struct stress_reader {
	struct stress *s;
	pthread_t thread;
	struct rng rng;
	struct stress_counts counts;
};

/*
 * struct stress - one format under stress.
 *
 * @x:      the engine's domain, unobserved
 * @oracle: hw and im are what check_predict looks at
 * @flat:   what readers compare with
 * @open:   readers may walk; changed only with no reader inside a read section
 * @op:     see stress_word
 * @stop:   readers end
 * @missed: claimed by the first reader to find something; @miss is its own then
 * @opened: number of the domain's first operation; @number: of the running one
 * @block_iova, @block_last: the block that is being emptied, to be mapped at once; @cuts_left: that are to be made in it, 0: it is not mapped yet
 * @prots, @prots_nr: what an entry can say
 * @text: the configuration as it was given
 * @kinds, @splits, @refused: operations by enum call_kind; cuts that changed a leaf; calls refused as they had to be
 */
struct stress {
	struct exec x;
	struct check oracle;
	struct flat flat;
	struct grace grace;
	struct trace trace;
	struct config cfg;
	const char *text;
	struct rng rng;
	bool open, stop, missed;
	uint64_t op;
	struct stress_miss miss;
	struct stress_reader readers[STRESS_READERS_MAX];
	unsigned readers_nr;
	uint64_t opened, number, oa_slot;
	uint64_t block_iova, block_last;
	unsigned cuts_left;
	unsigned window_lg2;
	uint8_t prots[PROT_ALL + 1];
	unsigned prots_nr;
	uint64_t kinds[CALL_SYNC + 1], splits, refused, rests, stalls;
	double until, seconds;
	sigjmp_buf end;
	bool found;
	struct finding finding;
	char path[4096];
	struct stress_counts counts;
	struct stress *abandoned;
};

static volatile sig_atomic_t stress_interrupted;

static void stress_interrupt(int signal_nr)
{
	(void)signal_nr;
	stress_interrupted = 1;
}

static double stress_now(void);

/*
 * A moment between two stores lasts nanoseconds, and caches hide it. So a timer stops the writer wherever it happens to be and lets the readers look around; this is
 * also what makes them overlap operations on a machine with one processor.
 */
static struct stress *stress_writer;

static void stress_stall(int signal_nr)
{
	struct stress *s = stress_writer;
	double until;

	(void)signal_nr;
	if (!s || !(__atomic_load_n(&s->op, __ATOMIC_RELAXED) & STRESS_RUNNING))
		return;
	s->stalls++;
	until = stress_now() + STRESS_STALL_SECONDS;
	do
		sched_yield();
	while (stress_now() < until && !__atomic_load_n(&s->stop, __ATOMIC_RELAXED));
}

/* Stop the writer every so often; NULL: no more. */
static void stress_arm(struct stress *s)
{
	struct sigaction action = { .sa_handler = stress_stall, .sa_flags = SA_RESTART };
	struct itimerval every = { 0 };

	sigemptyset(&action.sa_mask);
	if (s) {
		stress_writer = s;
		sigaction(SIGALRM, &action, NULL);
		every.it_interval.tv_usec = every.it_value.tv_usec = STRESS_STALL_EVERY_US;
	}
	setitimer(ITIMER_REAL, &every, NULL);
	if (!s)
		stress_writer = NULL;
}

static double stress_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* --- the reader: a device --- */

/* A page to look at: of the operation that runs, its ends above all, or any. */
static uint32_t stress_pick_page(struct stress_reader *r, uint64_t op)
{
	uint32_t first = stress_first(op), last = stress_last(op);

	switch (rng_below(&r->rng, 8)) {
	case 0:
		return first;
	case 1:
		return last;
	case 2:
	case 3:
	case 4:
		return first + rng_below(&r->rng, last - first + 1);
	default:
		return rng_below(&r->rng, r->s->flat.nr);
	}
}

static bool stress_agrees(const struct flat *f, uint64_t iova, const struct walk *w, const uint64_t *allowed, unsigned nr, unsigned *which)
{
	uint64_t offset = iova & layout_mask(f->page_lg2);

	if (w->end == WALK_BAD || w->end == WALK_WILD)
		return false;
	for (*which = 0; *which < nr; ++*which) {
		uint64_t content = allowed[*which];

		if (content ? w->end == WALK_LEAF && w->prot == flat_prot(content) && w->oa == flat_oa(f, content) + offset : w->end == WALK_FAULT)
			return true;
	}
	return false;
}

/* Only the first to come is reported. */
static void stress_missed(struct stress *s, const struct stress_miss *miss)
{
	if (!__atomic_exchange_n(&s->missed, true, __ATOMIC_ACQ_REL))
		s->miss = *miss;
	__atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
}

static void stress_count(struct stress_counts *c, const struct stress_miss *m, uint32_t page, unsigned which)
{
	uint64_t during = m->op2 & STRESS_RUNNING || m->op2 != m->op1 ? m->op2 : m->op1;

	c->translations++;
	if (!(m->op1 & STRESS_RUNNING) && m->op1 == m->op2)
		return;
	c->overlaps++;
	if ((m->op1 & STRESS_RUNNING) && m->op1 != m->op2 && (page < stress_first(during) || page > stress_last(during)))
		during = m->op1;
	if (page < stress_first(during) || page > stress_last(during))
		return;
	c->hits++;
	c->cut_hits += stress_kind(during) == CALL_CUT && stress_first(during) != stress_last(during);
	if (m->allowed_nr == 2 && m->allowed[0] != m->allowed[1]) {
		c->before += !which;
		c->after += which;
	}
}

/* What the device sets in the entry that it used. */
static void stress_touch(struct stress_reader *r, const struct hw *hw, const struct walk *w)
{
	const struct walk_step *step = &w->steps[w->nr - 1];
	bool write = (w->prot & PROT_W) && rng_below(&r->rng, 2);
	uint64_t raw = step->raw;

	if (write || (w->prot & PROT_R))
		raw = hw->format->touch(hw, step->level, step->raw, write);
	if (raw != step->raw)
		r->counts.touches += mem_device(&r->s->x.mem, step->pa, hw->item_bytes_lg2, step->raw, raw);
}

static void stress_translate(struct stress_reader *r)
{
	struct stress *s = r->s;
	const struct hw *hw = &s->oracle.hw;
	struct stress_miss m;
	uint64_t first, root;
	unsigned level, which = 0;
	uint32_t page;
	bool agrees;

	m.op1 = __atomic_load_n(&s->op, __ATOMIC_ACQUIRE);
	page = stress_pick_page(r, m.op1);
	m.iova = s->flat.iova + ((uint64_t)page << s->flat.page_lg2) + (rng_next(&r->rng) & layout_mask(s->flat.page_lg2));
	first = flat_first(&s->flat, page);
	s->x.ops->root(s->x.engine, &root, &level);
	walk(hw, &s->x.mem.view, root, level, m.iova, &m.walk);
	m.allowed_nr = flat_allowed(&s->flat, page, first, m.allowed);
	m.op2 = __atomic_load_n(&s->op, __ATOMIC_ACQUIRE);
	if (!m.allowed_nr) {
		r->counts.unclear++;
		return;
	}
	agrees = stress_agrees(&s->flat, m.iova, &m.walk, m.allowed, m.allowed_nr, &which);
	stress_count(&r->counts, &m, page, which);
	if (!agrees)
		stress_missed(s, &m);
	else if (hw->cfg.ad && m.walk.end == WALK_LEAF && !rng_below(&r->rng, 4))
		stress_touch(r, hw, &m.walk);
}

static void *stress_reader(void *arg)
{
	struct stress_reader *r = arg;
	struct stress *s = r->s;
	unsigned i;

	urcu_memb_register_thread();
	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		bool open;

		grace_enter(&s->grace);
		open = __atomic_load_n(&s->open, __ATOMIC_ACQUIRE);
		for (i = 0; open && i < STRESS_SECTION_NR; i++)
			stress_translate(r);
		grace_leave(&s->grace);
		if (!open)
			sched_yield();
	}
	urcu_memb_unregister_thread();
	return NULL;
}

static void stress_stop_readers(struct stress *s)
{
	unsigned i;

	__atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < s->readers_nr; i++) {
		const uint64_t *from = (const uint64_t *)&s->readers[i].counts;
		uint64_t *to = (uint64_t *)&s->counts;
		size_t k;

		pthread_join(s->readers[i].thread, NULL);
		for (k = 0; k < sizeof(s->counts) / sizeof(*to); k++)
			to[k] += from[k];
	}
	s->readers_nr = 0;
}

static bool stress_start_readers(struct stress *s, unsigned nr)
{
	for (s->readers_nr = 0; s->readers_nr < nr; s->readers_nr++) {
		struct stress_reader *r = &s->readers[s->readers_nr];
		sigset_t all, before;
		int ret;

		*r = (struct stress_reader){ .s = s };
		rng_init(&r->rng, rng_next(&s->rng));
		/* Signals are for the writer's thread. */
		sigfillset(&all);
		pthread_sigmask(SIG_BLOCK, &all, &before);
		ret = pthread_create(&r->thread, NULL, stress_reader, r);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		if (ret)
			return false;
	}
	return true;
}

/* --- findings --- */

static void stress_finding(struct stress *s, const struct verdict *v, size_t op_idx)
{
	bool at_op = op_idx < s->trace.nr;

	s->x.ops_nr = at_op ? op_idx + 1 : s->trace.nr;
	finding_make(&s->finding, &s->x, v, at_op ? &s->trace.ops[op_idx] : NULL);
	s->found = true;
}

/* The writer has something to report: does not return. */
static void stress_fail(struct stress *s, enum verdict_class class, unsigned guarantee, const char *format, ...)
	__attribute__((format(printf, 4, 5), noreturn, cold));

static void stress_fail(struct stress *s, enum verdict_class class, unsigned guarantee, const char *format, ...)
{
	struct verdict v = { .class = class, .guarantee = (uint8_t)guarantee, .level = VERDICT_LEVEL_NONE };
	va_list args;

	va_start(args, format);
	vsnprintf(v.text, sizeof(v.text), format, args);
	va_end(args);
	stress_finding(s, &v, s->x.op ? s->trace.nr - 1 : SIZE_MAX);
	siglongjmp(s->end, 1);
}

/* Memory was misused: what the primitive saw. */
static void stress_fault(void *arg, const struct verdict *v, const struct op *op)
{
	struct stress *s = arg;

	stress_finding(s, v, op ? s->trace.nr - 1 : SIZE_MAX);
	siglongjmp(s->end, 1);
}

static void stress_print_prot(char *buf, size_t room, unsigned prot)
{
	snprintf(buf, room, "%c%c%c%s%s%s", prot & PROT_R ? 'r' : '-', prot & PROT_W ? 'w' : '-', prot & PROT_X ? 'x' : '-',
		 prot & PROT_MMIO ? " mmio" : "", prot & PROT_CACHE ? " cache" : "", prot & PROT_PRIV ? " priv" : "");
}

static void stress_print_content(char *buf, size_t room, const struct flat *f, uint64_t content, uint64_t offset)
{
	char prot[32];

	stress_print_prot(prot, sizeof(prot), flat_prot(content));
	if (content)
		snprintf(buf, room, "oa 0x%llx %s", (unsigned long long)(flat_oa(f, content) + offset), prot);
	else
		snprintf(buf, room, "a fault");
}

static void stress_print_walk(char *buf, size_t room, const struct hw *hw, const struct walk *w)
{
	static const char *const kinds[] = { "not present", "table", "leaf", "forbidden" };
	size_t at = 0;
	unsigned i;

	buf[0] = '\0';
	for (i = 0; i < w->nr && at < room; i++) {
		const struct walk_step *step = &w->steps[i];
		char fields[256] = "";

		hw->format->fields(hw, step->level, step->raw, fields, sizeof(fields));
		at += (size_t)snprintf(buf + at, room - at, "  level %u, item at 0x%llx = 0x%llx: %s\n    %s\n", step->level,
				       (unsigned long long)step->pa, (unsigned long long)step->raw, kinds[step->entry.kind], fields);
	}
}

/* Which kind of finding a translation is, and what it shows. */
static void stress_classify(const struct stress *s, struct verdict *v)
{
	const struct stress_miss *m = &s->miss;
	const struct walk *w = &m->walk;
	const struct walk_step *step = w->nr ? &w->steps[w->nr - 1] : NULL;
	uint64_t offset = m->iova & layout_mask(s->flat.page_lg2), oa = flat_oa(&s->flat, m->allowed[0]) + offset;
	bool in_flight = (m->op1 & STRESS_RUNNING) || m->op1 != m->op2;

	v->guarantee = in_flight ? 2 : 1;
	v->level = step ? step->level : VERDICT_LEVEL_NONE;
	v->want = m->allowed[0] ? KIND_LEAF : KIND_HOLE;
	v->seen = w->end == WALK_LEAF ? KIND_LEAF : w->end == WALK_FAULT ? KIND_HOLE : KIND_BAD;
	if (w->end == WALK_WILD)
		v->class = strstr(w->why, "freed") ? VERDICT_USE_AFTER_FREE : VERDICT_WALKS_DATA;
	else if (w->end == WALK_BAD)
		v->class = VERDICT_RESERVED_BITS;
	else if (w->end == WALK_FAULT)
		v->class = in_flight ? VERDICT_FAULT_WINDOW : VERDICT_WRONG_OA;
	else if (m->allowed_nr == 2 || !m->allowed[0] || w->oa != oa)
		v->class = VERDICT_WRONG_OA;
	else
		v->class = (w->prot ^ flat_prot(m->allowed[0])) & PROT_ACCESS ? VERDICT_WRONG_PERMISSION : VERDICT_WRONG_ATTRIBUTE;
}

/* Turn what a reader left in s->miss into a finding, the trace shortened to what had begun by then. */
static void stress_report_miss(struct stress *s)
{
	static const char *const ends[] = { "", "a fault", "a forbidden entry", "no table" };
	const struct stress_miss *m = &s->miss;
	char before[80], after[80], seen[160], prot[32], steps[FINDING_REPORT_MAX / 2];
	uint64_t offset = m->iova & layout_mask(s->flat.page_lg2);
	size_t op_idx = ((m->op2 >> STRESS_NUMBER_LG2) - s->opened) & (UINT64_MAX >> STRESS_NUMBER_LG2);
	struct verdict v = { .has_iova = true, .iova = m->iova };
	bool at_rest = m->op1 == m->op2 && !(m->op1 & STRESS_RUNNING);
	size_t at;

	stress_classify(s, &v);
	stress_print_content(before, sizeof(before), &s->flat, m->allowed[0], offset);
	stress_print_content(after, sizeof(after), &s->flat, m->allowed[1], offset);
	stress_print_prot(prot, sizeof(prot), m->walk.prot);
	if (m->walk.end == WALK_LEAF)
		snprintf(seen, sizeof(seen), "oa 0x%llx %s", (unsigned long long)m->walk.oa, prot);
	else
		snprintf(seen, sizeof(seen), "%s%s%s", ends[m->walk.end], m->walk.why ? ": " : "", m->walk.why ? m->walk.why : "");
	snprintf(v.text, sizeof(v.text), "a device translating iova 0x%llx %s saw %s, expected %s%s%s", (unsigned long long)m->iova,
		 at_rest ? "after the operation" : "during the operation", seen, before, m->allowed_nr == 2 ? " or " : "", m->allowed_nr == 2 ? after : "");
	if (op_idx < s->trace.nr)
		s->trace.nr = op_idx + 1;
	stress_finding(s, &v, op_idx);
	stress_print_walk(steps, sizeof(steps), &s->oracle.hw, &m->walk);
	at = strlen(s->finding.report);
	snprintf(s->finding.report + at, sizeof(s->finding.report) - at, "what it read:\n%s", steps);
}

/* --- the writer --- */

static uint64_t stress_window_last(const struct stress *s)
{
	return s->flat.iova + layout_mask(s->window_lg2);
}

static uint64_t stress_page_iova(const struct stress *s, uint32_t page)
{
	return s->flat.iova + ((uint64_t)page << s->flat.page_lg2);
}

/* A page size that is enabled and fits into the window. */
static unsigned stress_size(struct stress *s)
{
	uint64_t sizes = s->cfg.pgsizes & layout_mask(s->window_lg2 + 1);
	unsigned n = rng_below(&s->rng, (uint32_t)__builtin_popcountll(sizes));

	while (n--)
		sizes &= sizes - 1;
	return (unsigned)__builtin_ctzll(sizes);
}

/* The first hole from a random page on; false if there is none. */
static bool stress_hole(struct stress *s, uint64_t *first, uint64_t *last)
{
	uint64_t window_last = stress_window_last(s);
	const struct imap_piece *p;
	unsigned tries;

	*first = stress_page_iova(s, rng_below(&s->rng, s->flat.nr));
	for (tries = 0; tries < 2; tries++) {
		while ((p = imap_find(&s->oracle.im, *first, NULL)) && p->last < window_last)
			*first = p->last + 1;
		if (!p) {
			p = imap_from(&s->oracle.im, *first, NULL);
			*last = p ? p->iova - 1 : window_last;
			return true;
		}
		*first = s->flat.iova;
	}
	return false;
}

/* Half of a stretch of the oa space twice as long as the window, a new one each time; rarely congruent to less than the window. */
static uint64_t stress_oa(struct stress *s, uint64_t iova)
{
	uint64_t oa = (s->oa_slot++ << (s->window_lg2 + 1) & layout_mask(s->cfg.oas)) + (iova - s->flat.iova);

	if (!rng_below(&s->rng, 8))
		oa += (uint64_t)rng_below(&s->rng, s->flat.nr) << s->flat.page_lg2;
	return oa;
}

static bool stress_make_map(struct stress *s, struct op *op)
{
	uint64_t first, last, start, length, page = UINT64_C(1) << s->flat.page_lg2;
	unsigned size_lg2 = stress_size(s);

	if (!stress_hole(s, &first, &last))
		return false;
	start = (first + layout_mask(size_lg2)) & ~layout_mask(size_lg2);
	if (start < first || start > last || !rng_below(&s->rng, 4))
		start = first;
	length = (UINT64_C(1) << size_lg2) * (1 + rng_below(&s->rng, 3));
	if (!rng_below(&s->rng, 4))
		length += page * rng_below(&s->rng, 8);
	op->iova = start;
	op->last = length - 1 > last - start ? last : start + length - 1;
	/* Now and then into what follows the hole. */
	if (!rng_below(&s->rng, 32) && stress_window_last(s) - start >= length - 1)
		op->last = start + length - 1;
	op->oa = stress_oa(s, start);
	op->prot = s->prots[rng_below(&s->rng, s->prots_nr)];
	op->kind = OP_MAP;
	return true;
}

static bool stress_make_cut(struct stress *s, struct op *op)
{
	unsigned tries = 4;

	if (!s->oracle.im.nr)
		return false;
	op->kind = OP_CUT;
	do {
		const struct imap_piece *p = imap_nth(&s->oracle.im, rng_below(&s->rng, (uint32_t)s->oracle.im.nr));
		uint64_t pages = ((p->last - p->iova) >> s->flat.page_lg2) + 1;

		op->iova = p->iova + ((uint64_t)rng_below(&s->rng, (uint32_t)pages) << s->flat.page_lg2);
		/* Half of them where a larger leaf may end. */
		if (rng_below(&s->rng, 2)) {
			uint64_t at = op->iova & ~layout_mask(stress_size(s));

			op->iova = at > p->iova ? at : op->iova;
		}
		if (layout_leaf(s->cfg.pgsizes, p, op->iova).iova != op->iova)
			break;
	} while (--tries);
	if (!rng_below(&s->rng, 32))
		op->iova = stress_page_iova(s, rng_below(&s->rng, s->flat.nr));
	op->last = op->iova;
	return true;
}

static bool stress_make_unmap(struct stress *s, struct op *op, bool wide)
{
	const struct imap_piece *p;
	uint64_t left;

	if (!s->oracle.im.nr)
		return false;
	op->kind = OP_UNMAP;
	p = imap_nth(&s->oracle.im, rng_below(&s->rng, (uint32_t)s->oracle.im.nr));
	op->iova = p->iova;
	if (!rng_below(&s->rng, 4)) {
		left = (p->last - p->iova) >> s->flat.page_lg2;
		op->iova += (uint64_t)rng_below(&s->rng, (uint32_t)left + 1) << s->flat.page_lg2;
		if (rng_below(&s->rng, 8))
			op->iova = layout_leaf(s->cfg.pgsizes, p, op->iova).iova;
	}
	left = (stress_window_last(s) - op->iova) >> s->flat.page_lg2;
	op->last = p->last;
	if (wide || !rng_below(&s->rng, 4))
		op->last = op->iova + (((uint64_t)rng_below(&s->rng, (uint32_t)left + 1) + 1) << s->flat.page_lg2) - 1;
	else if (!rng_below(&s->rng, 3))
		op->last = layout_leaf(s->cfg.pgsizes, p, op->iova).last;
	return true;
}

/*
 * What random operations rarely leave behind, a large leaf to cut: choose a block of some page size, empty it, map it, cut it a few times.
 */
static bool stress_make_block(struct stress *s, struct op *op)
{
	const struct imap_piece *p;
	unsigned lg2, other;

	if (s->cuts_left) {
		s->cuts_left--;
		op->kind = OP_CUT;
		op->iova = s->block_iova + (rng_next(&s->rng) & (s->block_last - s->block_iova) & ~layout_mask(s->flat.page_lg2));
		if (!s->cuts_left)
			s->block_last = s->block_iova;
		op->last = op->iova;
		return true;
	}
	if (s->block_last == s->block_iova) {
		lg2 = stress_size(s);
		other = stress_size(s);
		lg2 = lg2 > other ? lg2 : other;
		s->block_iova = s->flat.iova + (rng_next(&s->rng) & layout_mask(s->window_lg2) & ~layout_mask(lg2));
		s->block_last = s->block_iova + layout_mask(lg2);
	}
	p = imap_from(&s->oracle.im, s->block_iova, NULL);
	op->last = s->block_last;
	if (p && p->iova <= s->block_last) {
		op->kind = OP_UNMAP;
		op->iova = p->iova > s->block_iova ? p->iova : layout_leaf(s->cfg.pgsizes, p, s->block_iova).iova;
		return true;
	}
	op->kind = OP_MAP;
	op->iova = s->block_iova;
	op->oa = stress_oa(s, op->iova);
	op->prot = s->prots[rng_below(&s->rng, s->prots_nr)];
	s->cuts_left = 1 + rng_below(&s->rng, 4);
	return true;
}

static void stress_make_op(struct stress *s, struct op *op)
{
	unsigned kind = rng_below(&s->rng, 16);
	bool many = s->oracle.im.nr > STRESS_PIECES_MAX, made;

	memset(op, 0, sizeof(*op));
	if (rng_below(&s->rng, 4))
		made = stress_make_block(s, op);
	else if (kind < 3 || (many && kind < 8))
		made = stress_make_unmap(s, op, many);
	else if (kind < 8)
		made = stress_make_map(s, op);
	else
		made = stress_make_cut(s, op);
	/* Nothing is mapped, or all is. */
	if (!made && !stress_make_map(s, op))
		stress_make_unmap(s, op, true);
	if (op->kind != OP_UNMAP && !rng_below(&s->rng, 64))
		op->fail = (uint16_t)(1 + rng_below(&s->rng, 3));
}

/* The pages that the call changes, if it changes any, announced to the readers. */
static void stress_announce(struct stress *s, const struct call *call, const struct call_expect *want)
{
	uint64_t iova, page = UINT64_C(1) << s->flat.page_lg2;
	uint32_t i = (uint32_t)((call->iova - s->flat.iova) >> s->flat.page_lg2);

	for (iova = call->iova; want->done && iova - 1 != want->done_last; iova += page, i++)
		flat_begin(&s->flat, i, call->kind == CALL_MAP ? flat_mapped(&s->flat, call->oa + (iova - call->iova), call->prot) : 0);
	flat_publish();
}

/* The same pages as they are now: changed up to done_last. */
static void stress_settle(struct stress *s, const struct call *call, const struct call_expect *want, bool done, uint64_t done_last)
{
	uint64_t iova, page = UINT64_C(1) << s->flat.page_lg2;
	uint32_t i = (uint32_t)((call->iova - s->flat.iova) >> s->flat.page_lg2);

	for (iova = call->iova; want->done && iova - 1 != want->done_last; iova += page, i++)
		flat_end(&s->flat, i, done && iova <= done_last ? s->flat.next[i] : flat_content(&s->flat, i));
}

static void stress_call(struct stress *s, const struct call *call, struct call_result *res)
{
	struct exec *x = &s->x;

	if (call->kind == CALL_MAP)
		res->ret = x->ops->map(x->engine, call->iova, call->last, call->oa, call->prot, &x->gather, &res->granules);
	else if (call->kind == CALL_CUT)
		res->ret = x->ops->cut(x->engine, call->iova, &x->gather);
	else
		res->ret = x->ops->unmap(x->engine, call->iova, call->last, &x->gather, &res->granules);
	/* Walks in flight may still be in the tables that ->sync is going to free. */
	if (x->gather.free_nr)
		grace_wait(&s->grace);
	x->ops->sync(x->engine, &x->gather);
}

/* Compare what came back with what had to; want becomes what was really done if memory ran out. Returns the reason for a finding, or NULL. */
static const char *stress_judge(const struct stress *s, const struct op *op, const struct call_result *res, struct call_expect *want, const struct call *call)
{
	unsigned granule_lg2 = s->oracle.granule_lg2;
	uint64_t granules = want->done ? ((want->done_last - call->iova) >> granule_lg2) + 1 : 0;

	if (res->ret == -ENOMEM && op->fail && (!want->ret || want->ret == -EADDRINUSE)) {
		if (res->granules > granules)
			return "it reports more than it had to do";
		want->ret = -ENOMEM;
		want->done = res->granules;
		want->done_last = call->iova + (res->granules << granule_lg2) - 1;
		return NULL;
	}
	if (res->ret != want->ret)
		return "the code differs";
	return call->kind != CALL_CUT && res->granules != granules ? "the size differs" : NULL;
}

static void stress_apply(struct stress *s, const struct call *call, const struct call_expect *want)
{
	struct imap_piece piece = { .iova = call->iova, .last = want->done_last, .oa = call->oa, .prot = (uint8_t)call->prot };

	if (call->kind == CALL_MAP && want->done)
		imap_insert(&s->oracle.im, &piece);
	else if (call->kind == CALL_UNMAP && want->done)
		imap_remove(&s->oracle.im, call->iova, want->done_last);
	else if (call->kind == CALL_CUT && !want->ret)
		imap_split(&s->oracle.im, call->iova);
}

static void stress_op(struct stress *s)
{
	static const enum call_kind kinds[OP_NR] = { [OP_MAP] = CALL_MAP, [OP_CUT] = CALL_CUT, [OP_UNMAP] = CALL_UNMAP };
	struct call_expect want, done;
	struct call_result res = { 0 };
	struct call call;
	uint32_t first, last;
	const char *wrong;
	struct op op;
	uint64_t root;

	stress_make_op(s, &op);
	trace_push(&s->trace, &op);
	s->x.op = &op;
	call = (struct call){ .kind = kinds[op.kind], .iova = op.iova, .last = op.last, .oa = op.oa, .prot = op.prot };
	check_predict(&s->oracle, &call, &want);
	first = (uint32_t)(((call.kind == CALL_CUT ? want.hull.iova : call.iova) - s->flat.iova) >> s->flat.page_lg2);
	last = (uint32_t)(((want.done ? want.done_last : want.hull.last) - s->flat.iova) >> s->flat.page_lg2);
	if (last < first || last >= s->flat.nr)
		last = first;
	mem_begin_op(&s->x.mem, UINT64_MAX, op.fail);
	stress_announce(s, &call, &want);
	s->number++;
	__atomic_store_n(&s->op, stress_word(s->number, call.kind, first, last) | STRESS_RUNNING, __ATOMIC_SEQ_CST);
	stress_call(s, &call, &res);
	done = want;
	wrong = stress_judge(s, &op, &res, &done, &call);
	stress_settle(s, &call, &want, done.done, done.done_last);
	__atomic_store_n(&s->op, stress_word(s->number, call.kind, first, last), __ATOMIC_SEQ_CST);
	if (wrong)
		stress_fail(s, VERDICT_WRONG_RETURN, 7, "returned %s and 0x%llx granules, expected %s and up to 0x%llx: %s",
			    res.ret ? strerror(-res.ret) : "0", (unsigned long long)res.granules, want.ret ? strerror(-want.ret) : "0",
			    (unsigned long long)want.done_last, wrong);
	stress_apply(s, &call, &done);
	s->x.ops->root(s->x.engine, &root, &s->oracle.root_level);
	s->kinds[call.kind]++;
	s->refused += done.ret != 0;
	s->splits += call.kind == CALL_CUT && !done.ret && want.hull.iova != call.iova;
	s->x.op = NULL;
}

/* With no reader inside: every page once more, at rest. */
static void stress_rest(struct stress *s)
{
	struct stress_miss m = { .op1 = s->op, .op2 = s->op, .allowed_nr = 1 };
	unsigned level, which;
	uint64_t root;
	uint32_t i;

	s->x.ops->root(s->x.engine, &root, &level);
	for (i = 0; i < s->flat.nr; i++) {
		m.iova = stress_page_iova(s, i) + (rng_next(&s->rng) & layout_mask(s->flat.page_lg2));
		m.allowed[0] = flat_content(&s->flat, i);
		walk(&s->oracle.hw, &s->x.mem.view, root, level, m.iova, &m.walk);
		if (!stress_agrees(&s->flat, m.iova, &m.walk, m.allowed, 1, &which)) {
			stress_missed(s, &m);
			siglongjmp(s->end, 1);
		}
	}
	s->rests += s->flat.nr;
}

/* Somewhere in the aperture, aligned to the window. */
static uint64_t stress_place(struct stress *s)
{
	const struct hw *hw = &s->oracle.hw;
	bool high = hw->has_high && (!hw->has_low || rng_below(&s->rng, 2));
	uint64_t first = high ? hw->iova_high_first : 0, last = high ? UINT64_MAX : hw->iova_low_last;

	return first + (rng_next(&s->rng) & (last - first) & ~layout_mask(s->window_lg2));
}

/* Make a domain and let the readers in. */
static void stress_open(struct stress *s)
{
	const char *why = "";
	struct engine_info info;
	uint64_t root;

	if (exec_open(&s->x, &s->cfg, &why))
		stress_fail(s, VERDICT_WRONG_RETURN, 7, "a domain cannot be made: %s", why);
	s->x.ops->info(s->x.engine, &info);
	s->oracle.cap_size_change = info.cap_size_change;
	s->oracle.cap_leaf_to_table = info.cap_leaf_to_table;
	s->x.ops->root(s->x.engine, &root, &s->oracle.root_level);
	s->flat.iova = stress_place(s);
	memset(s->flat.now, 0, s->flat.nr * sizeof(*s->flat.now));
	s->block_last = s->block_iova = s->cuts_left = 0;
	s->trace.nr = 0;
	s->opened = s->number + 1;
	s->op = stress_word(s->number, CALL_MAP, 0, 0);
	__atomic_store_n(&s->open, true, __ATOMIC_RELEASE);
}

/* Keep the readers out, look at everything at rest, tear down. */
static void stress_close(struct stress *s)
{
	__atomic_store_n(&s->open, false, __ATOMIC_RELEASE);
	grace_wait(&s->grace);
	stress_rest(s);
	exec_close(&s->x);
	imap_release(&s->oracle.im);
	imap_init(&s->oracle.im);
	if (s->x.mem.view.live_nr)
		stress_fail(s, VERDICT_LEAK, 8, "%llu tables are left after teardown", (unsigned long long)s->x.mem.view.live_nr);
}

static bool stress_ends(const struct stress *s)
{
	return stress_interrupted || __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE) || stress_now() >= s->until;
}

static void stress_write(struct stress *s)
{
	bool ends = false;

	while (!ends) {
		unsigned i;

		stress_open(s);
		for (i = 0; i < STRESS_DOMAIN_OPS && !ends; i++) {
			stress_op(s);
			ends = __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE) || (!(i & 15) && stress_ends(s));
		}
		if (__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE))
			return;
		stress_close(s);
		ends |= stress_ends(s);
	}
}

/* --- one format --- */

/* The window: two of the largest leaf that is not too large, and at least two tables of the lowest level, as far as the aperture allows. */
static void stress_geometry(struct stress *s)
{
	const struct hw *hw = &s->oracle.hw;
	unsigned page_lg2 = s->oracle.small_lg2, most = page_lg2 + STRESS_PAGES_LG2_MAX, prot;
	uint64_t sizes = s->cfg.pgsizes & layout_mask(page_lg2 + STRESS_LEAF_PAGES_LG2_MAX + 1);
	uint64_t last = hw->has_high ? ~hw->iova_high_first : hw->iova_low_last;

	s->window_lg2 = 64 - (unsigned)__builtin_clzll(sizes);
	if (hw->top_level_max && s->window_lg2 < hw->item_lg2[1] + 1u)
		s->window_lg2 = hw->item_lg2[1] + 1u;
	while (s->window_lg2 > most || layout_mask(s->window_lg2) > last || s->window_lg2 >= s->cfg.oas)
		s->window_lg2--;
	s->flat.page_lg2 = page_lg2;
	s->flat.nr = 1u << (s->window_lg2 - page_lg2);
	for (prot = 1; prot <= PROT_ALL; prot++)
		if ((prot & PROT_ACCESS) && hw->format->expressible(hw, prot))
			s->prots[s->prots_nr++] = (uint8_t)prot;
}

/* The configuration to run: what --config says, or the first of the format's list, not tiny, that lets a live leaf be divided. Else the first. */
static int stress_configure(struct stress *s, const struct options *o, const struct engine_ops *ops)
{
	static const char *const given[] = { "", NULL };
	const char *const *list = o->config ? given : ops->configs;
	bool have = false, divides = false;
	char err[240] = "no configuration", first_err[240] = "";
	const char *why = "";
	unsigned i;

	for (i = 0; list[i] && !divides; i++) {
		struct engine_info info;
		struct config cfg;

		if (options_config(o, ops->name, list[i], &cfg, err, sizeof(err))) {
			if (!first_err[0])
				memcpy(first_err, err, sizeof(err));
			continue;
		}
		if ((cfg.tiny && !o->config) || exec_open(&s->x, &cfg, &why))
			continue;
		s->x.ops->info(s->x.engine, &info);
		exec_close(&s->x);
		divides = info.cap_size_change || info.cap_leaf_to_table;
		if (!have || divides) {
			s->cfg = cfg;
			s->text = o->config ? o->config : list[i];
		}
		have = true;
	}
	if (!have)
		return complain(EXIT_USAGE, "%s", first_err[0] ? first_err : why);
	return EXIT_CLEAN;
}

static void stress_release(struct stress *s)
{
	exec_release(&s->x);
	if (s->oracle.view)
		check_release(&s->oracle);
	free(s->flat.now);
	free(s->flat.next);
	trace_release(&s->trace);
}

/* A claim of the first reader, if there is one, is the finding; else the writer's. */
static void stress_conclude(struct stress *s, const char *out)
{
	int ret;

	if (s->missed)
		stress_report_miss(s);
	if (!s->found)
		return;
	exec_abandon(&s->x);
	fflush(stdout);
	fprintf(stderr, "\n%s", s->finding.report);
	ret = finding_save(&s->finding, &s->trace, out, s->path, sizeof(s->path));
	if (ret) {
		complain(EXIT_TOOL, "the trace could not be saved in %s: %s", out, strerror(-ret));
		s->path[0] = '\0';
	} else {
		fprintf(stderr, "trace: %s (threads decide whether it shows; hitless replay explores the same operations)\n", s->path);
	}
}

/* Run one format until then. EXIT_CLEAN, EXIT_FINDING; other: could not run. */
static int stress_format(struct stress *s, const struct options *o, const struct engine_ops *ops, uint64_t seed, double until)
{
	struct exec_options options = { .arena_bytes = STRESS_ARENA };
	const char *why = "";
	double start;
	int ret;

	trace_init(&s->trace);
	rng_init(&s->rng, seed);
	s->until = until;
	if (exec_init(&s->x, &options, stress_fault, s))
		return complain(EXIT_TOOL, "out of memory");
	ret = stress_configure(s, o, ops);
	if (ret)
		return ret;
	s->trace.cfg = s->cfg;
	ret = check_init(&s->oracle, &s->cfg, &s->x.mem.view, NULL, NULL, &why);
	if (ret)
		return complain(EXIT_TOOL, "%s: %s", ops->name, ret == -ENOMEM ? "out of memory" : why);
	stress_geometry(s);
	s->flat.now = calloc(s->flat.nr, sizeof(*s->flat.now));
	s->flat.next = calloc(s->flat.nr, sizeof(*s->flat.next));
	if (!s->flat.now || !s->flat.next)
		return complain(EXIT_TOOL, "out of memory");
	start = stress_now();
	if (!stress_start_readers(s, o->readers)) {
		stress_stop_readers(s);
		return complain(EXIT_TOOL, "no thread can be made");
	}
	stress_arm(s);
	if (!sigsetjmp(s->end, 0))
		stress_write(s);
	stress_arm(NULL);
	stress_stop_readers(s);
	s->seconds = stress_now() - start;
	stress_conclude(s, o->out);
	return s->found ? EXIT_FINDING : EXIT_CLEAN;
}

/* --- the command --- */

static const char stress_help[] =
	"usage: hitless stress [options]\n"
	"\n"
	"One thread maps, cuts and unmaps at random while others translate through the bytes of the same tables, as a device does, and compare\n"
	"each translation with what it may give before or after the operation that it overlaps. Each format has its turn.\n"
	"\n"
	"  --format NAME    only this one; may be given several times\n"
	"  --config TEXT    configuration, as after \"format NAME\" in a trace; default: one that can divide a live leaf\n"
	"  --seconds S      for all formats together; default 10\n"
	"  --readers N      threads that translate; default 1\n"
	"  --seed N         default: from the clock. Threads interleave as they like: a seed repeats the operations, not the run\n"
	"  --model M, --tlb T  in the configuration\n"
	"  --out DIR        where the trace of a finding goes; default: findings\n"
	"  --json           one object on standard output\n"
	"\n"
	"Exit status: 0 nothing found, 1 a finding, 2 bad usage, 3 a format where no translation overlapped an operation, or a fault of the tool.\n"
	"\n"
	"overlaps: translations during which an operation ran. in range: of these, at an address that the operation works on; in cut: in the leaf that a cut\n"
	"divides. before, after: where the two differ, which one was seen. unclear: too many changes at once, not judged.\n";

static uint64_t stress_operations(const struct stress *s)
{
	return s->kinds[CALL_MAP] + s->kinds[CALL_CUT] + s->kinds[CALL_UNMAP];
}

static void stress_print(const struct stress *s)
{
	const struct stress_counts *c = &s->counts;
	uint64_t ops = stress_operations(s);

	printf("%s%s%s\n", s->cfg.format, *s->text ? " " : "", s->text);
	printf("  %llu translations (%.2f M/s), %llu operations (%.1f k/s) in %.1f s, window of %u pages\n", (unsigned long long)c->translations,
	       (double)c->translations / s->seconds * 1e-6, (unsigned long long)ops, (double)ops / s->seconds * 1e-3, s->seconds, s->flat.nr);
	printf("  map %llu, cut %llu (%llu split a leaf), unmap %llu; refused %llu; stopped %llu times\n", (unsigned long long)s->kinds[CALL_MAP],
	       (unsigned long long)s->kinds[CALL_CUT], (unsigned long long)s->splits, (unsigned long long)s->kinds[CALL_UNMAP], (unsigned long long)s->refused,
	       (unsigned long long)s->stalls);
	printf("  overlaps %llu: in range %llu, in cut %llu, saw before %llu, after %llu; unclear %llu", (unsigned long long)c->overlaps,
	       (unsigned long long)c->hits, (unsigned long long)c->cut_hits, (unsigned long long)c->before, (unsigned long long)c->after,
	       (unsigned long long)c->unclear);
	if (c->touches)
		printf("; accessed or dirty set %llu", (unsigned long long)c->touches);
	printf("%s\n", s->found ? "; a FINDING" : "");
	fflush(stdout);
}

static json_t *stress_json_format(const struct stress *s)
{
	const struct stress_counts *c = &s->counts;
	char text[CONFIG_TEXT_MAX];

	config_print(&s->cfg, text, sizeof(text));
	return json_pack("{s:s, s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "name", s->cfg.format, "config", text, "seconds", s->seconds,
			 "operations", (json_int_t)stress_operations(s), "splits", (json_int_t)s->splits, "translations", (json_int_t)c->translations,
			 "overlaps", (json_int_t)c->overlaps, "overlaps_in_range", (json_int_t)c->hits, "overlaps_in_cut", (json_int_t)c->cut_hits,
			 "saw_before", (json_int_t)c->before, "saw_after", (json_int_t)c->after, "unclear", (json_int_t)c->unclear);
}

static json_t *stress_json_finding(const struct stress *s)
{
	const struct finding *f = &s->finding;
	char guarantee[8], replay[4200] = "";

	snprintf(guarantee, sizeof(guarantee), "G%u", f->v.guarantee);
	if (s->path[0])
		snprintf(replay, sizeof(replay), "hitless replay %s", s->path);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "class", verdict_name(f->v.class), "guarantee", guarantee, "format", s->cfg.format, "op",
			 f->op_kind < OP_NR ? op_name((enum op_kind)f->op_kind) : "domain", "signature", f->signature, "trace", s->path, "replay", replay);
}

/* What all formats came to. */
struct stress_total {
	uint64_t operations, translations, overlaps, rests;
	double seconds;
	json_t *formats, *findings;
	bool json;
};

static void stress_add(struct stress_total *t, const struct stress *s)
{
	t->operations += stress_operations(s);
	t->translations += s->counts.translations;
	t->overlaps += s->counts.overlaps;
	t->rests += s->rests;
	t->seconds += s->seconds;
	if (!t->json) {
		stress_print(s);
		return;
	}
	json_array_append_new(t->formats, stress_json_format(s));
	if (s->found)
		json_array_append_new(t->findings, stress_json_finding(s));
}

static int stress_json(struct stress_total *t, const struct options *o)
{
	uint64_t rest = t->translations - t->overlaps + t->rests;
	json_t *json = json_pack("{s:s, s:I, s:f, s:i, s:i, s:I, s:f, s:f, s:{s:I, s:I, s:I}, s:I, s:o, s:o}", "version", HITLESS_VERSION, "seed",
				 (json_int_t)o->seed, "seconds", t->seconds, "jobs", 1, "readers", (int)o->readers, "operations", (json_int_t)t->operations,
				 "operations_per_second", t->seconds > 0 ? (double)t->operations / t->seconds : 0.0, "leaves_per_operation",
				 t->operations ? (double)(t->translations + t->rests) / (double)t->operations : 0.0, "comparisons", "translation",
				 (json_int_t)rest, "inflight", (json_int_t)t->overlaps, "failure", (json_int_t)t->operations, "overlaps",
				 (json_int_t)t->overlaps, "formats", t->formats, "findings", t->findings);
	int ret = !json || json_dumpf(json, stdout, JSON_INDENT(2)) || putchar('\n') == EOF || fflush(stdout);

	json_decref(json);
	return ret ? complain(EXIT_TOOL, "cannot write to standard output") : EXIT_CLEAN;
}

/* SIGINT and SIGTERM end with the summary. */
static void stress_catch_signals(void)
{
	struct sigaction action = { .sa_handler = stress_interrupt, .sa_flags = SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int stress_formats(const struct options *o, struct stress_total *t)
{
	/* The engine's part of a domain with a finding is not torn down; still pointed to, it is no leak in a leak checker's eyes. */
	static struct stress *abandoned;
	unsigned i, nr = 0, turn = 0;
	double start = stress_now();
	int status = EXIT_CLEAN;

	for (i = 0; engine_native[i]; i++)
		nr += options_want(o, engine_native[i]->name);
	for (i = 0; engine_native[i] && !stress_interrupted; i++) {
		struct stress *s;
		int ret;

		if (!options_want(o, engine_native[i]->name))
			continue;
		s = calloc(1, sizeof(*s));
		if (!s)
			return complain(EXIT_TOOL, "out of memory");
		ret = stress_format(s, o, engine_native[i], o->seed + i, start + o->seconds * ++turn / nr);
		if (ret == EXIT_CLEAN || ret == EXIT_FINDING)
			stress_add(t, s);
		if (ret == EXIT_CLEAN && !s->counts.overlaps && !stress_interrupted)
			ret = complain(EXIT_TOOL, "%s: no translation overlapped an operation, so nothing was tested", s->cfg.format);
		if (status == EXIT_CLEAN || ret == EXIT_FINDING)
			status = ret;
		stress_release(s);
		if (ret == EXIT_FINDING) {
			s->abandoned = abandoned;
			abandoned = s;
		} else {
			free(s);
		}
		if (ret == EXIT_USAGE)
			break;
	}
	return status;
}

int cmd_stress(int argc, char **argv)
{
	struct stress_total total = { 0 };
	struct options o;
	int ret = options_parse(argc, argv, OPTION_FORMAT | OPTION_SEED | OPTION_SECONDS | OPTION_JSON | OPTION_OUT | OPTION_MODEL | OPTION_READERS, stress_help, &o);
	int written;

	if (ret >= 0)
		return ret;
	if (o.files_nr)
		return complain(EXIT_USAGE, "stress takes no file");
	o.seconds = o.seconds > 0 ? o.seconds : STRESS_SECONDS;
	o.readers = o.readers ? o.readers : 1;
	if (o.readers > STRESS_READERS_MAX)
		return complain(EXIT_USAGE, "--readers takes up to %u", STRESS_READERS_MAX);
	o.out = o.out ? o.out : "findings";
	if (!o.has_seed)
		o.seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
	total.json = o.json;
	total.formats = json_array();
	total.findings = json_array();
	if (!o.json)
		printf("seed %llu, %u reader%s\n", (unsigned long long)o.seed, o.readers, o.readers > 1 ? "s" : "");
	fflush(stdout);
	stress_catch_signals();
	ret = stress_formats(&o, &total);
	if (o.json && ret != EXIT_USAGE) {
		written = stress_json(&total, &o);
		return ret ? ret : written;
	}
	json_decref(total.formats);
	json_decref(total.findings);
	return ret;
}
