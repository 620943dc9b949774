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

#include "minimizer.h"
#include "options.h"
#include "result_json.h"
#include "trace_file.h"

/* Processor time that the trace may use, and how much more of it a candidate, which does less. */
#define MINIMIZE_RUN_SECONDS 20
#define MINIMIZE_RUN_TIMES 20

/* Moments that are tried, where there are few operations. */
#define MINIMIZE_MOMENTS 16
#define MINIMIZE_FEW 16

double minimize_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

bool minimize_try_for(struct minimizer *m, const struct op *ops, size_t nr, const char *signature)
{
	struct trace candidate = { .cfg = m->t->cfg, .ops = (struct op *)(uintptr_t)ops, .nr = nr };
	struct run_result *res = malloc(sizeof(*res));
	bool same;

	if (!res)
		abort();
	/* Half a round is none. */
	if (!ops_whole(ops, nr)) {
		free(res);
		return false;
	}
	m->runs++;
	same = !run_child(m->options, &candidate, m->run_seconds, false, res) && res->end == RUN_FINDING &&
	       !strcmp(res->finding.signature, signature);
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

/* The first of the moments 0 to MINIMIZE_MOMENTS - 1 at which the finding is met. *moment is in ops. */
static bool minimize_moment(struct minimizer *m, const struct op *ops, size_t nr, uint16_t *moment, const char *signature)
{
	uint16_t was = *moment;

	for (*moment = 0; *moment < MINIMIZE_MOMENTS && minimize_now() < m->until; (*moment)++)
		if (*moment != was && minimize_try_for(m, ops, nr, signature))
			return true;
	*moment = was;
	return false;
}

/* What an operation leaves out another may need one moment earlier or later: with each action of the device, each failure elsewhere. */
static bool minimize_move(struct minimizer *m, struct op *ops, size_t nr, const char *signature)
{
	size_t i;
	unsigned k;

	for (i = 0; i < nr; i++) {
		if (ops[i].kind > OP_DIRTY)
			continue;
		for (k = 0; k < ops[i].devices_nr; k++)
			if (minimize_moment(m, ops, nr, &ops[i].devices[k].at, signature))
				return true;
		if (ops[i].fail && minimize_moment(m, ops, nr, &ops[i].fail, signature))
			return true;
	}
	return false;
}

bool minimize_try(struct minimizer *m, struct op *ops, size_t nr)
{
	char signature[FINDING_SIGNATURE_MAX];

	memcpy(signature, m->f->signature, sizeof(signature));
	return minimize_try_for(m, ops, nr, signature) || (m->moving && minimize_move(m, ops, nr, signature));
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

/* Try ops without those from first to first + chunk - 1. */
static bool minimize_without(struct minimizer *m, size_t first, size_t chunk, struct op *scratch)
{
	size_t nr = m->t->nr;

	memcpy(scratch, m->t->ops, first * sizeof(*scratch));
	memcpy(scratch + first, m->t->ops + first + chunk, (nr - first - chunk) * sizeof(*scratch));
	return minimize_try(m, scratch, nr - chunk);
}

/* Writer number thread does not take part in the round's switches any more, and its operation, at idx, goes. */
static bool minimize_writer(struct minimizer *m, size_t idx, size_t at_switch, struct op *scratch)
{
	unsigned thread = m->t->ops[idx].thread, k, nr = 0;
	struct op *op = &scratch[at_switch - 1];

	memcpy(scratch, m->t->ops, idx * sizeof(*scratch));
	memcpy(scratch + idx, m->t->ops + idx + 1, (m->t->nr - idx - 1) * sizeof(*scratch));
	for (k = 0; k < op->switches_nr; k++)
		if (op->switches[k].writer != thread && op->switches[k].to != thread)
			op->switches[nr++] = op->switches[k];
	op->switches_nr = (uint8_t)nr;
	return minimize_try(m, scratch, m->t->nr - 1);
}

/* The operation at idx, one of a round, comes before the round instead, by itself. */
static bool minimize_alone(struct minimizer *m, size_t idx, size_t first, size_t at_switch, struct op *scratch)
{
	struct op alone = m->t->ops[idx];
	unsigned k, nr = 0;
	struct op *op = &scratch[at_switch];

	memcpy(scratch, m->t->ops, m->t->nr * sizeof(*scratch));
	memmove(scratch + first + 1, scratch + first, (idx - first) * sizeof(*scratch));
	alone.thread = 0;
	scratch[first] = alone;
	for (k = 0; k < op->switches_nr; k++)
		if (op->switches[k].writer != m->t->ops[idx].thread && op->switches[k].to != m->t->ops[idx].thread)
			op->switches[nr++] = op->switches[k];
	op->switches_nr = (uint8_t)nr;
	return minimize_try(m, scratch, m->t->nr);
}

/* The only operation of a round, at idx, needs none; then what was found of the round is found of the operation. */
static bool minimize_single(struct minimizer *m, size_t idx, struct op *scratch)
{
	const char *of = strstr(m->f->signature, " switch ");
	char signature[FINDING_SIGNATURE_MAX];

	memcpy(scratch, m->t->ops, (idx + 1) * sizeof(*scratch));
	memcpy(scratch + idx + 1, m->t->ops + idx + 2, (m->t->nr - idx - 2) * sizeof(*scratch));
	scratch[idx].thread = 0;
	snprintf(signature, sizeof(signature), "%.*s%s%s", of ? (int)(of - m->f->signature) + 1 : FINDING_SIGNATURE_MAX - 1, m->f->signature,
		 of ? op_name((enum op_kind)scratch[idx].kind) : "", of ? of + strlen(" switch") : "");
	return minimize_try_for(m, scratch, m->t->nr - 1, signature);
}

/* One switch fewer, at each place; or the one that is left earlier in its writer. */
static bool minimize_switches(struct minimizer *m, size_t idx, struct op *scratch)
{
	bool any = false;
	unsigned k;

	for (k = 0; idx < m->t->nr && k < m->t->ops[idx].switches_nr && minimize_now() < m->until;) {
		struct op *op = &scratch[idx];

		memcpy(scratch, m->t->ops, m->t->nr * sizeof(*scratch));
		op->switches_nr--;
		memmove(&op->switches[k], &op->switches[k + 1], (op->switches_nr - k) * sizeof(op->switches[0]));
		if (minimize_try(m, scratch, m->t->nr))
			any = true;
		else
			k++;
	}
	for (k = 0; idx < m->t->nr && k < m->t->ops[idx].switches_nr && minimize_now() < m->until; k++) {
		unsigned at = m->t->ops[idx].switches[k].at, to, i;

		/* From the front: the first place that does is the earliest. */
		for (to = 0; to < at && minimize_now() < m->until; to++) {
			memcpy(scratch, m->t->ops, m->t->nr * sizeof(*scratch));
			for (i = 0; i < scratch[idx].switches_nr; i++)
				if (scratch[idx].switches[i].writer == scratch[idx].switches[k].writer && scratch[idx].switches[i].at == to)
					break;
			if (i < scratch[idx].switches_nr)
				continue;
			scratch[idx].switches[k].at = (uint16_t)to;
			if (minimize_try(m, scratch, m->t->nr)) {
				any = true;
				break;
			}
		}
	}
	return any;
}

/* Rounds: whole ones go, then writers, or a writer's operation comes before the round, then switches. */
static bool minimize_rounds(struct minimizer *m, struct op *scratch)
{
	bool any = false;
	size_t end, nr, i;

	for (end = m->t->nr; end && minimize_now() < m->until; end--) {
		if (end > m->t->nr)
			continue;
		nr = ops_round(m->t->ops, end);
		if (!nr)
			continue;
		if (minimize_without(m, end - nr, nr, scratch)) {
			any = true;
			continue;
		}
		for (i = end - nr; nr > 2 && end <= m->t->nr && i < end - 1;) {
			if (minimize_writer(m, i, end - 1, scratch)) {
				any = true;
				end--;
				nr--;
			} else if (minimize_alone(m, i, end - nr, end - 1, scratch)) {
				any = true;
				nr--;
				i++;
			} else {
				i++;
			}
		}
		if (nr == 2 && end <= m->t->nr && minimize_single(m, end - 2, scratch)) {
			any = true;
			continue;
		}
		any |= end <= m->t->nr && minimize_switches(m, end - 1, scratch);
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
		if (scratch[i].kind != OP_SWITCH && scratch[i].fail) {
			scratch[i].fail = 0;
			any |= minimize_try(m, scratch, m->t->nr);
		}
		for (k = 0; i < m->t->nr && m->t->ops[i].kind != OP_SWITCH && k < m->t->ops[i].devices_nr;) {
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
	struct minimizer m = { .options = options, .t = t, .f = f, .until = minimize_now() + seconds, .run_seconds = MINIMIZE_RUN_SECONDS };
	struct op *scratch = malloc((t->nr ? t->nr : 1) * sizeof(*scratch));
	double limit, began = minimize_now();
	size_t chunk;
	bool any, less;

	/* Where the domain alone leads to the finding, there may be no list. */
	if (!t->ops)
		t->ops = calloc(1, sizeof(*t->ops));
	if (!scratch || !t->ops)
		abort();
	memcpy(scratch, t->ops, t->nr * sizeof(*scratch));
	if (!minimize_try(&m, scratch, t->nr)) {
		free(scratch);
		return 0;
	}
	limit = 1 + MINIMIZE_RUN_TIMES * (minimize_now() - began);
	m.run_seconds = limit < MINIMIZE_RUN_SECONDS ? (unsigned)limit : MINIMIZE_RUN_SECONDS;
	/* Until nothing goes any more in a whole round of this: then minimizing again finds nothing either. */
	do {
		any = false;
		for (chunk = t->nr / 2; chunk > 1; chunk /= 2)
			any |= minimize_pass(&m, chunk, scratch);
		do {
			less = minimize_pass(&m, 1, scratch);
			less |= minimize_rounds(&m, scratch);
			any |= less;
		} while (less);
		any |= minimize_extras(&m, scratch);
		any |= minimize_values(&m, scratch);
		/* Both of these only ever take something away, so that moments may go up and down meanwhile. */
		m.moving = !any && t->nr <= MINIMIZE_FEW;
		if (m.moving)
			any = minimize_pass(&m, 1, scratch) || minimize_values(&m, scratch);
		m.moving = false;
	} while (any && minimize_now() < m.until);
	free(scratch);
	return m.runs;
}

static const char minimize_help[] = "usage: hitless minimize FILE -o OUT\n"
				    "\n"
				    "Takes from a trace that ends with a finding what the finding does not need, as long as it stays the same (same "
				    "signature): operations, failing allocations, actions of the\n"
				    "device; then values: the simplest configuration of the format, the smallest sizes, low addresses, the fewest "
				    "attributes. Writes what is left to OUT.\n"
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
	status = options_out_file(&o);
	if (status >= 0)
		return status;
	status = trace_load(o.files[0], &o.exec, &t);
	if (status)
		return status;
	before = t.nr;
	status = run_child(&o.exec, &t, MINIMIZE_RUN_SECONDS, false, &res);
	if (status || res.end != RUN_FINDING) {
		trace_release(&t);
		return status ? complain(EXIT_TOOL, "%s: cannot be run in a child process: %s", o.files[0], strerror(-status))
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
