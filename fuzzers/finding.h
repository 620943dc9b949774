/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * finding.h - one finding: a verdict, the operation that caused it, the trace that leads there, and how it is written down.
 */
#ifndef HITLESS_FINDING_H
#define HITLESS_FINDING_H

#include <stddef.h>
#include <stdio.h>

#include "../oracle/verdict.h"
#include "exec.h"
#include "op.h"

#define FINDING_SIGNATURE_MAX 128
#define FINDING_REPORT_MAX 16384

/*
 * struct finding - plain data, so that it can lie in memory shared between processes.
 *
 * @op_kind: of the operation that caused it, OP_NR if none did
 * @op_idx:  its index in the trace
 * @report:  for people: expected and seen, the walk that shows it, entry by entry, and its schedule if it was in flight; lines of text
 */
struct finding {
	struct verdict v;
	unsigned op_kind;
	size_t op_idx;
	char signature[FINDING_SIGNATURE_MAX];
	char report[FINDING_REPORT_MAX];
};

/* finding_make - describe v, found by x at op (or NULL) as its ops_nr-th. Reads memory only through what the oracle knows; never fails. */
void finding_make(struct finding *f, const struct exec *x, const struct verdict *v, const struct op *op);

/* finding_died - the verdict on a process that died by this signal or, 0, ended by itself with a status. */
void finding_died(struct verdict *v, int signal_nr);

/* finding_crash - the process died by this signal, or ended by itself with a status, at the op of this kind and index. */
void finding_crash(struct finding *f, const char *format, unsigned op_kind, size_t op_idx, int signal_nr);

/* finding_print_trace - configuration and operations as text, the former in few words. t->cfg must have been resolved. */
void finding_print_trace(const struct trace *t, FILE *out);

/* finding_trace_text - the trace file of a finding: its report as comments, then configuration and operations. Allocated; *bytes long. */
char *finding_trace_text(const struct finding *f, const struct trace *t, size_t *bytes);

/*
 * finding_save - write the trace to dir, under a name made from the signature, atomically and durably. An older one of the same signature
 * is replaced only by a shorter trace: fewer operations, or as many and less text. path, path_bytes: its name. 0 or -errno.
 */
int finding_save(const struct finding *f, const struct trace *t, const char *dir, char *path, size_t path_bytes);

/*
 * save_file - write a file by a temporary name, sync it and rename it. 0 or -errno; -EEXIST: there is something of that name that is no
 * regular file, which renaming would replace.
 */
int save_file(const char *path, const char *text, size_t bytes);

#endif
