/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * imap.c - the interval map as a counting B+ tree.
 *
 * Pieces lie in the leaves, which are linked in order. An inner node has for each child a fence, the address at which the child ends,
 * and the number of pieces below it. A descent takes the first child whose fence is not below the address. What holds between calls:
 *
 *  - order:  every piece of a child ends at or below the child's fence, and begins above the fence of the child before it. A fence
 *            may be higher than the last piece needs, so a remove leaves it alone and only an insert has to raise it.
 *  - edge:   the last fence of a node is the fence of the node itself in its parent; the root's is the top of the address space.
 *  - pad:    slots that are not in use read as the top of the address space, so a search is always over a whole node: a fixed number
 *            of steps without a branch.
 *  - fill:   a node other than the root has at least MIN_NR items; an inner root has two, a leaf that is the root one.
 *
 * The functions that change the shape of the tree see a node as a row of items, pieces or children. Splitting a node, merging two and
 * lending between them are one operation, level_out(), which moves the border between two neighbours.
 *
 * Nodes come from malloc: a tenth of a percent of the instructions of an insert or remove goes there, so a pool is not worth having.
 *
 * It does not check what it is told about (alignment, a format's range): to the map all of 2^64 is valid.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imap.h"

enum {
	FANOUT = 32,               /* children; also the number of results that a search can have */
	LEAF_NR = FANOUT - 1,      /* pieces; one fewer, as a search of a leaf may find none */
	MIN_NR = FANOUT / 4,       /* with fewer items a node takes from its neighbour, */
	MERGE_NR = FANOUT * 3 / 4, /* or merges with it if both together have no more than this */
	HEIGHT_MAX = 24,           /* MIN_NR to this power is more than memory can hold */
};

static_assert((FANOUT & (FANOUT - 1)) == 0, "a search halves the node down to one slot");
static_assert(MERGE_NR / 2 >= MIN_NR && MERGE_NR < LEAF_NR, "neighbours that do not merge have enough for both");

struct imap_node {
	unsigned nr;
	union {
		struct {
			struct imap_node *next;
			struct imap_piece piece[LEAF_NR];
		};
		struct {
			uint64_t fence[FANOUT];
			struct imap_node *child[FANOUT];
			size_t count[FANOUT];
		};
	};
};

/* Items */

static unsigned item_max(unsigned level)
{
	return level ? FANOUT : LEAF_NR;
}

static void items_move(unsigned level, struct imap_node *dst, unsigned to, const struct imap_node *src, unsigned from, unsigned nr)
{
	if (!level) {
		memmove(&dst->piece[to], &src->piece[from], nr * sizeof(*dst->piece));
		return;
	}
	memmove(&dst->fence[to], &src->fence[from], nr * sizeof(*dst->fence));
	memmove(&dst->child[to], &src->child[from], nr * sizeof(*dst->child));
	memmove(&dst->count[to], &src->count[from], nr * sizeof(*dst->count));
}

/* Change the number of items, and pad the slots that this leaves unused. */
static void items_set_nr(unsigned level, struct imap_node *node, unsigned nr)
{
	for (unsigned slot = nr; slot < node->nr; slot++) {
		if (level)
			node->fence[slot] = UINT64_MAX;
		else
			node->piece[slot].last = UINT64_MAX;
	}
	node->nr = nr;
}

static void items_open_gap(unsigned level, struct imap_node *node, unsigned slot)
{
	items_move(level, node, slot + 1, node, slot, node->nr - slot);
	node->nr++;
}

static void items_close_gap(unsigned level, struct imap_node *node, unsigned slot, unsigned nr)
{
	items_move(level, node, slot, node, slot + nr, node->nr - slot - nr);
	items_set_nr(level, node, node->nr - nr);
}

static uint64_t items_end(unsigned level, const struct imap_node *node)
{
	return level ? node->fence[node->nr - 1] : node->piece[node->nr - 1].last;
}

static size_t items_count(unsigned level, const struct imap_node *node)
{
	size_t nr = 0;

	if (!level)
		return node->nr;
	for (unsigned slot = 0; slot < node->nr; slot++)
		nr += node->count[slot];
	return nr;
}

/* Move the border between two neighbours so that the left one has @keep of their items. */
static void level_out(unsigned level, struct imap_node *left, struct imap_node *right, unsigned keep)
{
	unsigned total = left->nr + right->nr;

	if (keep > left->nr) {
		unsigned nr = keep - left->nr;

		items_move(level, left, left->nr, right, 0, nr);
		items_move(level, right, 0, right, nr, right->nr - nr);
	} else {
		unsigned nr = left->nr - keep;

		items_move(level, right, nr, right, 0, right->nr);
		items_move(level, right, 0, left, keep, nr);
	}
	items_set_nr(level, left, keep);
	items_set_nr(level, right, total - keep);
}

/* Nodes */

static struct imap_node *node_new(struct imap *im, unsigned level)
{
	struct imap_node *node = malloc(sizeof(*node));

	if (!node) {
		fprintf(stderr, "hitless: out of memory for the interval map (%zu pieces)\n", im->nr);
		exit(3);
	}
	im->bytes += sizeof(*node);
	if (!level)
		node->next = NULL;
	node->nr = item_max(level);
	items_set_nr(level, node, 0);
	return node;
}

static void node_free(struct imap *im, struct imap_node *node)
{
	im->bytes -= sizeof(*node);
	free(node);
}

static void node_free_all(struct imap *im, struct imap_node *node, unsigned level)
{
	for (unsigned slot = 0; level && slot < node->nr; slot++)
		node_free_all(im, node->child[slot], level - 1);
	node_free(im, node);
}

/*
 * The first child whose fence >= iova. There always is one: the descent came through a fence that is. A mask, since gcc makes a
 * branch of a conditional sum, and at random addresses every other one is mispredicted.
 */
static inline unsigned inner_search(const struct imap_node *node, uint64_t iova)
{
	size_t slot = 0;

#pragma GCC unroll 8
	for (size_t step = FANOUT / 2; step; step /= 2)
		slot += -(size_t)(node->fence[slot + step - 1] < iova) & step;
	return slot;
}

/* The first piece whose last >= iova; leaf->nr if there is none. */
static inline unsigned leaf_search(const struct imap_node *leaf, uint64_t iova)
{
	size_t slot = 0;

#pragma GCC unroll 8
	for (size_t step = FANOUT / 2; step; step /= 2)
		slot += -(size_t)(leaf->piece[slot + step - 1].last < iova) & step;
	return slot;
}

/*
 * The place for iova: if no piece of the leaf ends at or above it, the slot is the one after its last piece. The fence says that the
 * next leaf begins above iova then, so iova is in a hole.
 */
static inline struct imap_pos descend(const struct imap *im, uint64_t iova)
{
	struct imap_node *node = im->root;

	for (unsigned level = im->height - 1; level; level--)
		node = node->child[inner_search(node, iova)];
	return (struct imap_pos){ node, leaf_search(node, iova) };
}

/* Paths: the places from the leaf, path[0], to the root, path[im->height - 1], that a change has to go through. */

static void path_to(const struct imap *im, uint64_t iova, struct imap_pos *path)
{
	struct imap_node *node = im->root;

	for (unsigned level = im->height - 1; level; level--) {
		unsigned slot = inner_search(node, iova);

		path[level] = (struct imap_pos){ node, slot };
		node = node->child[slot];
	}
	path[0] = (struct imap_pos){ node, leaf_search(node, iova) };
}

/* imap_from() with a path. */
static struct imap_piece *path_from(const struct imap *im, uint64_t iova, struct imap_pos *path)
{
	const struct imap_node *leaf;

	if (!im->root)
		return NULL;
	path_to(im, iova, path);
	leaf = path->node;
	if (path->slot == leaf->nr) {
		if (!leaf->next)
			return NULL;
		path_to(im, leaf->next->piece[0].iova, path);
	}
	return &path->node->piece[path->slot];
}

static void grow_top(struct imap *im, struct imap_pos *path)
{
	struct imap_node *root = node_new(im, im->height);

	root->nr = 1;
	root->fence[0] = UINT64_MAX;
	root->child[0] = im->root;
	root->count[0] = im->nr;
	path[im->height++] = (struct imap_pos){ root, 0 };
	im->root = root;
}

/* After the border between the children at slot and slot + 1 has moved. */
static void border_update(struct imap_node *parent, unsigned slot, unsigned level)
{
	const struct imap_node *left = parent->child[slot];
	size_t total = parent->count[slot] + parent->count[slot + 1];

	parent->fence[slot] = items_end(level, left);
	parent->count[slot] = items_count(level, left);
	parent->count[slot + 1] = total - parent->count[slot];
}

/*
 * Divide the full node that the path goes through, and let the path lead to the same place in the half that has it. The division is
 * near that place, so that a run of inserts in either direction leaves full nodes behind.
 */
static void split_node(struct imap *im, struct imap_pos *path, unsigned level)
{
	struct imap_node *left = path[level].node, *right = node_new(im, level);
	unsigned keep = path[level].slot;
	struct imap_pos *up = &path[level + 1];

	if (level + 1 == im->height)
		grow_top(im, path);
	if (up->node->nr == FANOUT)
		split_node(im, path, level + 1);

	if (keep < MIN_NR)
		keep = MIN_NR;
	if (keep > LEAF_NR - MIN_NR)
		keep = LEAF_NR - MIN_NR;
	level_out(level, left, right, keep);
	if (!level) {
		right->next = left->next;
		left->next = right;
	}

	items_open_gap(level + 1, up->node, up->slot + 1);
	up->node->child[up->slot + 1] = right;
	up->node->fence[up->slot + 1] = up->node->fence[up->slot];
	up->node->count[up->slot + 1] = 0;
	border_update(up->node, up->slot, level);

	if (path[level].slot >= keep) {
		path[level] = (struct imap_pos){ right, path[level].slot - keep };
		up->slot++;
	}
}

/* Put a piece where the path leads. */
static void path_insert(struct imap *im, struct imap_pos *path, const struct imap_piece *piece)
{
	if (path->node->nr == LEAF_NR)
		split_node(im, path, 0);
	items_open_gap(0, path->node, path->slot);
	path->node->piece[path->slot] = *piece;
	for (unsigned level = 1; level < im->height; level++) {
		struct imap_node *node = path[level].node;
		unsigned slot = path[level].slot;

		node->count[slot]++;
		if (node->fence[slot] < piece->last)
			node->fence[slot] = piece->last;
	}
	im->nr++;
}

/* Make the children at slot and slot + 1 one, or share their items evenly if they are too many. */
static void join(struct imap *im, struct imap_node *parent, unsigned slot, unsigned level)
{
	struct imap_node *left = parent->child[slot], *right = parent->child[slot + 1];
	unsigned total = left->nr + right->nr;

	if (total > MERGE_NR) {
		level_out(level, left, right, total / 2);
		border_update(parent, slot, level);
		return;
	}
	level_out(level, left, right, total);
	if (!level)
		left->next = right->next;
	parent->fence[slot] = parent->fence[slot + 1];
	parent->count[slot] += parent->count[slot + 1];
	items_close_gap(level + 1, parent, slot + 1, 1);
	node_free(im, right);
}

static void shrink_top(struct imap *im)
{
	while (im->root->nr < (im->height > 1 ? 2 : 1)) {
		struct imap_node *root = im->root;

		im->height--;
		im->root = im->height ? root->child[0] : NULL;
		node_free(im, root);
		if (!im->root)
			return;
	}
}

/* Take out @nr pieces of one leaf, from where the path leads. */
static void path_remove(struct imap *im, struct imap_pos *path, unsigned nr)
{
	items_close_gap(0, path->node, path->slot, nr);
	for (unsigned level = 1; level < im->height; level++)
		path[level].node->count[path[level].slot] -= nr;
	im->nr -= nr;

	for (unsigned level = 0; level + 1 < im->height && path[level].node->nr < MIN_NR; level++) {
		unsigned slot = path[level + 1].slot;

		join(im, path[level + 1].node, slot ? slot - 1 : 0, level);
	}
	shrink_top(im);
}

/* The part of a piece from iova on. */
static struct imap_piece piece_tail(const struct imap_piece *piece, uint64_t iova)
{
	return (struct imap_piece){ iova, piece->last, piece->oa + (iova - piece->iova), piece->prot };
}

/* The interface */

void imap_init(struct imap *im)
{
	*im = (struct imap){ 0 };
}

void imap_release(struct imap *im)
{
	if (im->root)
		node_free_all(im, im->root, im->height - 1);
	imap_init(im);
}

const struct imap_piece *imap_find(const struct imap *im, uint64_t iova, struct imap_pos *pos)
{
	const struct imap_piece *piece;
	struct imap_pos at;

	if (!im->root)
		return NULL;
	at = descend(im, iova);
	piece = &at.node->piece[at.slot];
	if (at.slot == at.node->nr || piece->iova > iova)
		return NULL;
	if (pos)
		*pos = at;
	return piece;
}

const struct imap_piece *imap_from(const struct imap *im, uint64_t iova, struct imap_pos *pos)
{
	struct imap_pos at;

	if (!im->root)
		return NULL;
	at = descend(im, iova);
	if (at.slot == at.node->nr)
		at = (struct imap_pos){ at.node->next, 0 };
	if (!at.node)
		return NULL;
	if (pos)
		*pos = at;
	return &at.node->piece[at.slot];
}

const struct imap_piece *imap_next(struct imap_pos *pos)
{
	if (pos->slot + 1 < pos->node->nr)
		pos->slot++;
	else if (pos->node->next)
		*pos = (struct imap_pos){ pos->node->next, 0 };
	else
		return NULL;
	return &pos->node->piece[pos->slot];
}

const struct imap_piece *imap_nth(const struct imap *im, size_t n)
{
	const struct imap_node *node = im->root;

	for (unsigned level = im->height - 1; level; level--) {
		unsigned slot = 0;

		while (n >= node->count[slot])
			n -= node->count[slot++];
		node = node->child[slot];
	}
	return &node->piece[n];
}

bool imap_overlaps(const struct imap *im, uint64_t iova, uint64_t last)
{
	const struct imap_piece *piece = imap_from(im, iova, NULL);

	return piece && piece->iova <= last;
}

int imap_insert(struct imap *im, const struct imap_piece *piece)
{
	struct imap_pos path[HEIGHT_MAX];
	const struct imap_node *leaf;
	unsigned slot;

	if (!im->root) {
		im->root = node_new(im, 0);
		im->height = 1;
	}
	path_to(im, piece->iova, path);
	leaf = path->node;
	slot = path->slot;
	if (slot == leaf->nr) {
		leaf = leaf->next;
		slot = 0;
	}
	if (leaf && leaf->piece[slot].iova <= piece->last)
		return -EADDRINUSE;
	path_insert(im, path, piece);
	return 0;
}

int imap_split(struct imap *im, uint64_t iova)
{
	struct imap_pos path[HEIGHT_MAX];
	struct imap_piece *piece = path_from(im, iova, path), tail;

	if (!piece || piece->iova > iova)
		return -ENOENT;
	if (piece->iova == iova)
		return 0;
	tail = piece_tail(piece, iova);
	piece->last = iova - 1;
	path->slot++;
	path_insert(im, path, &tail);
	return 0;
}

void imap_remove(struct imap *im, uint64_t iova, uint64_t last)
{
	struct imap_pos path[HEIGHT_MAX];
	struct imap_piece *piece = path_from(im, iova, path);

	if (piece && piece->iova < iova) {
		struct imap_piece old = *piece;

		piece->last = iova - 1;
		if (old.last > last) {
			struct imap_piece tail = piece_tail(&old, last + 1);

			path->slot++;
			path_insert(im, path, &tail);
			return;
		}
		piece = path_from(im, iova, path);
	}
	while (piece && piece->last <= last) {
		const struct imap_piece *end = &path->node->piece[path->node->nr];
		unsigned nr = 1;
		uint64_t done;

		while (&piece[nr] < end && piece[nr].last <= last)
			nr++;
		done = piece[nr - 1].last;
		path_remove(im, path, nr);
		if (done == last)
			return;
		piece = path_from(im, iova, path);
	}
	if (piece && piece->iova <= last)
		*piece = piece_tail(piece, last + 1);
}

/*
 * The check: a walk in order.
 *
 * @leaf:  the next leaf by the links
 * @start: pieces that follow begin here or above; @end: none may follow
 * @wrong: the first thing found that does not hold
 */
struct check {
	const struct imap_node *leaf;
	uint64_t start;
	bool end;
	size_t bytes;
	const char *wrong;
};

static void check_that(struct check *check, bool holds, const char *what)
{
	if (!holds && !check->wrong)
		check->wrong = what;
}

static void check_used_to(struct check *check, uint64_t last)
{
	check->start = last + 1;
	check->end = last == UINT64_MAX;
}

static void check_leaf(struct check *check, const struct imap_node *leaf, uint64_t fence)
{
	check_that(check, check->leaf == leaf, "link");
	check->leaf = leaf->next;
	for (unsigned slot = 0; slot < leaf->nr; slot++) {
		const struct imap_piece *piece = &leaf->piece[slot];

		check_that(check, !check->end && piece->iova >= check->start && piece->iova <= piece->last, "order of pieces");
		check_used_to(check, piece->last);
	}
	check_that(check, !leaf->nr || leaf->piece[leaf->nr - 1].last <= fence, "order of fences");
	check_used_to(check, fence);
}

/* Returns the number of pieces below the node, whose fence is given. */
static size_t check_node(struct check *check, const struct imap_node *node, unsigned level, uint64_t fence, unsigned min_nr)
{
	size_t pieces = 0;

	check->bytes += sizeof(*node);
	check_that(check, node->nr >= min_nr && node->nr <= item_max(level), "fill");
	for (unsigned slot = node->nr; slot < item_max(level); slot++)
		check_that(check, (level ? node->fence[slot] : node->piece[slot].last) == UINT64_MAX, "pad");
	if (!level) {
		check_leaf(check, node, fence);
		return node->nr;
	}
	check_that(check, node->nr && items_end(level, node) == fence, "edge");
	for (unsigned slot = 0; slot < node->nr; slot++) {
		size_t below = check_node(check, node->child[slot], level - 1, node->fence[slot], MIN_NR);

		check_that(check, below == node->count[slot], "count");
		pieces += below;
	}
	return pieces;
}

const char *imap_check(const struct imap *im)
{
	struct check check = { 0 };
	const struct imap_node *node = im->root;
	size_t pieces = 0;

	for (unsigned level = im->height; level > 1; level--)
		node = node->child[0];
	check.leaf = node;
	if (im->root)
		pieces = check_node(&check, im->root, im->height - 1, UINT64_MAX, im->height > 1 ? 2 : 1);
	check_that(&check, !check.leaf, "link of the last leaf");
	check_that(&check, pieces == im->nr, "nr");
	check_that(&check, check.bytes == im->bytes, "bytes");
	return check.wrong;
}
