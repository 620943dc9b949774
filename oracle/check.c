/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.c - compares what came back with what had to, moves the interval map on, and has log and bytes looked at.
 */
#include "check.h"

#include <errno.h>
#include <stdio.h>

#include "account.h"
#include "dirty.h"
#include "explore.h"
#include "sweep.h"

static const char *check_errno_name(int ret)
{
	switch (ret) {
	case 0:
		return "0";
	case -EINVAL:
		return "-EINVAL";
	case -ERANGE:
		return "-ERANGE";
	case -ENXIO:
		return "-ENXIO";
	case -EOPNOTSUPP:
		return "-EOPNOTSUPP";
	case -ENOENT:
		return "-ENOENT";
	case -EADDRINUSE:
		return "-EADDRINUSE";
	case -ENOMEM:
		return "-ENOMEM";
	case -EAGAIN:
		return "-EAGAIN";
	default:
		return "another";
	}
}

static void check_wrong_code(struct check *c, const struct call *call, int ret, int want)
{
	struct verdict v = {
		.class = call->kind == CALL_TRANSLATE ? VERDICT_WRONG_TRANSLATE : VERDICT_WRONG_RETURN,
		.guarantee = call->kind == CALL_TRANSLATE ? 1 : 7,
		.level = VERDICT_LEVEL_NONE,
		.want_code = check_errno_name(want),
		.seen_code = check_errno_name(ret),
	};

	snprintf(v.text, sizeof(v.text), "returned %s (%d), expected %s", v.seen_code, ret, v.want_code);
	check_report_verdict(c, &v);
}

/* Whether memory ran out in the call that is being looked at. */
static bool check_alloc_failed(const struct check *c)
{
	size_t i;

	for (i = 0; i < c->view->events_nr; i++)
		if (c->view->events[i].kind == MEM_ALLOC_FAIL && c->view->events[i].writer == c->by)
			return true;
	return false;
}

/* How many granules [iova, want->done_last] has; 0 if nothing was to be done. */
static uint64_t check_done_granules(const struct check *c, const struct call *call, const struct call_expect *want)
{
	return want->done ? ((want->done_last - call->iova) >> c->granule_lg2) + 1 : 0;
}

/* A map that stopped early may have made any whole leaves from the front, and must say how many. */
static void check_short_map(struct check *c, const struct call *call, const struct call_result *res, struct call_expect *want)
{
	uint64_t next = call->iova + (res->granules << c->granule_lg2);

	if (res->granules > check_done_granules(c, call, want) || (!want->ret && res->granules == check_done_granules(c, call, want)) ||
	    (res->granules && layout_find(c->hw.cfg.pgsizes, call->iova, call->last, call->oa, next - 1).last != next - 1))
		check_report(c, VERDICT_WRONG_RETURN, 7, VERDICT_LEVEL_NONE, KIND_NONE, KIND_NONE, NULL,
			     "%s with 0x%llx granules, which are not leaves of the front", check_errno_name(res->ret),
			     (unsigned long long)res->granules);
	want->done = res->granules;
	want->done_last = next - 1;
}

static bool check_is_argument_error(int ret)
{
	return ret == -EINVAL || ret == -ERANGE || ret == -ENXIO || ret == -EOPNOTSUPP;
}

/* Whether the engine does not promise which of its errors comes back, and this is another one that it might. */
static bool check_may_differ(const struct check *c, int ret, int want)
{
	return c->traits.set & TRAIT_ARGUMENTS && check_is_argument_error(want) &&
	       (check_is_argument_error(ret) || ret == -EADDRINUSE || (ret == -ENOMEM && check_alloc_failed(c)));
}

