/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pick.c - choices that make an operation interesting; see pick.h.
 *
 * The binary form replays through these functions: a change here changes what old fuzz inputs mean (not what text traces mean), so the
 * number, order and bounds of the draws are only changed for a reason, together with the pinned input in tests/test_trace_bin.c.
 */
#include "pick.h"

#include "../oracle/layout.h"

#include <string.h>

/* How far to look for a hole or for a piece that can be split. */
#define SCAN_HOLE_MAX 256
#define SCAN_PIECE_MAX 4
#define PICK_LARGE_TRIES 8
#define SCAN_CLIP_MAX 64

/* What part of the leaves that are allowed an operation may usually have. */
#define LEAVES_USUAL_PART 64

/* The largest of each class of oa but the last, as a fraction of the space: a right shift. */
static const uint8_t oa_class_shift[PICK_OA_CLASSES - 1] = { 24, 16, 10 };

/* A valid part of the iova space, or a part of the oa space. */
struct part {
	uint64_t first, last;
};

/* The run of equal leaves that is largest in the layout of a piece. */
struct run {
	unsigned page_lg2;
	uint64_t first, nr;
};

static uint64_t mask(unsigned lg2)
{
	return lg2 < 64 ? (UINT64_C(1) << lg2) - 1 : UINT64_MAX;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static unsigned largest_lg2(uint64_t sizes)
{
	return 63 - __builtin_clzll(sizes);
}

static uint64_t without_largest(uint64_t sizes)
{
	return sizes & mask(largest_lg2(sizes));
}

static uint64_t page_sizes(const struct hw *hw)
{
	uint64_t sizes = hw->cfg.pgsizes & hw->leaf_sizes;

	if (!sizes)
		sizes = hw->leaf_sizes;
	return sizes ? sizes : UINT64_C(1) << 12;
}

static uint64_t oa_max(const struct hw *hw)
{
	return mask(hw->oa_lg2);
}

static struct part part_low(const struct hw *hw)
{
	return (struct part){ 0, hw->iova_low_last };
}

static struct part part_high(const struct hw *hw)
{
	return (struct part){ hw->iova_high_first, UINT64_MAX };
}

/* The part that iova lies in; one that is valid if it lies in none. */
static struct part part_of(const struct hw *hw, uint64_t iova)
{
	if (hw->has_high && (!hw->has_low || iova >= hw->iova_high_first))
		return part_high(hw);
	return part_low(hw);
}

static uint64_t draw64(struct pick *p, uint64_t bound)
{
	uint64_t high;

	if (bound <= UINT32_MAX)
		return p->draw(p->source, bound ? bound : 1);
	high = p->draw(p->source, UINT32_MAX);
	return (high << 32 | p->draw(p->source, UINT32_MAX)) % bound;
}

static uint32_t draw(struct pick *p, uint32_t bound)
{
	return p->draw(p->source, bound);
}

/* --- layout --- */

/* The largest pages in the greedy layout. sizes: those to choose from; the smallest counts as fitting in any case. */
static struct run pick_run(uint64_t sizes, uint64_t iova, uint64_t last, uint64_t oa)
{
	unsigned smallest = __builtin_ctzll(sizes);

	if (iova != oa)
		sizes &= mask(__builtin_ctzll(iova ^ oa)) << 1 | 1;
	for (; sizes & ~mask(smallest + 1); sizes = without_largest(sizes)) {
		unsigned lg2 = largest_lg2(sizes);
		uint64_t first = (iova + mask(lg2)) & ~mask(lg2);

		if (first >= iova && first <= last && last - first >= mask(lg2))
			return (struct run){ lg2, first, ((last - first - mask(lg2)) >> lg2) + 1 };
	}
	return (struct run){ smallest, iova, ((last - iova) >> smallest) + 1 };
}

uint64_t pick_leaves(const struct hw *hw, uint64_t iova, uint64_t last, uint64_t oa)
{
	uint64_t sizes = page_sizes(hw), before, after, nr;
	struct run run;

	if (last < iova)
		return 0;
	run = pick_run(sizes, iova, last, oa);
	nr = run.nr;
	/* What is left on both sides is smaller than a page of the run and aligned at the run's end of it. */
	before = run.first - iova;
	after = (last - run.first + 1) & mask(run.page_lg2);
	for (sizes &= mask(run.page_lg2); sizes; sizes = without_largest(sizes)) {
		unsigned lg2 = largest_lg2(sizes);

		nr += (before >> lg2) + (after >> lg2);
		before &= mask(lg2);
		after &= mask(lg2);
	}
	return nr;
}

bool pick_is_huge(const struct hw *hw, const struct op *op)
{
	return op->kind == OP_MAP && op->last > op->iova && pick_leaves(hw, op->iova, op->last, op->oa) > PICK_LEAVES_MAX;
}

/* --- what the caller may build on --- */

void pick_init(struct pick *p, uint32_t (*draw)(void *, uint32_t), void *source, const struct imap *im, const struct hw *hw)
{
	memset(p, 0, sizeof(*p));
	p->draw = draw;
	p->source = source;
	p->im = im;
	p->hw = hw;
	p->leaves_max = PICK_LEAVES_MAX;
}

unsigned pick_granule_lg2(const struct hw *hw)
{
	return __builtin_ctzll(page_sizes(hw));
}

static uint64_t granule(const struct pick *p)
{
	return UINT64_C(1) << pick_granule_lg2(p->hw);
}

static uint64_t page_down(const struct pick *p, uint64_t iova)
{
	return iova & ~(granule(p) - 1);
}

unsigned pick_page_lg2(struct pick *p)
{
	const struct hw *hw = p->hw;
	struct part part = part_of(hw, hw->has_low ? 0 : UINT64_MAX);
	uint64_t sizes = page_sizes(hw), span = min_u64(part.last - part.first, oa_max(hw));
	unsigned x = draw(p, 256);

	while (without_largest(sizes) && mask(largest_lg2(sizes)) > span)
		sizes = without_largest(sizes);
	for (x = (x * x + 256 * x) * __builtin_popcountll(sizes) >> 17; x; x--)
		sizes &= sizes - 1;
	return __builtin_ctzll(sizes);
}

const struct imap_piece *pick_piece(struct pick *p)
{
	return p->im->nr ? imap_nth(p->im, draw64(p, min_u64(p->im->nr, UINT32_MAX))) : NULL;
}

/* A piece that has a leaf which can be split, if one is near one of the pieces drawn; small pieces come in clusters. */
static const struct imap_piece *pick_large_piece(struct pick *p)
{
	const struct imap_piece *first = pick_piece(p), *piece = first;
	struct imap_pos pos;

	for (unsigned tries = 0; piece && tries < PICK_LARGE_TRIES; tries++, piece = pick_piece(p)) {
		imap_find(p->im, piece->iova, &pos);
		for (unsigned i = 0; piece && i < SCAN_PIECE_MAX; i++) {
			if (pick_run(page_sizes(p->hw), piece->iova, piece->last, piece->oa).page_lg2 > pick_granule_lg2(p->hw))
				return piece;
			piece = imap_next(&pos);
		}
	}
	return first;
}

/* An aligned address in [first, last] other than first, if there is one. */
static uint64_t pick_between(struct pick *p, uint64_t first, uint64_t last)
{
	unsigned lg2 = pick_granule_lg2(p->hw);
	uint64_t nr = (last - first) >> lg2, boundary; /* granules after the first */

	if (!nr)
		return first;
	switch (draw(p, 4)) {
	case 0:
		return first + ((1 + draw64(p, min_u64(nr, 16))) << lg2);
	case 1:
		return first + ((nr - draw64(p, min_u64(nr, 16))) << lg2);
	case 2:
		lg2 = pick_page_lg2(p);
		boundary = (first | mask(lg2)) + 1;
		if (boundary > first && boundary <= last)
			return boundary + (draw64(p, ((last - boundary) >> lg2) + 1) << lg2);
		return first + ((nr + 1) / 2 << pick_granule_lg2(p->hw));
	default:
		return first + ((1 + draw64(p, nr)) << lg2);
	}
}

uint64_t pick_inside(struct pick *p, const struct imap_piece *piece)
{
	struct run run = pick_run(page_sizes(p->hw), piece->iova, piece->last, piece->oa);
	uint64_t first;

	if (run.page_lg2 == pick_granule_lg2(p->hw) || !draw(p, 4))
		return pick_between(p, piece->iova, piece->last);
	first = run.first + (draw64(p, run.nr) << run.page_lg2);
	return pick_between(p, first, first + mask(run.page_lg2));
}

/* The ends of the aperture and what lies just beyond them. */
static uint64_t pick_edge(struct pick *p)
{
	const struct hw *hw = p->hw;

	switch (draw(p, 6)) {
	case 0:
		return hw->has_low ? 0 : hw->iova_high_first;
	case 1:
		return hw->has_low ? page_down(p, hw->iova_low_last) : UINT64_MAX & ~(granule(p) - 1);
	case 2:
		return hw->has_high ? hw->iova_high_first : 0;
	case 3:
		return hw->has_high ? page_down(p, UINT64_MAX) : page_down(p, hw->iova_low_last);
	case 4:
		return hw->has_low ? hw->iova_low_last + 1 : 0;
	default:
		return hw->has_high ? hw->iova_high_first - granule(p) : page_down(p, UINT64_MAX);
	}
}

static uint64_t pick_recent(struct pick *p)
{
	return page_down(p, p->recent[draw(p, PICK_RECENT_NR)]);
}

/* iova moved up by the span of some root lower than the highest one. */
static uint64_t beyond_root(struct pick *p, uint64_t iova)
{
	unsigned level = p->hw->top_level + draw(p, p->hw->top_level_max - p->hw->top_level);

	return iova + ((uint64_t)(1 + draw(p, 3)) << (p->hw->item_lg2[level] + p->hw->index_lg2[level]));
}

uint64_t pick_iova(struct pick *p)
{
	unsigned how = draw(p, 16);
	const struct imap_piece *piece;
	uint64_t iova;

	if (how == 0)
		return pick_edge(p);
	piece = how > 2 ? pick_piece(p) : NULL;
	if (!piece)
		return pick_recent(p) + (draw(p, 3) - UINT64_C(1)) * granule(p);
	switch (how) {
	case 3:
	case 4:
		iova = piece->iova;
		break;
	case 5:
	case 6:
		iova = piece->last + 1;
		break;
	case 7:
		iova = page_down(p, piece->iova + (piece->last - piece->iova) / 2);
		break;
	default:
		iova = pick_inside(p, piece);
		break;
	}
	how = draw(p, 16);
	if (how < 2)
		iova += how ? granule(p) : -granule(p);
	/* Beyond a root that has not grown yet, where the index bits that it has are those of something live. */
	if (how == 2 && p->hw->top_level < p->hw->top_level_max)
		iova = beyond_root(p, iova);
	return iova;
}

uint64_t pick_length(struct pick *p, unsigned page_lg2)
{
	uint64_t nr = 1, odd = 0, length;

	switch (draw(p, 8)) {
	case 0:
	case 1:
		nr += draw(p, 8);
		break;
	case 2:
		nr += draw(p, 64);
		break;
	case 3:
		nr += draw(p, 512);
		break;
	case 4:
		nr += draw(p, 4);
		odd = (1 + (uint64_t)draw(p, 16)) * granule(p);
		break;
	default:
		break;
	}
	nr = min_u64(nr, p->leaves_max ? p->leaves_max : 1);
	length = nr << page_lg2;
	if (length >> page_lg2 != nr)
		length = UINT64_C(1) << page_lg2;
	if (odd < length && draw(p, 2))
		odd = -odd;
	return length + odd ? length + odd : length;
}

/*
 * Where oas for this many bytes are handed out. Four regions, so that a few giants, which go round theirs at once, don't make small maps
 * share oas with what is still mapped. The lowest eighth of the space is left to 0 and to what low iovas are equal to.
 */
static struct part oa_region(const struct hw *hw, uint64_t bytes_less_one, unsigned *class)
{
	uint64_t max = oa_max(hw), eighth = (max >> 3) + 1;

	*class = 0;
	while (*class < PICK_OA_CLASSES - 1 && bytes_less_one > max >> oa_class_shift[*class])
		++*class;
	if (*class == PICK_OA_CLASSES - 1)
		return (struct part){ 4 * eighth, max };
	return (struct part){ (*class + 1) * eighth, (*class + 2) * eighth - 1 };
}

/* An oa congruent to iova modulo 2^lg2, with bytes_less_one more above it, that has not been given out since its region was last full. */
static uint64_t fresh_oa(struct pick *p, uint64_t iova, uint64_t bytes_less_one, unsigned lg2)
{
	uint64_t offset = iova & mask(lg2) & ~(granule(p) - 1), oa;
	unsigned class;
	struct part region = oa_region(p->hw, bytes_less_one | mask(lg2), &class);

	for (unsigned lap = 0; lap < 2; lap++, p->next_oa[class] = region.first) {
		if (p->next_oa[class] < region.first)
			p->next_oa[class] = region.first;
		if (__builtin_add_overflow(p->next_oa[class], mask(lg2), &oa))
			continue;
		oa = (oa & ~mask(lg2)) + offset;
		if (oa == iova)
			oa += mask(lg2) + 1;
		if (oa < p->next_oa[class] || oa > region.last || region.last - oa < bytes_less_one)
			continue;
		p->next_oa[class] = oa + bytes_less_one + 1;
		return oa;
	}
	return offset <= oa_max(p->hw) ? offset : 0;
}

static uint64_t odd_oa(struct pick *p, uint64_t iova, uint64_t bytes_less_one)
{
	uint64_t max = oa_max(p->hw);

	switch (draw(p, 4)) {
	case 0:
		return iova & max;
	case 1:
		return page_down(p, max - min_u64(bytes_less_one, max));
	case 2:
		return 0;
	default:
		return page_down(p, draw64(p, max));
	}
}

uint64_t pick_oa(struct pick *p, uint64_t iova, uint64_t last, unsigned page_lg2)
{
	unsigned how = draw(p, 16), granule_lg2 = pick_granule_lg2(p->hw), largest = granule_lg2;
	uint64_t bytes_less_one = last - iova;

	for (uint64_t sizes = page_sizes(p->hw); sizes; sizes &= sizes - 1) {
		if (mask(__builtin_ctzll(sizes)) <= bytes_less_one)
			largest = __builtin_ctzll(sizes);
	}
	if (how == 0)
		return odd_oa(p, iova, bytes_less_one);
	if (how == 1)
		return fresh_oa(p, iova + granule(p), bytes_less_one, page_lg2);
	if (how == 2)
		return fresh_oa(p, iova, bytes_less_one, pick_page_lg2(p));
	return fresh_oa(p, iova, bytes_less_one, how < 9 ? largest : page_lg2);
}

unsigned pick_prot(struct pick *p)
{
	bool (*expressible)(const struct hw *, unsigned) = p->hw->format ? p->hw->format->expressible : NULL;
	unsigned how = draw(p, 256), prot;

	if (how < 128)
		prot = PROT_R | PROT_W;
	else if (how < 160)
		prot = PROT_R;
	else
		prot = draw(p, PROT_ALL + 1);
	if (!expressible || how >= 252)
		return prot;
	for (unsigned i = 0; i <= PROT_ALL && !expressible(p->hw, prot); i++)
		prot = (prot + 1) & PROT_ALL;
	return prot;
}

/* --- whole operations --- */

static void remember(struct pick *p, uint64_t iova)
{
	p->recent[p->recent_idx++ % PICK_RECENT_NR] = iova;
}

/* An iova of the aperture, aligned to the page, among the first 65536 of its part. */
/* All bits up to the highest one of v. */
static uint64_t mask_of(uint64_t v)
{
	return v ? UINT64_MAX >> __builtin_clzll(v) : 0;
}

static uint64_t pick_anywhere(struct pick *p, unsigned page_lg2)
{
	const struct hw *hw = p->hw;
	bool high = hw->has_high && (!hw->has_low || draw(p, 2));
	struct part part = high ? part_high(hw) : part_low(hw);
	uint64_t pages = (part.last - part.first) >> page_lg2, iova;
	unsigned level;

	if (draw(p, 2))
		return part.first + (draw64(p, min_u64(pages, 0xffff) + 1) << page_lg2);
	/* Every table on the way at its first item, its last, or any. */
	for (iova = 0, level = 0; level <= hw->top_level_max; level++) {
		uint64_t items = UINT64_C(1) << hw->index_lg2[level], how = draw(p, 4);

		if (hw->item_lg2[level] < 64)
			iova |= (how == 0 ? 0 : how == 1 ? items - 1 : draw64(p, items)) << hw->item_lg2[level];
	}
	iova = part.first + (iova & mask_of(part.last - part.first));
	return iova & ~mask(page_lg2);
}

/* Where to map length bytes: beside live pieces, where something was before, anywhere, at the edges. */
static uint64_t pick_place(struct pick *p, unsigned page_lg2, uint64_t length)
{
	unsigned how = draw(p, 16);
	const struct imap_piece *piece = how < 7 ? pick_piece(p) : NULL;
	uint64_t iova;

	if (piece && how < 5) {
		iova = piece->last + 1;
		if (how < 3)
			iova = (iova + mask(page_lg2)) & ~mask(page_lg2);
	} else if (piece) {
		iova = piece->iova - length;
	} else if (how < 11) {
		iova = (pick_recent(p) & ~mask(page_lg2)) + ((uint64_t)draw(p, 8) - 4) * (mask(page_lg2) + 1);
	} else if (how == 11) {
		iova = pick_edge(p);
		if (iova + length - 1 < iova || iova + length - 1 > part_of(p->hw, iova).last)
			iova -= length - granule(p);
	} else {
		return pick_anywhere(p, page_lg2);
	}
	return hw_iova_valid(p->hw, iova) ? iova : pick_anywhere(p, page_lg2);
}

/* The first address from iova on that is not mapped; iova itself if none is found in its part. */
static uint64_t skip_pieces(const struct pick *p, uint64_t iova)
{
	struct part part = part_of(p->hw, iova);
	struct imap_pos pos;
	const struct imap_piece *piece;
	uint64_t at = iova;

	for (unsigned lap = 0; lap < 2; lap++, at = part.first) {
		piece = imap_from(p->im, at, &pos);
		for (unsigned i = 0; piece && piece->iova <= at && piece->last < part.last && i < SCAN_HOLE_MAX; i++) {
			at = piece->last + 1;
			piece = imap_next(&pos);
		}
		if (!piece || piece->iova > at)
			return at;
	}
	return iova;
}

/* Shorten a map to leaves_max leaves; mostly to far fewer, or a few giants would take all the time. */
static void clip_map(struct pick *p, struct op *op)
{
	uint64_t after_first, most = p->leaves_max / LEAVES_USUAL_PART;
	unsigned lg2 = pick_granule_lg2(p->hw);

	if (pick_leaves(p->hw, op->iova, op->last, op->oa) > most && !draw(p, 64))
		most = p->leaves_max;
	while (pick_leaves(p->hw, op->iova, op->last, op->oa) > most) {
		after_first = (op->last - op->iova) >> lg2;
		if (!after_first)
			break;
		op->last = op->iova + ((after_first - 1) / 2 << lg2) + mask(lg2);
	}
}

/* Shorten [iova, last] so that it ends before the next piece, if it starts in a hole. */
static void stop_before_piece(const struct pick *p, struct op *op)
{
	const struct imap_piece *piece = imap_from(p->im, op->iova, NULL);

	if (piece && piece->iova > op->iova && piece->iova <= op->last)
		op->last = piece->iova - 1;
}

static void set_length(const struct pick *p, struct op *op, uint64_t length)
{
	struct part part = part_of(p->hw, op->iova);

	op->last = op->iova + length - 1;
	if (hw_iova_valid(p->hw, op->iova) && (op->last < op->iova || op->last > part.last))
		op->last = part.last;
}

static void pick_map(struct pick *p, struct op *op)
{
	unsigned page_lg2 = pick_page_lg2(p);
	uint64_t length = pick_length(p, page_lg2), room;

	op->iova = pick_place(p, page_lg2, length);
	if (draw(p, 32)) {
		op->iova = skip_pieces(p, op->iova);
		set_length(p, op, length);
		stop_before_piece(p, op);
	} else {
		op->iova = pick_iova(p);
		set_length(p, op, length);
	}
	op->oa = pick_oa(p, op->iova, op->last, page_lg2);
	op->prot = pick_prot(p);
	if (op->last < op->iova)
		return;
	room = oa_max(p->hw) - min_u64(op->oa, oa_max(p->hw));
	op->last = op->iova + min_u64(op->last - op->iova, room);
	clip_map(p, op);
}

/* Shorten an unmap or dirty so that it touches leaves_max leaves at most. Whole pieces are counted. */
static void clip_to_leaves(const struct pick *p, struct op *op)
{
	uint64_t leaves = 0, end = op->iova;
	struct imap_pos pos;
	const struct imap_piece *piece = imap_from(p->im, op->iova, &pos);

	for (unsigned i = 0; piece && piece->iova <= op->last; i++) {
		leaves += pick_leaves(p->hw, piece->iova, piece->last, piece->oa);
		if (i && (leaves > p->leaves_max || i == SCAN_CLIP_MAX)) {
			op->last = end;
			return;
		}
		end = piece->last;
		piece = imap_next(&pos);
	}
}

/* The last address of the n-th piece after this one, fewer if there is a hole. */
static uint64_t adjacent_last(const struct pick *p, const struct imap_piece *piece, unsigned n)
{
	uint64_t last = piece->last;
	struct imap_pos pos;

	imap_find(p->im, piece->iova, &pos);
	while (n-- && (piece = imap_next(&pos)) && piece->iova == last + 1)
		last = piece->last;
	return last;
}

/* A range for unmap and dirty: mostly a whole piece, a third of the time part of one. */
static void pick_range(struct pick *p, struct op *op)
{
	unsigned how = draw(p, 16);
	const struct imap_piece *piece = how < 15 ? pick_piece(p) : NULL;
	struct run run;

	if (!piece) {
		op->iova = pick_iova(p);
		set_length(p, op, pick_length(p, pick_page_lg2(p)));
		return;
	}
	op->iova = piece->iova;
	op->last = piece->last;
	if (how < 3) {
		/* from the start, so many pages */
		set_length(p, op, pick_length(p, pick_page_lg2(p)));
	} else if (how == 3) {
		op->last = pick_inside(p, piece) - 1;
		if (op->last < op->iova || op->last > piece->last)
			op->last = piece->last;
	} else if (how == 4) {
		/* from a leaf on */
		run = pick_run(page_sizes(p->hw), piece->iova, piece->last, piece->oa);
		op->iova = run.first + (draw64(p, run.nr) << run.page_lg2);
	} else if (how == 5) {
		/* from the middle of a leaf on: nothing is removed */
		op->iova = pick_inside(p, piece);
	} else if (how == 6) {
		op->last = adjacent_last(p, piece, 1 + draw(p, 16));
	}
}

static void pick_point(struct pick *p, struct op *op)
{
	const struct imap_piece *piece = draw(p, 8) ? pick_piece(p) : NULL;

	if (!piece)
		op->iova = pick_iova(p);
	else
		op->iova = draw(p, 4) ? pick_inside(p, piece) : piece->iova;
	if (op->kind != OP_CUT && !draw(p, 4))
		op->iova += draw64(p, granule(p));
}

/* How many leaves a cut at iova makes of the one that holds it; where sizes between are disabled that can be millions. */
static uint64_t cut_leaves(const struct pick *p, const struct imap_piece *piece, uint64_t iova)
{
	struct layout_leaf leaf = layout_leaf(page_sizes(p->hw), piece, iova);
	uint64_t oa = piece->oa + (leaf.iova - piece->iova);

	if (leaf.iova == iova)
		return 0;
	return pick_leaves(p->hw, leaf.iova, iova - 1, oa) + pick_leaves(p->hw, iova, leaf.last, oa + (iova - leaf.iova));
}

void pick_op(struct pick *p, enum op_kind kind, struct op *op)
{
	const struct imap_piece *piece;
	uint64_t leaves;

	memset(op, 0, sizeof(*op));
	op->kind = kind;
	switch (kind) {
	case OP_MAP:
		pick_map(p, op);
		break;
	case OP_CUT:
		piece = draw(p, 16) ? pick_large_piece(p) : NULL;
		op->iova = piece ? pick_inside(p, piece) : pick_iova(p);
		piece = imap_find(p->im, op->iova, NULL);
		/*
		 * One leaf of a size far above the next may be worth more leaves than an operation should have: seldom, and not millions.
		 */
		leaves = piece ? cut_leaves(p, piece, op->iova) : 0;
		if (leaves > p->leaves_max && (leaves > 4 * PICK_LEAVES_MAX || draw(p, 16)))
			op->iova = piece->iova;
		break;
	case OP_UNMAP:
	case OP_DIRTY:
		pick_range(p, op);
		/* What the device has written to lately is worth asking for. */
		piece = kind == OP_DIRTY && draw(p, 2) ? imap_find(p->im, p->recent[draw(p, PICK_RECENT_NR)], NULL) : NULL;
		if (piece) {
			op->iova = piece->iova;
			op->last = piece->last;
		}
		clip_to_leaves(p, op);
		op->clear = kind == OP_DIRTY && draw(p, 2);
		break;
	case OP_SYNC:
		return;
	default:
		pick_point(p, op);
		break;
	}
	remember(p, op->iova);
	if ((kind == OP_MAP || kind == OP_UNMAP) && op->last != UINT64_MAX)
		remember(p, op->last + 1);
}

void pick_seen(struct pick *p, const struct op *op)
{
	uint64_t bytes_less_one = op->last - op->iova;
	unsigned class;
	struct part region;

	if (op->kind == OP_SYNC || op->kind == OP_SWITCH)
		return;
	remember(p, op->iova);
	if (op->kind != OP_MAP || op->last < op->iova)
		return;
	remember(p, op->last + 1);
	region = oa_region(p->hw, bytes_less_one, &class);
	if (op->oa >= region.first && op->oa <= region.last && region.last - op->oa > bytes_less_one && op->oa + bytes_less_one >= p->next_oa[class])
		p->next_oa[class] = op->oa + bytes_less_one + 1;
}

void pick_fail(struct pick *p, struct op *op)
{
	if (op->kind <= OP_DIRTY)
		op->fail = 1 + draw(p, draw(p, 8) ? 6 : 256);
}

static uint64_t pick_device_iova(struct pick *p, const struct op *op)
{
	const struct imap_piece *piece = imap_find(p->im, op->iova, NULL);

	switch (draw(p, 4)) {
	case 0:
		return op->iova;
	case 1:
		return op->iova - granule(p);
	case 2:
		return page_down(p, op->kind == OP_CUT ? op->iova + granule(p) : op->last);
	default:
		if (piece)
			return pick_between(p, piece->iova, piece->last);
		return op->last > op->iova ? pick_between(p, op->iova, op->last) : op->iova;
	}
}

void pick_devices(struct pick *p, struct op *op)
{
	if (op->kind > OP_DIRTY)
		return;
	op->devices_nr = draw(p, 4) ? 1 : 1 + draw(p, OP_DEVICES_MAX);
	for (unsigned i = 0; i < op->devices_nr; i++) {
		struct op_device *dev = &op->devices[i];

		dev->at = draw(p, draw(p, 4) ? 16 : 1024);
		dev->write = draw(p, 4);
		dev->iova = pick_device_iova(p, op);
	}
}

void pick_spoil(struct pick *p, struct op *op)
{
	const struct hw *hw = p->hw;
	uint64_t odd = UINT64_C(1) << draw(p, pick_granule_lg2(hw)), length_less_one = op->last - op->iova;

	switch (draw(p, 10)) {
	case 0:
		op->iova += odd;
		break;
	case 1:
		op->oa += odd;
		break;
	case 2:
		op->last += draw(p, 2) ? odd : -odd;
		break;
	case 3:
		op->last = op->iova ? op->iova - 1 : op->last;
		break;
	case 4:
		op->prot = draw(p, 256);
		break;
	case 5:
		op->iova = pick_edge(p);
		op->last = op->iova + length_less_one;
		break;
	case 6:
		/* across the end of the part */
		op->last = part_of(hw, op->iova).last + granule(p);
		break;
	case 7:
		/* from the lower part into the upper one */
		op->last = hw->has_high ? page_down(p, hw->iova_high_first + length_less_one) + granule(p) - 1 : UINT64_MAX;
		break;
	case 8:
		/* so long that the last oa wraps */
		op->last = part_of(hw, op->iova).last;
		op->oa = op->iova + granule(p);
		break;
	default:
		/* the last granule, or all of it, beyond the last oa */
		op->oa = oa_max(hw) - (draw(p, 2) ? length_less_one - granule(p) : UINT64_MAX);
		break;
	}
	/* Moved to where nothing is aligned any more, a map that is still valid may have any number of leaves. */
	if (op->kind == OP_MAP && op->last >= op->iova && !((op->iova | (op->last + 1) | op->oa) & (granule(p) - 1)))
		clip_map(p, op);
}
