/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_file.h - reads a trace from a file, whichever form it has.
 */
#ifndef HITLESS_TRACE_FILE_H
#define HITLESS_TRACE_FILE_H

#include "exec.h"
#include "op.h"

/*
 * trace_load - read path, text or binary, into *t with its configuration resolved. A binary trace with relative operations is decoded by
 * running it.
 * Returns 0, or the exit status, having said what is wrong, file and line first, in one line on standard error.
 */
int trace_load(const char *path, const struct exec_options *options, struct trace *t);

#endif