/* Return code and progress; *want becomes what was really done if memory ran out. */
static void check_result(struct check *c, const struct call *call, const struct call_result *res, struct call_expect *want)
{
	bool counts = call->kind == CALL_MAP || call->kind == CALL_UNMAP;

	check_count(c, CHECK_FAILURE, 1);
	/* A cut at a leaf start has nothing to allocate. */
	if (res->ret == -ENOMEM && (call->kind == CALL_MAP || (call->kind == CALL_CUT && want->hull.iova != call->iova)) &&
	    (!want->ret || want->ret == -EADDRINUSE) && check_alloc_failed(c)) {
		if (call->kind == CALL_MAP) {
			check_short_map(c, call, res, want);
			want->root_level = c->root_level > want->root_level ? c->root_level : want->root_level;
		}
		want->ret = -ENOMEM;
		return;
	}
	if (check_may_differ(c, res->ret, want->ret))
		want->ret = res->ret;
	if (call->kind == CALL_MAP && res->ret == -EADDRINUSE && want->ret == res->ret && c->traits.set & TRAIT_SHORT_MAP)
		check_short_map(c, call, res, want);
	if (res->ret != want->ret && !check_is_on(c, call->kind == CALL_TRANSLATE ? CHECK_TRANSLATION : CHECK_FAILURE))
		return;
	/* A cut that should have been refused: what it did to a live entry is worse than that it did. */
	if (call->kind == CALL_CUT && want->ret == -EOPNOTSUPP && !res->ret && !c->by)
		account_log(c, call, want, &(struct call_range){ UINT64_MAX, 0 });
	if (res->ret != want->ret)
		check_wrong_code(c, call, res->ret, want->ret);
	if (counts && res->granules != check_done_granules(c, call, want) && check_is_on(c, CHECK_FAILURE))
		check_report(c, VERDICT_WRONG_RETURN, 7, VERDICT_LEVEL_NONE, KIND_NONE, KIND_NONE, NULL,
			     "reported 0x%llx granules, expected 0x%llx", (unsigned long long)res->granules,
			     (unsigned long long)check_done_granules(c, call, want));
	if (call->kind == CALL_TRANSLATE && !res->ret && res->oa != want->oa && check_is_on(c, CHECK_TRANSLATION))
		check_report(c, VERDICT_WRONG_TRANSLATE, 1, VERDICT_LEVEL_NONE, KIND_LEAF, KIND_LEAF, &call->iova,
			     "translate gave oa 0x%llx, expected 0x%llx", (unsigned long long)res->oa, (unsigned long long)want->oa);
}

/* Move the interval map on by what was really done. */
static void check_apply(struct check *c, const struct call *call, const struct call_expect *want)
{
	struct imap_piece piece = { .iova = call->iova, .last = want->done_last, .oa = call->oa, .prot = (uint8_t)call->prot };

	switch (call->kind) {
	case CALL_MAP:
		if (!want->done)
			break;
		imap_insert(&c->im, &piece);
		if (!(c->traits.set & TRAIT_BORN_DIRTY) || !(call->prot & PROT_W))
			break;
		/* The device may have written already. */
		imap_remove(&c->dirty, piece.iova, piece.last);
		imap_insert(&c->dirty, &piece);
		break;
	case CALL_CUT:
		if (!want->ret)
			imap_split(&c->im, call->iova);
		break;
	case CALL_UNMAP:
		if (!want->done)
			break;
		imap_remove(&c->im, call->iova, want->done_last);
		imap_remove(&c->dirty, call->iova, want->done_last);
		break;
	case CALL_DIRTY:
	case CALL_TRANSLATE:
	case CALL_SYNC:
		break;
	}
}

