/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * minimize.c - delta debugging over whole operations (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE
 * 28(2), 2002, with complements only), and the command for it.
 */
#include "minimize.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "options.h"
#include "result_json.h"
#include "trace_file.h"

/* Processor time that one candidate may use. */
#define MINIMIZE_RUN_SECONDS 20

struct minimizer {
	const struct exec_options *options;
	struct trace *t;
	struct finding *f;
	double until;
	unsigned runs;
};

static double minimize_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* Whether a trace of these operations leads to the same finding; if so it becomes the trace, cut off behind the operation that shows it. */
static bool minimize_try(struct minimizer *m, const struct op *ops, size_t nr)
{
	struct trace candidate = { .cfg = m->t->cfg, .ops = (struct op *)(uintptr_t)ops, .nr = nr };
	struct run_result *res = malloc(sizeof(*res));
	bool same;

	if (!res)
		abort();
	m->runs++;
	same = !run_child(m->options, &candidate, MINIMIZE_RUN_SECONDS, false, res) && res->end == RUN_FINDING &&
	       !strcmp(res->finding.signature, m->f->signature);
	if (same) {
		*m->f = res->finding;
		if (m->f->op_kind != OP_NR && m->f->op_idx + 1 < nr)
			nr = m->f->op_idx + 1;
		memmove(m->t->ops, ops, nr * sizeof(*ops));
		m->t->nr = nr;
	}
	free(res);
	return same;
}

/* One pass: leave out each run of chunk operations in turn, from the end. Returns whether any could go. */
static bool minimize_pass(struct minimizer *m, size_t chunk, struct op *scratch)
{
	bool any = false;
	size_t end = m->t->nr;

	while (end && minimize_now() < m->until) {
		size_t first = end > chunk ? end - chunk : 0, nr = m->t->nr;

		memcpy(scratch, m->t->ops, first * sizeof(*scratch));
		memcpy(scratch + first, m->t->ops + end, (nr - end) * sizeof(*scratch));
		if (minimize_try(m, scratch, nr - (end - first)))
			any = true;
		end = first < m->t->nr ? first : m->t->nr;
	}
	return any;
}

/* Leave out what single operations have beside themselves: the failing allocation, each action of the device. */
static bool minimize_extras(struct minimizer *m, struct op *scratch)
{
	bool any = false;
	size_t i;
	unsigned k;

	for (i = 0; i < m->t->nr && minimize_now() < m->until; i++) {
		memcpy(scratch, m->t->ops, m->t->nr * sizeof(*scratch));
		if (scratch[i].fail) {
			scratch[i].fail = 0;
			any |= minimize_try(m, scratch, m->t->nr);
		}
		for (k = 0; i < m->t->nr && k < m->t->ops[i].devices_nr;) {
			struct op *op = &scratch[i];

			memcpy(scratch, m->t->ops, m->t->nr * sizeof(*scratch));
			op->devices_nr--;
			memmove(&op->devices[k], &op->devices[k + 1], (op->devices_nr - k) * sizeof(op->devices[0]));
			if (minimize_try(m, scratch, m->t->nr))
				any = true;
			else
				k++;
		}
	}
	return any;
}

unsigned minimize(const struct exec_options *options, struct trace *t, struct finding *f, double seconds)
{
	struct minimizer m = { .options = options, .t = t, .f = f, .until = minimize_now() + seconds };
	struct op *scratch = malloc((t->nr ? t->nr : 1) * sizeof(*scratch));
	size_t chunk;

	if (!scratch)
		abort();
	memcpy(scratch, t->ops, t->nr * sizeof(*scratch));
	if (!minimize_try(&m, scratch, t->nr)) {
		free(scratch);
		return 0;
	}
	for (chunk = t->nr / 2; chunk > 1; chunk /= 2)
		minimize_pass(&m, chunk, scratch);
	do {
		while (minimize_pass(&m, 1, scratch))
			;
	} while (minimize_extras(&m, scratch) && minimize_now() < m.until);
	free(scratch);
	return m.runs;
}

static const char minimize_help[] = "usage: hitless minimize FILE -o OUT\n"
				    "\n"
				    "Removes operations, failing allocations and actions of the device from a trace that ends with a finding, as long as the finding stays the same (same "
				    "signature), and writes what is left to OUT.\n"
				    "\n"
				    "  -o, --out OUT      the file to write\n"
				    "      --seconds S    stop after about this long with what there is (default 60)\n"
				    "      --without C,.. leave out checks\n"
				    "      --engine NAME, --hostile, --all-arguments  as for fuzz\n"
				    "      --arena MIB    size of simulated table memory\n"
				    "      --json         one object on standard output\n"
				    "\n"
				    "example: hitless minimize findings/wrong-oa-G1-amdv1-cut-L1-leaf-leaf.trace -o small.trace\n";

/* What there is to say at the end; status is the one to leave with. */
static int minimize_said(const struct options *o, const struct trace *t, size_t before, const struct finding *f, int status)
{
	FILE *out;
	json_t *json;

	if (!o->json) {
		printf("%s: %zu of %zu operations: %s\n", o->out, t->nr, before, f->signature);
		return status;
	}
	out = json_begin();
	if (!out)
		return EXIT_TOOL;
	json = json_pack("{s:s, s:s, s:I, s:I}", "file", o->files[0], "out", o->out, "operations", (json_int_t)t->nr, "operations_before",
			 (json_int_t)before);
	json_object_set_new(json, "finding", json_finding_object(f));
	return json_end(out, json, "minimize", status);
}

int cmd_minimize(int argc, char **argv)
{
	struct options o;
	struct run_result res;
	struct trace t;
	size_t before, bytes;
	int status = options_parse(argc, argv, OPTION_OUT | OPTION_SECONDS | OPTION_WITHOUT | OPTION_ENGINE | OPTION_ARENA | OPTION_JSON, minimize_help, &o);
	char *text;

	if (status >= 0)
		return status;
	if (o.files_nr != 1 || !o.out)
		return complain(EXIT_USAGE, "minimize takes one FILE and -o OUT");
	status = trace_load(o.files[0], &o.exec, &t);
	if (status)
		return status;
	before = t.nr;
	status = run_child(&o.exec, &t, MINIMIZE_RUN_SECONDS, false, &res);
	if (status || res.end != RUN_FINDING) {
		trace_release(&t);
		return status ? complain(EXIT_TOOL, "no child process: %s", strerror(-status))
			      : complain(EXIT_USAGE, "%s: %s", o.files[0], res.end == RUN_REFUSED ? res.why : "leads to no finding");
	}
	if (!minimize(&o.exec, &t, &res.finding, o.seconds > 0 ? o.seconds : 60)) {
		trace_release(&t);
		return complain(EXIT_TOOL, "%s: the finding did not come again", o.files[0]);
	}
	text = finding_trace_text(&res.finding, &t, &bytes);
	status = save_file(o.out, text, bytes);
	free(text);
	status = status ? complain(EXIT_USAGE, "%s: %s", o.out, strerror(-status)) : minimize_said(&o, &t, before, &res.finding, EXIT_FINDING);
	trace_release(&t);
	return status;
}
