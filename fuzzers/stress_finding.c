/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_finding.c - from a translation that went wrong to a trace.
 *
 * Threads cannot be replayed. But what they ran can: all operations, one after the other in the order in which they began, under the checks
 * of hitless replay, which explore every walk that could have been in flight. Where the device marks entries, it also acts before each of
 * the first attempts to store of the operation in question.
 */
#include "stress_finding.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minimize.h"
#include "options.h"
#include "run.h"
#include "say.h"

#define REPLAY_SECONDS 20     /* processor time of one replay */
#define MINIMIZE_SECONDS 20.0 /* for all replays of a minimization */
#define DEVICE_ATTEMPTS 12    /* attempts to store before which the device acts, in turn */

/* An operation and whose it was. */
struct logged {
	const struct stress_entry *entry;
	unsigned writer;
};

/* --- every writer's log --- */

static int logged_compare(const void *a, const void *b)
{
	const struct logged *x = a, *y = b;

	return (x->entry->begin > y->entry->begin) - (x->entry->begin < y->entry->begin);
}

/* All operations that had begun, in that order; *at: the index of the one in question, or *nr. */
static struct logged *logged_all(const struct stress_domain *d, const struct stress_writer *writers, size_t *nr, size_t *at)
{
	const struct stress_evidence *e = &d->evidence;
	struct logged *all = calloc((size_t)STRESS_WRITERS_MAX * STRESS_OPS_MAX, sizeof(*all));
	unsigned w;
	uint32_t i;

	if (!all)
		abort();
	*nr = 0;
	for (w = 0; w < d->writers_nr; w++)
		for (i = 0; i < writers[w].log_nr; i++)
			if (writers[w].log[i].begin && writers[w].log[i].begin <= e->ns)
				all[(*nr)++] = (struct logged){ &writers[w].log[i], w };
	qsort(all, *nr, sizeof(*all), logged_compare);
	for (*at = 0; *at < *nr; ++*at)
		if (e->number && all[*at].writer == e->writer && all[*at].entry == &writers[e->writer].log[e->number - 1])
			break;
	return all;
}

static void logged_walk(FILE *out, const struct stress_domain *d)
{
	static const char *const kinds[] = { "not present", "table", "leaf", "forbidden" };
	const struct walk *w = &d->evidence.walk;
	unsigned i;

	for (i = 0; d->evidence.has_walk && i < w->nr; i++) {
		const struct walk_step *s = &w->steps[i];
		char fields[256] = "";

		d->oracle.hw.format->fields(&d->oracle.hw, s->level, s->raw, fields, sizeof(fields));
		fprintf(out, "  level %u, item at 0x%llx = 0x%llx: %s\n    %s\n", s->level, (unsigned long long)s->pa, (unsigned long long)s->raw,
			kinds[s->entry.kind], fields);
	}
}

/* The log file: what was seen, the stripes, and every operation with the time, to the failure, at which it began, and how long it took. */
static int logged_save(const struct stress_domain *d, const struct stress_found *found, const struct logged *all, size_t nr, size_t at)
{
	const struct stress_evidence *e = &d->evidence;
	char *text = NULL, line[OP_TEXT_MAX], config[CONFIG_TEXT_MAX];
	size_t bytes, i;
	FILE *out = open_memstream(&text, &bytes);
	int ret;

	if (!out)
		abort();
	config_print(&d->x.cfg, config, sizeof(config));
	fprintf(out, "%sformat %s\nstripes, by writer:\n", found->finding.report, config);
	for (i = 0; i < d->stripes_nr; i++)
		fprintf(out, "  writer %u [0x%llx, 0x%llx]\n", d->stripes[i].writer, (unsigned long long)flat_iova(&d->flat, d->stripes[i].first),
			(unsigned long long)(flat_iova(&d->flat, d->stripes[i].last) | layout_mask(d->flat.page_lg2)));
	fprintf(out, "operations: when it began, in ns before the failure; how long it took; writer; what; what came back\n");
	for (i = 0; i < nr; i++) {
		const struct stress_entry *entry = all[i].entry;
		uint64_t end = __atomic_load_n(&entry->end, __ATOMIC_ACQUIRE);

		op_print(&entry->op, line);
		fprintf(out, "%s%10llu ", i == at ? ">" : " ", (unsigned long long)(e->ns - entry->begin));
		if (end)
			fprintf(out, "%8llu  %u  %s  = %s, 0x%llx granules\n", (unsigned long long)(end - entry->begin), all[i].writer, line,
				entry->ret ? strerrorname_np(-entry->ret) : "0", (unsigned long long)entry->granules);
		else
			fprintf(out, "%8s  %u  %s  running\n", "-", all[i].writer, line);
	}
	fclose(out);
	ret = save_file(found->log, text, bytes);
	free(text);
	return ret;
}