/* A failed cut, a refused call, a translation: not a live entry may have been stored to. */
static void check_unchanged(struct check *c, const struct call *call, const struct call_expect *want, const struct call_range *span)
{
	bool may_store = call->kind == CALL_MAP || call->kind == CALL_UNMAP || !want->ret;

	if (call->kind == CALL_TRANSLATE || call->kind == CALL_SYNC || (call->kind == CALL_DIRTY && !call->clear) ||
	    (want->ret && want->ret != -EADDRINUSE && want->ret != -ENOMEM))
		may_store = false;
	if (call->kind == CALL_CUT && want->hull.iova == call->iova)
		may_store = false;
	check_count(c, CHECK_FAILURE, 1);
	if (!may_store && span->last >= span->iova && check_is_on(c, CHECK_FAILURE))
		check_report(c, VERDICT_CHANGED_ON_ERROR, 7, VERDICT_LEVEL_NONE, KIND_NONE, KIND_NONE, &span->iova,
			     "returned %s and changed live entries in [0x%llx, 0x%llx]", check_errno_name(want->ret),
			     (unsigned long long)span->iova, (unsigned long long)span->last);
}

void check_release(struct check *c)
{
	explore_release(c);
	check_state_release(c);
}

void check_created(struct check *c, bool cap_size_change, bool cap_leaf_to_table)
{
	struct call_range span = { UINT64_MAX, 0 };

	c->cap_size_change = cap_size_change;
	c->cap_leaf_to_table = cap_leaf_to_table;
	if (c->blind) {
		c->root_level = c->view->root_level;
		return;
	}
	if (cap_size_change != c->hw.cap_size_change || cap_leaf_to_table != c->hw.cap_leaf_to_table)
		check_report(c, VERDICT_UNDECLARED_BREAK, 2, VERDICT_LEVEL_NONE, KIND_NONE, KIND_NONE, NULL,
			     "declared: live size change %d, live leaf to table %d; the hardware under this configuration: %d, %d",
			     cap_size_change, cap_leaf_to_table, c->hw.cap_size_change, c->hw.cap_leaf_to_table);
	if (c->hw.cfg.model == MODEL_INCOHERENT)
		explore_log(c, &(struct call){ .kind = CALL_SYNC }, &(struct call_expect){ 0 });
	account_log(c, NULL, NULL, &span);
	explore_settle(c);
	account_end(c, NULL, NULL);
}

bool check_may_call(const struct check *c, const struct call *call)
{
	size_t i;

	if (call->kind != CALL_MAP && call->kind != CALL_CUT)
		return true;
	for (i = 0; i < c->owed_nr; i++)
		if (c->owed[i].iova <= (call->kind == CALL_CUT ? call->iova : call->last) && c->owed[i].last >= call->iova)
			return false;
	return true;
}

/* All that can be told without reading the tables: the driver has the engine translate some addresses after each call. */
static void check_blind(struct check *c, const struct call *call, const struct call_expect *want)
{
	check_apply(c, call, want);
	c->root_level = c->view->root_level;
	check_count(c, CHECK_PROGRESS, 1);
	check_count(c, CHECK_TRANSLATION, call->kind == CALL_TRANSLATE);
	c->leaves += call->kind == CALL_TRANSLATE;
}

/* Sweep what of [iova, last] can be translated at all. */
static void check_sweep(struct check *c, const struct call_range *removed, uint64_t iova, uint64_t last)
{
	const struct hw *hw = &c->hw;

	if (hw->has_low && iova <= hw->iova_low_last)
		sweep(c, removed, iova, last < hw->iova_low_last ? last : hw->iova_low_last);
	if (hw->has_high && last >= hw->iova_high_first)
		sweep(c, removed, iova > hw->iova_high_first ? iova : hw->iova_high_first, last);
}

/* What came back, as it is to be compared: with one code in place of another where the engine declares that. */
static struct call_result check_seen(const struct check *c, const struct call_result *res, const struct call_expect *want)
{
	struct call_result seen = *res;

	if (c->traits.set & TRAIT_MAPPING_EINVAL && res->ret == -EINVAL && want->ret != -EINVAL && check_alloc_failed(c))
		seen.ret = -ENOMEM;
	return seen;
}

