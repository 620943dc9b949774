/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * minimize.h - shrinks a trace to few operations that still lead to the same finding.
 */
#ifndef HITLESS_MINIMIZE_H
#define HITLESS_MINIMIZE_H

#include "run.h"

/*
 * minimize - take from t what can go as long as a run of what is left ends with the signature of *f: operations, then values of those that are left
 * (minimize_values.c); *f is then that run's finding. The format stays: it is part of the signature. Each candidate runs in a child process. After
 * about seconds it stops with what it has; if it came to its own end, minimizing what it left changes nothing.
 * Returns how many runs it took; 0: t itself did not lead to the signature, and is unchanged.
 */
unsigned minimize(const struct exec_options *options, struct trace *t, struct finding *f, double seconds);

#endif
