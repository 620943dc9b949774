/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_rest.h - when the threads of a stress run have ended: everything once more, at rest.
 */
#ifndef HITLESS_STRESS_REST_H
#define HITLESS_STRESS_REST_H

#include "stress_domain.h"

/*
 * stress_rest - walk every page, compare it with the flat oracle, and see to it that whatever the device wrote to is dirty. What is wrong is
 * claimed. Returns how many pages were compared.
 */
uint64_t stress_rest(struct stress_domain *d);

#endif
