/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_writer.c - a writer's thread: chooses operations, runs them on the engine and tells the flat oracle.
 *
 * Writers share tables and nothing else: each has its own stripes, interval map, gather and log, so that no lock of ours orders what the
 * engine has to order itself.
 */
#include "stress_writer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The writer of this thread; NULL in others. */
static __thread struct stress_writer *writer_me;

static inline void writer_add(uint64_t *n, uint64_t more)
{
	__atomic_store_n(n, *n + more, __ATOMIC_RELAXED);
}

/* --- what memory tells --- */

static void writer_attempt(void *arg)
{
	(void)arg;
	if (writer_me)
		stress_pause_attempt(&writer_me->pauser);
}

static bool writer_may_alloc(void *arg)
{
	(void)arg;
	return !writer_me || ++writer_me->allocs != writer_me->fail_at;
}

static bool writer_keep(void *arg, uint64_t pa)
{
	struct stress_writer *w = writer_me;

	(void)arg;
	if (!w)
		return false;
	w->unmade += !w->synced;
	return stress_reclaim_table(w->reclaim, pa, w->synced, &w->graced);
}

static void writer_synced(void *arg)
{
	struct stress_writer *w = writer_me;

	(void)arg;
	if (!w)
		return;
	stress_pause_done(&w->pauser);
	w->synced = true;
	w->graced = false;
}

static void writer_top(void *arg, uint64_t root, unsigned level)
{
	stress_domain_top(arg, root, level);
	if (writer_me)
		writer_add(&writer_me->deeds.growths, 1);
}

const struct mem_threads *stress_writer_hooks(enum stress_pause pause)
{
	static const struct mem_threads fast = { NULL, writer_may_alloc, writer_keep, writer_synced, writer_top };
	static const struct mem_threads slow = { writer_attempt, writer_may_alloc, writer_keep, writer_synced, writer_top };

	return pause == PAUSE_NONE ? &fast : &slow;
}

/* --- findings --- */

void stress_writer_caught(const struct verdict *v)
{
	struct stress_writer *w = writer_me;
	struct stress_evidence e = { .v = *v };

	if (!w)
		return;
	e.writer = w->idx;
	e.number = w->log_nr;
	stress_domain_claim(w->d, &e);
	siglongjmp(w->end, 1);
}

static const char *writer_code(int ret)
{
	return strerrorname_np(-ret);
}

/* What came back is not what was due. Does not return. */
static __attribute__((noreturn, cold)) void writer_wrong(const struct call_result *res, const struct call_expect *want)
{
	struct verdict v = { .class = VERDICT_WRONG_RETURN, .guarantee = 7, .level = VERDICT_LEVEL_NONE };

	if (res->ret != want->ret) {
		v.want_code = writer_code(want->ret);
		v.seen_code = writer_code(res->ret);
	}
	snprintf(v.text, sizeof(v.text), "returned %s and 0x%llx granules, expected %s and up to 0x%llx", writer_code(res->ret),
		 (unsigned long long)res->granules, writer_code(want->ret), (unsigned long long)(want->done ? want->done_last : 0));
	stress_writer_caught(&v);
	abort();
}

/* --- one operation --- */

/* The first of the pages that the call may change, and behind the last. */
static uint32_t writer_pages(const struct stress_writer *w, const struct call *call, const struct call_expect *want, uint32_t *end)
{
	const struct flat *f = &w->d->flat;
	uint32_t first;
	unsigned i;

	/* The one stripe that it lies in. */
	for (i = 0; i + 1 < w->gen.mine_nr; i++) {
		const struct stress_stripe *s = &w->d->stripes[w->gen.mine[i]];

		if (call->iova >= flat_iova(f, s->first) && call->iova <= (flat_iova(f, s->last) | layout_mask(f->page_lg2)))
			break;
	}
	first = w->d->stripes[w->gen.mine[i]].first;
	first += (uint32_t)((call->iova - flat_iova(f, first)) >> f->page_lg2);
	*end = first + (want->done ? (uint32_t)((want->done_last - call->iova) >> f->page_lg2) + 1 : 0);
	return first;
}