/* Walk everything that call may have touched. */
static void check_touched(struct check *c, const struct call *call, const struct call_expect *want, struct call_range span)
{
	struct call_range removed = { UINT64_MAX, 0 };

	/* A refused call has no range worth walking; what it stored was looked at by then. */
	if (want->ret && want->ret != -EADDRINUSE && want->ret != -ENOMEM && want->ret != -EOPNOTSUPP)
		return;
	if (call->kind == CALL_TRANSLATE || call->kind == CALL_SYNC || want->hull.last < want->hull.iova)
		return;
	if (call->kind == CALL_UNMAP && want->done)
		removed = (struct call_range){ call->iova, want->done_last < call->last ? want->done_last : call->last };
	if (span.iova > want->hull.iova)
		span.iova = want->hull.iova;
	if (span.last < want->hull.last)
		span.last = want->hull.last;
	/* The leaves themselves, their sizes, their dirty state, and tables that an unmap may have left. */
	if (!check_is_on(c, CHECK_TRANSLATION) && !check_is_on(c, CHECK_LAYOUT) && !(check_is_on(c, CHECK_DIRTY) && c->hw.has_dirty) &&
	    !(check_is_on(c, CHECK_ACCOUNTING) && removed.last >= removed.iova))
		return;
	check_sweep(c, removed.last >= removed.iova ? &removed : NULL, span.iova, span.last);
}

void check_called(struct check *c, const struct call *call, const struct call_result *res)
{
	struct call_range span = { UINT64_MAX, 0 };
	struct call_expect want = c->want;
	struct call_result seen = check_seen(c, res, &want);

	res = &seen;
	check_result(c, call, res, &want);
	if (c->blind) {
		check_blind(c, call, &want);
		return;
	}
	if (call->kind == CALL_DIRTY && !want.ret)
		dirty_report(c, call, res);
	dirty_written(c);
	if (check_is_on(c, CHECK_INFLIGHT) || (check_is_on(c, CHECK_WRITEBACK) && !c->hw.cfg.coherent))
		explore_log(c, call, &want);
	account_log(c, call, &want, &span);
	explore_settle(c);
	check_apply(c, call, &want);
	check_unchanged(c, call, &want, &span);
	if (want.ret != -ENOMEM && want.root_level != c->root_level)
		check_report(c, VERDICT_NOT_OPTIMAL, 3, c->root_level, KIND_TABLE, KIND_TABLE, &call->iova,
			     "the root is at level %u, expected %u", c->root_level, want.root_level);
	account_end(c, call, res);
	check_count(c, CHECK_PROGRESS, 1);
	check_touched(c, call, &want, span);
}

/* The root has grown as far as whoever succeeded needs, and not further than somebody asked for. */
static void check_round_root(struct check *c, unsigned before)
{
	unsigned i, least = before, most = before;

	for (i = 0; i < c->writers_nr; i++) {
		const struct call_expect *want = &c->writers[i].want;

		if (want->ret != -ENOMEM && want->root_level > least)
			least = want->root_level;
		if (want->root_level > most)
			most = want->root_level;
	}
	check_count(c, CHECK_LAYOUT, 1);
	if (c->root_level < least || c->root_level > most)
		check_report(c, VERDICT_NOT_OPTIMAL, 3, c->root_level, KIND_TABLE, KIND_TABLE, NULL, "the root is at level %u, expected %u%s",
			     c->root_level, least, most > least ? " or more" : "");
}

