/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_writer.c - the driver of a stress run: chooses operations, runs them on the engine and tells the flat oracle, in this order:
 * announce what may
 * change, run, settle what has changed.
 *
 * A table that an operation took out of the tree may be freed when no walk can be in it any more: on hardware that is the wait for the
 * invalidation, here it is a grace period. The engine's ->sync invalidates, waits and frees in one call; the grace period is therefore put
 * before it.
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "stress.h"

#define STRESS_PIECES_MAX 48 /* above this many, unmap comes more often */
#define STRESS_STALL_EVERY_US 97
#define STRESS_STALL_SECONDS 8e-6

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

/* --- what to do --- */

static uint64_t stress_window_last(const struct stress *s)
{
	return s->flat.iova + layout_mask(s->window_lg2);
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

/* --- doing it --- */

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

/* Until no walk is under way that was when this was called. Readers give up the processor meanwhile, which may be the only one. */
static void stress_wait(struct stress *s)
{
	__atomic_store_n(&s->waiting, true, __ATOMIC_RELAXED);
	grace_wait(&s->grace);
	__atomic_store_n(&s->waiting, false, __ATOMIC_RELAXED);
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
		stress_wait(s);
	x->ops->sync(x->engine, &x->gather);
}

/*
 * Compare what came back with what had to; want becomes what was really done if memory ran out. Returns the reason for a finding, or
 * NULL.
 */
static const char *stress_judge(const struct stress *s, const struct op *op, const struct call_result *res, struct call_expect *want,
				const struct call *call)
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
	__atomic_store_n(&s->op, stress_word(s->number, call.kind, first, last), __ATOMIC_SEQ_CST);
	done = want;
	wrong = stress_judge(s, &op, &res, &done, &call);
	stress_settle(s, &call, &want, done.done, done.done_last);
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
	stress_wait(s);
	stress_rest(s);
	exec_close(&s->x);
	imap_release(&s->oracle.im);
	imap_init(&s->oracle.im);
	if (s->x.mem.view.live_nr)
		stress_fail(s, VERDICT_LEAK, 8, "%llu tables are left after teardown", (unsigned long long)s->x.mem.view.live_nr);
}

/* --- the run --- */

/*
 * A moment between two stores lasts nanoseconds, and caches hide it. So a timer stops the writer wherever it happens to be and lets the
 * readers look around; this is also what makes them overlap operations on a machine with one processor.
 */
static struct stress *stress_writer;

/* One at a time: a timer that went on by itself would leave the writer no time if it is slow to return. */
static void stress_next_stall(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = STRESS_STALL_EVERY_US }, NULL);
}

static void stress_stall(int signal_nr)
{
	struct stress *s = stress_writer;
	double until;

	(void)signal_nr;
	if (!s)
		return;
	if (!(__atomic_load_n(&s->op, __ATOMIC_RELAXED) & STRESS_RUNNING)) {
		stress_next_stall();
		return;
	}
	/* A processor's turn is much longer than this; it is given away only sometimes, for where there is but one. */
	if (!(s->stalls++ % 16))
		sched_yield();
	until = stress_now() + STRESS_STALL_SECONDS;
	while (stress_now() < until && !__atomic_load_n(&s->stop, __ATOMIC_RELAXED))
		;
	stress_next_stall();
}

/* Stop the writer every so often; NULL: no more. */
static void stress_arm(struct stress *s)
{
	struct sigaction action = { .sa_handler = stress_stall, .sa_flags = SA_RESTART };

	stress_writer = s;
	if (!s) {
		setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
		return;
	}
	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
	stress_next_stall();
}

static bool stress_ends(const struct stress *s)
{
	return stress_interrupted || __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE) || stress_now() >= s->until;
}

static void stress_domains(struct stress *s)
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

void stress_write(struct stress *s)
{
	stress_arm(s);
	if (!sigsetjmp(s->end, 0))
		stress_domains(s);
	stress_arm(NULL);
}
