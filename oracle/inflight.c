/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inflight.c - compares walks in flight with the translations before and after. */
#include "inflight.h"

#include <stdio.h>
#include <string.h>

void inflight_init(struct inflight *j, struct check *c, const struct call *call, const struct call_expect *want)
{
	*j = (struct inflight){ .c = c, .call = call, .around_first = 1, .around_last = 0 };
	j->cut = call->kind == CALL_CUT && !want->ret;
	j->changes = want->done && (call->kind == CALL_MAP || call->kind == CALL_UNMAP);
	j->first = call->iova;
	j->last = want->done_last;
}

/* Look up what is around iova in the map before the operation. Neighbours ask for the same again and again. */
static void inflight_around(struct inflight *j, uint64_t iova)
{
	const struct imap_piece *p;
	struct imap_pos pos;

	if (iova >= j->around_first && iova <= j->around_last)
		return;
	p = imap_from(&j->c->im, iova, &pos);
	j->mapped = p && p->iova <= iova;
	if (j->mapped) {
		j->piece = *p;
		j->around_first = p->iova;
		j->around_last = p->last;
	} else {
		j->around_first = iova;
		j->around_last = p ? p->iova - 1 : UINT64_MAX;
	}
}

/* Whether seen is, at iova, what piece says; NULL: a hole. */
static bool inflight_is(const struct inflight_seen *seen, uint64_t iova, const struct imap_piece *piece)
{
	if (!piece)
		return seen->kind == EXPLORE_FAULT;
	return seen->kind == EXPLORE_LEAF && seen->oa + (iova - seen->iova) == piece->oa + (iova - piece->iova) &&
	       seen->prot == piece->prot;
}

/* The piece that holds iova after the operation, or NULL. */
static const struct imap_piece *inflight_after(const struct inflight *j, uint64_t iova, struct imap_piece *after)
{
	bool within = j->changes && iova >= j->first && iova <= j->last;

	if (within && j->call->kind == CALL_UNMAP)
		return NULL;
	if (within) {
		*after = (struct imap_piece){ .iova = j->first, .last = j->last, .oa = j->call->oa, .prot = (uint8_t)j->call->prot };
		return after;
	}
	if (!j->mapped)
		return NULL;
	*after = j->piece;
	/* What a cut or an unmap leaves of a piece is a piece, and laid out as one. */
	if (j->cut && after->iova < j->call->iova && after->last >= j->call->iova) {
		if (iova < j->call->iova) {
			after->last = j->call->iova - 1;
		} else {
			after->oa += j->call->iova - after->iova;
			after->iova = j->call->iova;
		}
	} else if (j->changes && iova < j->first && after->last >= j->first) {
		after->last = j->first - 1;
	} else if (j->changes && iova > j->last && after->iova <= j->last) {
		after->oa += j->last + 1 - after->iova;
		after->iova = j->last + 1;
	}
	return after;
}

/* --- what is said about it --- */

/* "2M" */
static void inflight_say_size(unsigned size_lg2, char *buf, size_t bytes)
{
	snprintf(buf, bytes, "%u%c", 1u << size_lg2 % 10, " KMGTPE"[size_lg2 / 10]);
}

static void inflight_say_leaf(uint64_t oa, unsigned prot, unsigned size_lg2, char *buf, size_t bytes)
{
	char words[32], size[8];

	inflight_say_size(size_lg2, size, sizeof(size));
	snprintf(buf, bytes, "oa 0x%llx %s, in a leaf of %s", (unsigned long long)oa, hw_prot_words(prot, words, sizeof(words)), size);
}

static void inflight_say_piece(const struct inflight *j, const struct imap_piece *p, uint64_t iova, char *buf, size_t bytes)
{
	if (p)
		inflight_say_leaf(p->oa + (iova - p->iova), p->prot, layout_leaf(j->c->hw.cfg.pgsizes, p, iova).size_lg2, buf, bytes);
	else
		snprintf(buf, bytes, "a fault");
}

static void inflight_say_seen(const struct inflight_seen *seen, uint64_t iova, char *buf, size_t bytes)
{
	switch (seen->kind) {
	case EXPLORE_LEAF:
		inflight_say_leaf(seen->oa + (iova - seen->iova), seen->prot, seen->size_lg2, buf, bytes);
		break;
	case EXPLORE_FAULT:
		snprintf(buf, bytes, "a fault");
		break;
	case EXPLORE_BAD:
		snprintf(buf, bytes, "a forbidden entry: %s", seen->why);
		break;
	case EXPLORE_WILD:
		snprintf(buf, bytes, "%s level-%u table that %s", strncmp(seen->why, "points", 6) ? "reads of a" : "a pointer to a",
			 seen->level, seen->why);
		break;
	}
}

/* What kind of finding a walk is that comes to seen where piece (NULL: a hole) was mapped before. */
static enum verdict_class inflight_class(const struct inflight_seen *seen, const struct imap_piece *piece, uint64_t iova)
{
	switch (seen->kind) {
	case EXPLORE_FAULT:
		return VERDICT_FAULT_WINDOW;
	case EXPLORE_BAD:
		return VERDICT_RESERVED_BITS;
	case EXPLORE_WILD:
		return seen->wild == INFLIGHT_FREED ? VERDICT_USE_AFTER_FREE : VERDICT_WALKS_DATA;
	case EXPLORE_LEAF:
		break;
	}
	if (!piece || seen->oa + (iova - seen->iova) != piece->oa + (iova - piece->iova))
		return VERDICT_WRONG_OA;
	if ((seen->prot ^ piece->prot) & PROT_ACCESS)
		return VERDICT_WRONG_PERMISSION;
	return seen->prot != piece->prot ? VERDICT_WRONG_ATTRIBUTE : VERDICT_NOT_OPTIMAL;
}