/* --- without threads --- */

static bool replay_finds(const struct exec_options *exec, const struct trace *t, struct run_result *res)
{
	return !run_child(exec, t, REPLAY_SECONDS, false, res) && res->end == RUN_FINDING;
}

/* As it is; then with the device acting before an attempt to store of the operation in question. *t is left as what found something. */
static bool replay_any(const struct exec_options *exec, struct trace *t, size_t at, const struct stress_domain *d, struct run_result *res)
{
	unsigned k;

	if (replay_finds(exec, t, res))
		return true;
	if (at == t->nr || !d->x.cfg.ad)
		return false;
	t->ops[at].devices_nr = 1;
	for (k = 0; k < 2 * DEVICE_ATTEMPTS; k++) {
		const struct verdict *v = &d->evidence.v;

		t->ops[at].devices[0] =
			(struct op_device){ .at = (uint16_t)(k / 2), .write = k & 1, .iova = v->has_iova ? v->iova : t->ops[at].iova };
		if (replay_finds(exec, t, res))
			return true;
	}
	t->ops[at].devices_nr = 0;
	return false;
}

/* Fill in *t, the trace to save, and found->replay. */
static void conclude_replay(struct stress_found *found, struct trace *t, size_t at, const struct stress_domain *d,
			    const struct exec_options *exec)
{
	struct exec_options checked = *exec;
	struct run_result *res = malloc(sizeof(*res));
	size_t nr = t->nr;

	if (!res)
		abort();
	checked.observed = true;
	found->replays = replay_any(&checked, t, at, d, res);
	if (found->replays) {
		found->replay = res->finding;
		found->replays = minimize(&checked, t, &found->replay, MINIMIZE_SECONDS);
	}
	if (found->replays)
		fprintf(stderr, "without threads: %zu of %zu operations are enough, found every time:\n%s", t->nr, nr, found->replay.report);
	else
		fprintf(stderr, "without threads: a replay of all %zu operations, with every walk in flight explored, finds nothing\n", nr);
	free(res);
}

/* The finding as others print it. */
static void conclude_describe(struct stress_found *found, struct stress_domain *d, const struct logged *all, size_t nr, size_t at)
{
	struct finding *f = &found->finding;
	char *text = NULL;
	size_t bytes;
	FILE *out;

	d->x.ops_nr = at < nr ? at + 1 : nr;
	finding_make(f, &d->x, &d->evidence.v, at < nr ? &all[at].entry->op : NULL);
	out = open_memstream(&text, &bytes);
	if (!out)
		abort();
	logged_walk(out, d);
	fclose(out);
	if (bytes)
		say(f->report, sizeof(f->report), "what the walk read:\n%s", text);
	free(text);
}

void stress_conclude(struct stress_domain *d, const struct stress_writer *writers, const struct exec_options *exec, const char *out,
		     struct stress_found *found)
{
	struct trace t;
	size_t nr, at, i;
	struct logged *all = logged_all(d, writers, &nr, &at);
	int ret;

	memset(found, 0, sizeof(*found));
	conclude_describe(found, d, all, nr, at);
	fprintf(stderr, "\n%s", found->finding.report);
	trace_init(&t);
	t.cfg = d->x.cfg;
	for (i = 0; i < nr; i++)
		trace_push(&t, &all[i].entry->op);
	conclude_replay(found, &t, at, d, exec);
	found->ops_nr = t.nr;
	ret = finding_save(found->replays ? &found->replay : &found->finding, &t, out, found->path, sizeof(found->path) - 4);
	if (!ret) {
		snprintf(found->log, sizeof(found->log), "%.*s.log", (int)(strlen(found->path) - strlen(".trace")), found->path);
		ret = logged_save(d, found, all, nr, at);
	}
	if (ret) {
		complain(EXIT_TOOL, "the finding could not be saved in %s: %s", out, strerror(-ret));
		found->path[0] = '\0';
	} else {
		fprintf(stderr, "trace: %s\nlog of every writer: %s\n", found->path, found->log);
	}
	trace_release(&t);
	free(all);
}