/* What readers look at: the range, of a cut the leaf that it divides. */
static uint64_t writer_word(const struct stress_writer *w, const struct call *call, const struct call_expect *want, uint32_t page, uint32_t end)
{
	unsigned lg2 = w->d->flat.page_lg2;
	uint32_t first = page, last = end > page ? end - 1 : page;

	if (call->kind == CALL_CUT && !want->ret && want->hull.iova != call->iova) {
		first = page - (uint32_t)((call->iova - want->hull.iova) >> lg2);
		last = page + (uint32_t)((want->hull.last - call->iova) >> lg2);
	}
	return stress_word(w->log_nr, call->kind, first, last);
}

static void writer_call(struct stress_writer *w, const struct call *call, struct call_result *res)
{
	const struct engine_ops *ops = w->d->x.ops;
	struct engine *e = w->d->x.engine;

	w->synced = w->graced = false;
	if (call->kind == CALL_MAP)
		res->ret = ops->map(e, call->iova, call->last, call->oa, call->prot, &w->gather, &res->granules);
	else if (call->kind == CALL_CUT)
		res->ret = ops->cut(e, call->iova, &w->gather);
	else
		res->ret = ops->unmap(e, call->iova, call->last, &w->gather, &res->granules);
	w->synced = w->graced = false;
	ops->sync(e, &w->gather);
}

/* Whether this code may stand for the one that is due. */
static bool writer_is_due(const struct stress_writer *w, int ret, int due)
{
	static const int arguments[] = { -EINVAL, -ERANGE, -ENXIO, -EOPNOTSUPP };
	bool is = false, is_due = false;
	unsigned i;

	for (i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		is |= ret == arguments[i];
		is_due |= due == arguments[i];
	}
	return ret == due || (is && is_due && w->oracle.traits.set & TRAIT_ARGUMENTS);
}

/* Whether it is the error for want of memory, and that was to be: *want becomes what was really done. */
static bool writer_no_memory(const struct stress_writer *w, const struct call *call, const struct call_result *res, struct call_expect *want)
{
	unsigned granule_lg2 = w->oracle.granule_lg2;
	bool is = res->ret == -ENOMEM || (res->ret == -EINVAL && w->oracle.traits.set & TRAIT_MAPPING_EINVAL);

	if (!is || !w->fail_at || w->allocs < w->fail_at || want->ret == res->ret)
		return false;
	if (res->granules > (want->done ? ((want->done_last - call->iova) >> granule_lg2) + 1 : 0))
		return false;
	want->ret = res->ret;
	want->done = res->granules;
	want->done_last = call->iova + (res->granules << granule_lg2) - 1;
	return true;
}

/* Whether what came back is what had to; *want becomes what was really done if memory ran out. */
static bool writer_judge(const struct stress_writer *w, const struct call *call, const struct call_result *res, struct call_expect *want)
{
	uint64_t granules = want->done ? ((want->done_last - call->iova) >> w->oracle.granule_lg2) + 1 : 0;

	if (writer_no_memory(w, call, res, want))
		return true;
	return writer_is_due(w, res->ret, want->ret) && (call->kind == CALL_CUT || res->granules == granules);
}

static void writer_apply(struct stress_writer *w, const struct call *call, const struct call_expect *done)
{
	struct imap_piece piece = { .iova = call->iova, .last = done->done_last, .oa = call->oa, .prot = (uint8_t)call->prot };

	if (call->kind == CALL_MAP && done->done)
		imap_insert(&w->oracle.im, &piece);
	else if (call->kind == CALL_UNMAP && done->done)
		imap_remove(&w->oracle.im, call->iova, done->done_last);
	else if (call->kind == CALL_CUT && !done->ret)
		imap_split(&w->oracle.im, call->iova);
}

static void writer_count(struct stress_writer *w, const struct call *call, const struct call_expect *want, const struct call_expect *done,
			 const struct stress_entry *entry)
{
	struct stress_deeds *n = &w->deeds;

	writer_add(&n->kinds[call->kind], 1);
	writer_add(&n->refused, want->ret != 0);
	writer_add(&n->failed, done->ret != want->ret);
	writer_add(&n->splits, call->kind == CALL_CUT && !done->ret && want->hull.iova != call->iova);
	if (call->kind == CALL_MAP && done->ret == want->ret)
		writer_add(&n->lost, w->unmade);
	latency_add(&w->latency, entry->end - entry->begin);
}

/*
 * The call as the oracle means it: prot is what the engine makes of it. What a root that other writers may make grow has to do with it is
 * asked before and after.
 */
