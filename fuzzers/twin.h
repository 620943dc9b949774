/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * twin.h - `--engine both`: two engines run the same operations, each under the oracle, and their tables are compared bit for bit.
 *
 * What the two may differ in is taken from the oracle's decoder: where their tables lie, and bits of which the hardware takes no notice. Nor is
 * an empty table where the other has none a difference: a map that met a conflict may have made one on its way (whether it may stay, the
 * oracle says to each engine by itself). Anything else is a finding, although each engine by itself keeps the oracle's rules: of two encodings
 * that mean the same to our decoder, one may not mean that to the hardware.
 */
#ifndef HITLESS_TWIN_H
#define HITLESS_TWIN_H

#include "exec.h"

/*
 * twin_compare - both have done op: compare the tables of x with those of x->twin over everything that it may have touched, from the root
 * down. Counts in x->twin_items. Reports a difference as a finding of class engines-differ.
 */
void twin_compare(struct exec *x, const struct op *op);

/* twin_compare_all - likewise, over everything that an iova may be. */
void twin_compare_all(struct exec *x);

/*
 * twin_op - the operation as the second engine is asked for it: with the permissions that the first makes of it. False: the two cannot both do
 * it: the first does not have it, or makes something of the permissions that the second has no words for, or would have it come to
 * something else, as it declares.
 */
bool twin_op(const struct exec *x, const struct op *op, struct op *twin);

#endif
