/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enumerate_device.c - the device reads and writes at every place inside an operation, and what it wrote must be reported (G6).
 *
 * For each leaf size, the piece that is one such leaf, in an odd place where there is one, and the piece that has a unit more on either
 * side; for each cut point inside the leaf, four operations, each on a domain of its own:
 *
 *   cut     at the point; once on a clean entry, once after the device has written to its start or its end
 *   unmap   of what is left or right of the point, after a cut there
 *   dirty   clearing: of all, left of the point, right of it, or of the unit at it, after a cut there
 *   map     of as many units as the leaf has, behind the piece or before it; once for each piece
 *
 * The operation is run without a device first, to see how many attempts to store it makes. Then for each place, from before the first
 * attempt to after the last, for reading and writing, and for each of four addresses (cut: first and last of the old entry, just below the
 * cut, the cut point; otherwise of the operation's range and its neighbours): the same with this one action. Behind it a clearing dirty
 * over everything, in windows of all, half, a fifth or an eighth of the units, a write, another clearing dirty, unmap.
 *
 * pairs   for leaves of up to 16 units and the first, the middle and the last cut point: cuts with two actions at each two places, at the
 *         entry's start or end: two writes, a read and a write.
 *
 * Whether the device has written before, which side, which windows are drawn; the draws are the same in every run. quick: in leaves of
 * more than 16 units the cut points are the first, the second, the middle and the last; pairs of writes only, leaves of up to 8 units.
 */
#include "enumerate_scope.h"

#define PAIR_LEAF_UNITS 16
#define PAIR_LEAF_UNITS_QUICK 8
#define QUICK_LEAF_UNITS 16
#define BEFORE_MAX 3
#define PLACES_MAX 4096

/*
 * struct device_case - an operation, what leads to it, and where the device acts in it.
 *
 * @before: operations; @target: the one that the device acts in
 * @iovas:  addresses that it acts on, no two in the same unit
 * @iova, @last: what is mapped lies in here
 */
struct device_case {
	struct op before[BEFORE_MAX], target;
	unsigned before_nr, iovas_nr;
	uint64_t iovas[4];
	uint64_t iova, last;
};

/* A piece with one leaf, all of it in units. */
struct device_piece {
	const struct part *part;
	uint64_t first, last;           /* the piece */
	uint64_t leaf_first, leaf_last; /* the leaf */
};

/* A number below nr that goes by the turn and by nothing that the loops here count. */
static unsigned device_draw(const struct scope *s, unsigned salt, unsigned nr)
{
	return (unsigned)(((s->turn + 1) * UINT64_C(0x9e3779b97f4a7c15) + salt * UINT64_C(0xd1b54a32d192ed03)) >> 40) % nr;
}

/* Mostly writable; which of those that are takes turns. */
static unsigned device_prot(const struct scope *s)
{
	unsigned i, prot = device_draw(s, 1, s->prots_nr);

	for (i = 0; i < s->prots_nr && device_draw(s, 2, 16) && !(s->prots[prot] & PROT_W); i++)
		prot = (prot + 1) % s->prots_nr;
	return prot;
}

/* --- one script --- */

/* A clearing dirty over everything, in so many windows, or a few less. */
static void device_dirty(struct scope *s, const struct device_case *dc, unsigned nr)
{
	uint64_t units = (dc->last - dc->iova + 1) >> s->unit_lg2, window = ((units + nr - 1) / nr) << s->unit_lg2, iova = dc->iova;

	for (;;) {
		uint64_t last = dc->last - iova < window ? dc->last : iova + window - 1;

		scope_op(s, &(struct op){ .kind = OP_DIRTY, .iova = iova, .last = last, .clear = true });
		if (last == dc->last)
			return;
		iova = last + 1;
	}
}

/* What leads to the operation, the operation with these actions, what shows whether a write was lost. Returns how many attempts it made. */
static uint64_t device_script(struct scope *s, const struct device_case *dc, const struct op_device *devices, unsigned nr)
{
	static const unsigned windows[] = { 1, 2, 5, 8 };
	struct op target = dc->target;
	uint64_t attempts;
	unsigned i;

	scope_open(s);
	scope_script(s);
	for (i = 0; i < dc->before_nr; i++)
		scope_op(s, &dc->before[i]);
	for (i = 0; i < nr; i++)
		target.devices[i] = devices[i];
	target.devices_nr = (uint8_t)nr;
	scope_op(s, &target);
	attempts = s->x.mem.attempts;
	device_dirty(s, dc, windows[device_draw(s, 3, 4)]);
	scope_op(s, &(struct op){ .kind = OP_WRITE, .iova = nr ? devices[0].iova : dc->iovas[0] });
	device_dirty(s, dc, 1);
	scope_rest(s);
	scope_close(s);
	s->e->counts.actions += nr != 0;
	if (attempts >= PLACES_MAX)
		scope_unable(s, "an operation of a tiny geometry stores more often than that");
	return attempts;
}

/* One action at each place. */
static void device_each(struct scope *s, const struct device_case *dc)
{
	uint64_t places = device_script(s, dc, NULL, 0), at;
	unsigned i, write;

	for (at = 0; at <= places; at++)
		for (i = 0; i < dc->iovas_nr; i++)
			for (write = 0; write < 2; write++)
				device_script(s, dc, &(struct op_device){ .at = (uint16_t)at, .write = write, .iova = dc->iovas[i] }, 1);
}

/* Two actions at each two places: bit n of what: action n writes. The first may make the operation store once more. */
static void device_both(struct scope *s, const struct device_case *dc, unsigned what)
{
	uint64_t places = device_script(s, dc, NULL, 0) + 1, first, second;
	unsigned i;

	for (first = 0; first <= places; first++) {
		for (second = first; second <= places; second++) {
			for (i = 0; i < 4; i++) {
				struct op_device devices[2] = {
					{ .at = (uint16_t)first, .write = what & 1, .iova = dc->iovas[i & 1 ? dc->iovas_nr - 1 : 0] },
					{ .at = (uint16_t)second, .write = what & 2, .iova = dc->iovas[i & 2 ? dc->iovas_nr - 1 : 0] },
				};

				device_script(s, dc, devices, 2);
			}
		}
	}
}

/* --- cases --- */

static void device_before(struct device_case *dc, struct op op)
{
	dc->before[dc->before_nr++] = op;
}

/* An address to act on, unless another one in its unit is. */
static void device_iova(const struct scope *s, struct device_case *dc, uint64_t iova)
{
	unsigned i;

	for (i = 0; i < dc->iovas_nr; i++)
		if (dc->iovas[i] >> s->unit_lg2 == iova >> s->unit_lg2)
			return;
	dc->iovas[dc->iovas_nr++] = iova;
}

/* The piece is mapped. */
static struct device_case device_start(const struct scope *s, const struct device_piece *p)
{
	struct range r = { p->part, p->first, p->last, s->bits };
	struct device_case dc = { .iova = scope_iova(s, p->part, p->first), .last = scope_iova(s, p->part, p->last + 1) - 1 };

	device_before(&dc, scope_map_op(s, &r, device_prot(s)));
	return dc;
}

static struct op device_write(uint64_t iova)
{
	return (struct op){ .kind = OP_WRITE, .iova = iova };
}

static struct device_case device_cut_case(const struct scope *s, const struct device_piece *p, uint64_t at, bool dirty)
{
	uint64_t first = scope_iova(s, p->part, p->leaf_first), last = scope_iova(s, p->part, p->leaf_last + 1) - 1;
	struct device_case dc = device_start(s, p);

	if (dirty)
		device_before(&dc, device_write(device_draw(s, 4, 2) ? first : last));
	dc.target = (struct op){ .kind = OP_CUT, .iova = at };
	device_iova(s, &dc, first);
	device_iova(s, &dc, at - 1);
	device_iova(s, &dc, at);
	device_iova(s, &dc, last);
	return dc;
}

/* Unmap or dirty, after a cut at at. */
static struct device_case device_range_case(const struct scope *s, const struct device_piece *p, uint64_t at, enum op_kind kind)
{
	struct device_case dc = device_start(s, p);
	uint64_t write[] = { dc.iova, at - 1, at, dc.last };
	unsigned written = device_draw(s, 5, 5);

	device_before(&dc, (struct op){ .kind = OP_CUT, .iova = at });
	if (written < 4)
		device_before(&dc, device_write(write[written]));
	dc.target = (struct op){ .kind = (uint8_t)kind, .clear = kind == OP_DIRTY, .iova = dc.iova, .last = dc.last };
	switch (device_draw(s, 6, kind == OP_DIRTY ? 4 : 2)) {
	case 0:
		dc.target.last = at - 1;
		break;
	case 1:
		dc.target.iova = at;
		break;
	case 2:
		dc.target.iova = at;
		dc.target.last = at + ((UINT64_C(1) << s->unit_lg2) - 1);
		break;
	}
	device_iova(s, &dc, dc.iova);
	device_iova(s, &dc, at - 1);
	device_iova(s, &dc, at);
	device_iova(s, &dc, dc.last);
	return dc;
}

/* The map of the units behind the piece, or before it. False if there is no room. */
static bool device_map_case(const struct scope *s, const struct device_piece *p, struct device_case *dc)
{
	uint64_t nr = p->leaf_last - p->leaf_first + 1;
	struct range r = { p->part, p->last + 1, p->last + nr, s->bits };

	if (r.last >= p->part->nr) {
		if (p->first < nr)
			return false;
		r.first = p->first - nr;
		r.last = p->first - 1;
	}
	*dc = device_start(s, p);
	if (device_draw(s, 4, 2))
		device_before(dc, device_write(dc->iova));
	dc->target = scope_map_op(s, &r, device_prot(s));
	/* Its oa is none that the piece has. */
	dc->target.oa ^= UINT64_C(1) << (s->unit_lg2 + s->bits);
	device_iova(s, dc, dc->iova);
	device_iova(s, dc, dc->last);
	device_iova(s, dc, dc->target.iova);
	device_iova(s, dc, dc->target.last);
	if (dc->target.iova < dc->iova)
		dc->iova = dc->target.iova;
	else
		dc->last = dc->target.last;
	return true;
}

/* --- the whole --- */

static void device_at(struct scope *s, const struct device_piece *p, uint64_t unit)
{
	uint64_t at = scope_iova(s, p->part, unit);
	struct device_case dc = device_cut_case(s, p, at, false);

	device_each(s, &dc);
	dc = device_cut_case(s, p, at, true);
	device_each(s, &dc);
	dc = device_range_case(s, p, at, OP_UNMAP);
	device_each(s, &dc);
	dc = device_range_case(s, p, at, OP_DIRTY);
	device_each(s, &dc);
}

static void device_pairs(struct scope *s, const struct device_piece *p, uint64_t unit)
{
	struct device_case dc = device_cut_case(s, p, scope_iova(s, p->part, unit), false);
	unsigned what;

	for (what = s->quick ? 3 : 1; what <= 3; what++)
		device_both(s, &dc, what);
}

static void device_piece(struct scope *s, const struct device_piece *p)
{
	uint64_t nr = p->leaf_last - p->leaf_first + 1, unit, middle = p->leaf_first + nr / 2;
	struct device_case dc;

	for (unit = p->leaf_first + 1; unit <= p->leaf_last; unit++) {
		bool edge = unit == p->leaf_first + 1 || unit == middle || unit == p->leaf_last;

		if (s->quick && nr > QUICK_LEAF_UNITS && !edge && unit != p->leaf_first + 2)
			continue;
		device_at(s, p, unit);
		if (edge && nr <= (s->quick ? PAIR_LEAF_UNITS_QUICK : PAIR_LEAF_UNITS))
			device_pairs(s, p, unit);
	}
	if (device_map_case(s, p, &dc))
		device_each(s, &dc);
}

void enumerate_devices(struct scope *s, const struct part *part)
{
	unsigned lg2;

	for (lg2 = s->unit_lg2 + 1; lg2 < 64; lg2++) {
		uint64_t nr = UINT64_C(1) << (lg2 - s->unit_lg2);
		struct device_piece p = { .part = part };

		if (!(s->cfg.pgsizes >> lg2 & 1) || nr > part->nr)
			continue;
		p.leaf_first = p.first = nr < part->nr ? nr : 0;
		p.leaf_last = p.last = p.leaf_first + nr - 1;
		device_piece(s, &p);
		p.first -= p.first > 0;
		p.last += p.last < part->nr - 1;
		if (p.first < p.leaf_first || p.last > p.leaf_last)
			device_piece(s, &p);
	}
}