static void writer_run(struct stress_writer *w, const struct call *asked, struct stress_entry *entry)
{
	struct stress_domain *d = w->d;
	struct call call = *asked;
	struct call_expect want, done;
	struct call_result res = { 0 };
	uint32_t page, end, i;
	uint64_t word;
	bool right;

	call.prot = traits_prot(&w->oracle.traits, asked->prot);
	stress_domain_root(d, &w->oracle.root_level);
	check_predict(&w->oracle, &call, &want);
	page = writer_pages(w, &call, &want, &end);
	for (i = page; i < end; i++) {
		uint64_t oa = call.oa + ((uint64_t)(i - page) << d->flat.page_lg2);

		flat_begin(&d->flat, i, call.kind == CALL_MAP ? flat_mapped(&d->flat, oa, call.prot) : 0);
	}
	flat_publish();
	word = writer_word(w, &call, &want, page, end);
	entry->begin = latency_now();
	__atomic_store_n(&d->now[w->idx].word, word | STRESS_RUNNING, __ATOMIC_SEQ_CST);
	writer_call(w, asked, &res);
	__atomic_store_n(&d->now[w->idx].word, word, __ATOMIC_SEQ_CST);
	entry->ret = res.ret;
	entry->granules = res.granules;
	/* Last: who finds it finds the rest. */
	__atomic_store_n(&entry->end, latency_now(), __ATOMIC_RELEASE);
	done = want;
	right = writer_judge(w, &call, &res, &done);
	if (!right && w->oracle.traits.set & TRAIT_TOP_IS_BOUND) {
		stress_domain_root(d, &w->oracle.root_level);
		check_predict(&w->oracle, &call, &done);
		right = done.done == want.done && writer_judge(w, &call, &res, &done);
	}
	for (i = page; i < end; i++)
		flat_end(&d->flat, i, done.done && flat_iova(&d->flat, i) <= done.done_last);
	if (!right)
		writer_wrong(&res, &want);
	writer_apply(w, &call, &done);
	writer_count(w, &call, &want, &done, entry);
}

static void writer_op(struct stress_writer *w)
{
	static const enum call_kind kinds[OP_NR] = { [OP_MAP] = CALL_MAP, [OP_CUT] = CALL_CUT, [OP_UNMAP] = CALL_UNMAP };
	struct stress_entry *entry = &w->log[w->log_nr];
	const struct op *op = &entry->op;
	struct call call;

	memset(entry, 0, sizeof(*entry));
	stress_gen_next(&w->gen, &entry->op);
	w->log_nr++;
	call = (struct call){ .kind = kinds[op->kind], .iova = op->iova, .last = op->last, .oa = op->oa, .prot = op->prot };
	w->allocs = w->unmade = 0;
	w->fail_at = op->fail;
	stress_pause_begin(&w->pauser);
	writer_run(w, &call, entry);
}

/* --- the thread --- */

void stress_writer_init(struct stress_writer *w, struct stress_domain *d, struct stress_reclaim *reclaim, unsigned idx, unsigned ops_nr,
			uint64_t seed)
{
	w->d = d;
	w->reclaim = reclaim;
	w->idx = idx;
	w->ops_nr = ops_nr;
	w->log_nr = w->allocs = w->fail_at = 0;
	memset(&w->deeds, 0, sizeof(w->deeds));
	memset(&w->latency, 0, sizeof(w->latency));
	gather_init(&w->gather);
	w->oracle = d->oracle;
	imap_init(&w->oracle.im);
	stress_gen_init(&w->gen, d, idx, &w->oracle.im, seed);
	stress_pause_init(&w->pauser, d->pause, ~seed);
}

void stress_writer_release(struct stress_writer *w)
{
	imap_release(&w->oracle.im);
	gather_release(&w->gather);
}

void *stress_writer_main(void *arg)
{
	struct stress_writer *w = arg;
	stack_t stack = { .ss_sp = w->stack, .ss_size = sizeof(w->stack) }, none = { .ss_flags = SS_DISABLE };

	sigaltstack(&stack, NULL);
	grace_register(w->reclaim->grace);
	grace_offline(w->reclaim->grace);
	while (!__atomic_load_n(&w->d->go, __ATOMIC_ACQUIRE) && !stress_domain_stops(w->d))
		sched_yield();
	writer_me = w;
	if (!sigsetjmp(w->end, 1))
		while (w->log_nr < w->ops_nr && !stress_domain_stops(w->d))
			writer_op(w);
	writer_me = NULL;
	grace_unregister(w->reclaim->grace);
	sigaltstack(&none, NULL);
	return NULL;
}