static enum verdict_kind inflight_kind(const struct check *c, const struct inflight_seen *seen)
{
	switch (seen->kind) {
	case EXPLORE_LEAF:
		return seen->size_lg2 > c->hw.item_lg2[seen->level] ? KIND_GROUP : KIND_LEAF;
	case EXPLORE_FAULT:
		return KIND_HOLE;
	default:
		return KIND_BAD;
	}
}

/* The walk to iova, when path leads to the first item of seen. Where several follow each other the last step is that of the first. */
static void inflight_steps(const struct inflight *j, const struct inflight_path *path, const struct inflight_seen *seen, uint64_t iova,
			   struct verdict *v)
{
	const struct hw *hw = &j->c->hw;
	struct verdict_step *last;
	uint64_t items;
	unsigned i;

	for (i = 0; i < path->nr; i++) {
		const struct inflight_step *s = &path->steps[i];

		v->steps[i] = (struct verdict_step){
			.level = s->level, .pa = s->pa, .raw = s->raw, .seq = s->seq, .version = s->version, .versions_nr = s->versions_nr
		};
	}
	v->steps_nr = path->nr;
	v->root_seq = path->root_seq;
	v->since_seq = j->ended ? (uint32_t)j->c->view->events_nr : path->since_seq;
	if (!path->nr || v->steps[path->nr - 1].level != seen->level)
		return;
	last = &v->steps[path->nr - 1];
	items = (iova >> hw->item_lg2[seen->level]) - (seen->iova >> hw->item_lg2[seen->level]);
	last->pa += items << hw->item_bytes_lg2;
	if (seen->kind == EXPLORE_LEAF && hw->format->decode(hw, seen->level, last->raw).span_lg2 == hw->item_lg2[seen->level])
		last->raw += items << hw->oa_step_lg2[seen->level];
}

static void __attribute__((noreturn, cold)) inflight_report(struct inflight *j, const struct inflight_path *path,
							    const struct inflight_seen *seen, uint64_t iova, const struct imap_piece *after)
{
	const struct imap_piece *before = j->mapped ? &j->piece : NULL;
	enum verdict_class class = inflight_class(seen, before ? before : after, iova);
	struct verdict v = { .guarantee = class == VERDICT_USE_AFTER_FREE ? 8 : 2, .level = seen->level };
	char is[200];
	unsigned i;

	for (i = 0; i < path->nr; i++) {
		/* A walk that snoops would not have come here: what is wrong is that something was not written back. */
		if (path->steps[i].old || j->ended) {
			class = VERDICT_MISSING_FLUSH;
			v.guarantee = 5;
		} else if (path->steps[i].torn && class != VERDICT_MISSING_FLUSH) {
			class = VERDICT_TORN_ENTRY;
		}
	}
	if (j->after && class != VERDICT_USE_AFTER_FREE && class != VERDICT_MISSING_FLUSH)
		v.guarantee = 10;
	inflight_steps(j, path, seen, iova, &v);
	v.class = class;
	v.want = before || after ? KIND_LEAF : KIND_HOLE;
	v.seen = inflight_kind(j->c, seen);
	v.has_iova = true;
	v.iova = iova;
	inflight_say_piece(j, before, iova, v.before, sizeof(v.before));
	inflight_say_piece(j, after, iova, v.after, sizeof(v.after));
	inflight_say_seen(seen, iova, is, sizeof(is));
	snprintf(v.text, sizeof(v.text), "iova 0x%llx: %s may %ssee %s", (unsigned long long)iova,
		 j->ended   ? "the operation has ended, and a device that does not snoop"
		 : j->after ? "a walk that starts when the operation has ended"
			    : "a walk in flight",
		 j->after ? "still " : "", is);
	j->c->report(j->c->report_arg, &v);
	__builtin_trap();
}

/* Whether the leaf is as large as the layout of the piece that it belongs to wants. */
static bool inflight_size_right(const struct inflight *j, const struct inflight_seen *seen, uint64_t iova, const struct imap_piece *after)
{
	return !after || layout_leaf(j->c->hw.cfg.pgsizes, after, iova).size_lg2 == seen->size_lg2;
}

void inflight_judge(struct inflight *j, const struct inflight_path *path, const struct inflight_seen *seen)
{
	uint64_t at, end;

	for (at = seen->iova;; at = end + 1) {
		struct imap_piece piece;
		const struct imap_piece *after;
		bool right;

		inflight_around(j, at);
		end = seen->last < j->around_last ? seen->last : j->around_last;
		if (j->changes && at < j->first && end >= j->first)
			end = j->first - 1;
		else if (j->changes && at <= j->last && end > j->last)
			end = j->last;
		after = inflight_after(j, at, &piece);
		right = inflight_is(seen, at, after);
		if (right && j->ended)
			right = inflight_size_right(j, seen, at, after);
		else if (!right && !j->after)
			right = inflight_is(seen, at, j->mapped ? &j->piece : NULL);
		check_count(j->c, j->ended ? CHECK_WRITEBACK : CHECK_INFLIGHT, 1);
		if (!right && check_is_on(j->c, j->ended ? CHECK_WRITEBACK : CHECK_INFLIGHT))
			inflight_report(j, path, seen, at, after);
		if (end >= seen->last)
			return;
	}
}