void check_round(struct check *c)
{
	unsigned i, root_level = c->root_level;

	for (i = 0; i < c->writers_nr; i++) {
		struct writer *w = &c->writers[i];

		c->by = w->id;
		w->res = check_seen(c, &w->res, &w->want);
		check_result(c, &w->call, &w->res, &w->want);
		if (w->call.kind == CALL_DIRTY && !w->want.ret)
			dirty_report(c, &w->call, &w->res);
	}
	c->by = 0;
	for (i = 0; c->blind && i < c->writers_nr; i++)
		check_blind(c, &c->writers[i].call, &c->writers[i].want);
	if (c->blind)
		return;
	dirty_written(c);
	if (check_is_on(c, CHECK_INFLIGHT) || (check_is_on(c, CHECK_WRITEBACK) && !c->hw.cfg.coherent))
		explore_round(c);
	account_round(c);
	explore_settle(c);
	for (i = 0; i < c->writers_nr; i++) {
		struct writer *w = &c->writers[i];

		c->by = w->id;
		check_apply(c, &w->call, &w->want);
		check_unchanged(c, &w->call, &w->want, &w->span);
		check_count(c, CHECK_PROGRESS, 1);
	}
	c->by = 0;
	check_round_root(c, root_level);
	account_round_end(c);
	for (i = 0; i < c->writers_nr; i++) {
		c->by = c->writers[i].id;
		check_touched(c, &c->writers[i].call, &c->writers[i].want, c->writers[i].span);
	}
	c->by = 0;
	c->writers_nr = 0;
}

void check_root(struct check *c, uint64_t pa, unsigned level)
{
	check_count(c, CHECK_INFLIGHT, 1);
	if ((pa != c->view->root || level != c->view->root_level) && check_is_on(c, CHECK_INFLIGHT))
		check_report(c, VERDICT_FAULT_WINDOW, 2, level, KIND_TABLE, KIND_TABLE, NULL,
			     "the engine goes on from the root at 0x%llx, level %u, the device from the one at 0x%llx, level %u",
			     (unsigned long long)pa, level, (unsigned long long)c->view->root, c->view->root_level);
}

void check_device(struct check *c, uint64_t iova, bool write, bool ok)
{
	const struct imap_piece *p = hw_iova_valid(&c->hw, iova) ? imap_find(&c->im, iova, NULL) : NULL;
	bool want = p && (p->prot & (write ? PROT_W : PROT_R));
	struct layout_leaf leaf;

	check_count(c, CHECK_TRANSLATION, 1);
	if (want != ok && check_is_on(c, CHECK_TRANSLATION))
		check_report(c, p ? VERDICT_WRONG_PERMISSION : VERDICT_WRONG_OA, 1, VERDICT_LEVEL_NONE, want ? KIND_LEAF : KIND_HOLE,
			     ok ? KIND_LEAF : KIND_HOLE, &iova, "the device's %s of iova 0x%llx was %s", write ? "write" : "read",
			     (unsigned long long)iova, ok ? "allowed" : "refused");
	if (!want || !write || !c->hw.has_dirty)
		return;
	dirty_written(c);
	leaf = layout_leaf(c->hw.cfg.pgsizes, p, iova);
	sweep(c, NULL, leaf.iova, leaf.last);
}

void check_all(struct check *c)
{
	if (c->blind)
		return;
	if (c->hw.has_low)
		sweep(c, NULL, 0, c->hw.iova_low_last);
	if (c->hw.has_high)
		sweep(c, NULL, c->hw.iova_high_first, UINT64_MAX);
	if (c->view->live_nr != c->linked_nr + c->unlinked_nr && check_is_on(c, CHECK_ACCOUNTING))
		check_report(c, VERDICT_LEAK, 8, VERDICT_LEVEL_NONE, KIND_NONE, KIND_TABLE, NULL, "%llu tables are live, %llu are linked",
			     (unsigned long long)c->view->live_nr, (unsigned long long)c->linked_nr);
}

void check_destroyed(struct check *c)
{
	check_count(c, CHECK_ACCOUNTING, 1);
	if (!c->blind)
		account_teardown(c);
	if (c->view->live_nr && check_is_on(c, CHECK_ACCOUNTING))
		check_report(c, VERDICT_LEAK, 8, VERDICT_LEVEL_NONE, KIND_NONE, KIND_TABLE, NULL, "%llu tables are left after teardown",
			     (unsigned long long)c->view->live_nr);
}
