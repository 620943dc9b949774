/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress.c - hitless stress: one thread changes a table while others translate through its bytes as a device would, all at full speed.
 *
 * The second opinion on G2: the proof in oracle/ decides every interleaving of a model of memory, this tries some on a real machine. The
 * writer drives the engine directly, with nothing logged; what came back is checked against check_predict. A reader is the device: it walks
 * inside a read section and asks the flat oracle (flat.h) what it may have seen. A cut never announces a change, so that whatever differs
 * while one is running is a finding.
 *
 * Not compared here: layout, invalidation, dirty state, and a table freed too early by a moment that no reader hit.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "stress.h"

#define STRESS_ARENA (UINT64_C(64) << 20)
#define STRESS_LEAF_PAGES_LG2_MAX 13 /* of the largest leaf that the window holds two of */
#define STRESS_SECONDS 10.0

volatile sig_atomic_t stress_interrupted;

static void stress_interrupt(int signal_nr)
{
	(void)signal_nr;
	stress_interrupted = 1;
}

double stress_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* --- findings --- */

void stress_finding(struct stress *s, const struct verdict *v, size_t op_idx)
{
	bool at_op = op_idx < s->trace.nr;

	s->x.ops_nr = at_op ? op_idx + 1 : s->trace.nr;
	finding_make(&s->finding, &s->x, v, at_op ? &s->trace.ops[op_idx] : NULL);
	s->found = true;
}

/* Memory was misused: what the primitive saw. */
static void stress_fault(void *arg, const struct verdict *v, const struct op *op)
{
	struct stress *s = arg;

	stress_finding(s, v, op ? s->trace.nr - 1 : SIZE_MAX);
	siglongjmp(s->end, 1);
}

static void stress_print_prot(char *buf, size_t room, unsigned prot)
{
	snprintf(buf, room, "%c%c%c%s%s%s", prot & PROT_R ? 'r' : '-', prot & PROT_W ? 'w' : '-', prot & PROT_X ? 'x' : '-',
		 prot & PROT_MMIO ? " mmio" : "", prot & PROT_CACHE ? " cache" : "", prot & PROT_PRIV ? " priv" : "");
}

static void stress_print_content(char *buf, size_t room, const struct flat *f, uint64_t content, uint64_t offset)
{
	char prot[32];

	stress_print_prot(prot, sizeof(prot), flat_prot(content));
	if (content)
		snprintf(buf, room, "oa 0x%llx %s", (unsigned long long)(flat_oa(f, content) + offset), prot);
	else
		snprintf(buf, room, "a fault");
}

static void stress_print_walk(char *buf, size_t room, const struct hw *hw, const struct walk *w)
{
	static const char *const kinds[] = { "not present", "table", "leaf", "forbidden" };
	size_t at = 0;
	unsigned i;

	buf[0] = '\0';
	for (i = 0; i < w->nr && at < room; i++) {
		const struct walk_step *step = &w->steps[i];
		char fields[256] = "";

		hw->format->fields(hw, step->level, step->raw, fields, sizeof(fields));
		at += (size_t)snprintf(buf + at, room - at, "  level %u, item at 0x%llx = 0x%llx: %s\n    %s\n", step->level,
				       (unsigned long long)step->pa, (unsigned long long)step->raw, kinds[step->entry.kind], fields);
	}
}

/*
 * A walk that ended in a leaf: what is wrong with it, oa first. Where two answers were allowed, it is compared with the one that has its
 * oa.
 */
static enum verdict_class stress_classify_leaf(const struct stress *s, const struct stress_miss *m)
{
	uint64_t offset = m->iova & layout_mask(s->flat.page_lg2);
	unsigned i;

	for (i = 0; i < m->allowed_nr; i++)
		if (m->allowed[i] && m->walk.oa == flat_oa(&s->flat, m->allowed[i]) + offset)
			return (m->walk.prot ^ flat_prot(m->allowed[i])) & PROT_ACCESS ? VERDICT_WRONG_PERMISSION : VERDICT_WRONG_ATTRIBUTE;
	return VERDICT_WRONG_OA;
}

/* Whether an operation was under way, or a change of the page announced. */
static bool stress_in_flight(const struct stress_miss *m)
{
	return (m->op1 & STRESS_RUNNING) || m->op1 != m->op2 || m->allowed_nr == 2;
}

/* Which kind of finding a translation is, and what it shows. */
static void stress_classify(const struct stress *s, struct verdict *v)
{
	const struct stress_miss *m = &s->miss;
	const struct walk *w = &m->walk;
	const struct walk_step *step = w->nr ? &w->steps[w->nr - 1] : NULL;

	v->guarantee = stress_in_flight(m) ? 2 : 1;
	v->level = step ? step->level : VERDICT_LEVEL_NONE;
	v->want = m->allowed[0] || (m->allowed_nr == 2 && m->allowed[1]) ? KIND_LEAF : KIND_HOLE;
	v->seen = w->end == WALK_LEAF ? KIND_LEAF : w->end == WALK_FAULT ? KIND_HOLE : KIND_BAD;
	if (w->end == WALK_WILD)
		v->class = strstr(w->why, "freed") ? VERDICT_USE_AFTER_FREE : VERDICT_WALKS_DATA;
	else if (w->end == WALK_BAD)
		v->class = VERDICT_RESERVED_BITS;
	else if (w->end == WALK_FAULT)
		v->class = stress_in_flight(m) ? VERDICT_FAULT_WINDOW : VERDICT_WRONG_OA;
	else
		v->class = stress_classify_leaf(s, m);
}

/* Turn what a reader left in s->miss into a finding, the trace shortened to what had begun by then. */
static void stress_report_miss(struct stress *s)
{
	static const char *const ends[] = { "", "a fault", "a forbidden entry", "no table" };
	const struct stress_miss *m = &s->miss;
	char before[80], after[80], seen[160], prot[32], steps[FINDING_REPORT_MAX / 2];
	uint64_t offset = m->iova & layout_mask(s->flat.page_lg2);
	size_t op_idx = ((m->op2 >> STRESS_NUMBER_LG2) - s->opened) & (UINT64_MAX >> STRESS_NUMBER_LG2);
	struct verdict v = { .has_iova = true, .iova = m->iova };
	size_t at;

	stress_classify(s, &v);
	stress_print_content(before, sizeof(before), &s->flat, m->allowed[0], offset);
	stress_print_content(after, sizeof(after), &s->flat, m->allowed[1], offset);
	stress_print_prot(prot, sizeof(prot), m->walk.prot);
	if (m->walk.end == WALK_LEAF)
		snprintf(seen, sizeof(seen), "oa 0x%llx %s", (unsigned long long)m->walk.oa, prot);
	else
		snprintf(seen, sizeof(seen), "%s%s%s", ends[m->walk.end], m->walk.why ? ": " : "", m->walk.why ? m->walk.why : "");
	snprintf(v.text, sizeof(v.text), "a device translating iova 0x%llx %s saw %s, expected %s%s%s", (unsigned long long)m->iova,
		 stress_in_flight(m) ? "during the operation" : "at rest", seen, before, m->allowed_nr == 2 ? " or " : "",
		 m->allowed_nr == 2 ? after : "");
	if (op_idx < s->trace.nr)
		s->trace.nr = op_idx + 1;
	/* At rest it may be any operation's doing. */
	stress_finding(s, &v, stress_in_flight(m) ? op_idx : SIZE_MAX);
	stress_print_walk(steps, sizeof(steps), &s->oracle.hw, &m->walk);
	at = strlen(s->finding.report);
	snprintf(s->finding.report + at, sizeof(s->finding.report) - at, "what it read:\n%s", steps);
}

/* --- one format --- */

/* The window: two of the largest leaf that is not too large, and at least two tables of the lowest level, as far as the aperture allows. */
static void stress_geometry(struct stress *s)
{
	const struct hw *hw = &s->oracle.hw;
	unsigned page_lg2 = s->oracle.small_lg2, most = page_lg2 + STRESS_PAGES_LG2_MAX, prot;
	uint64_t sizes = s->cfg.pgsizes & layout_mask(page_lg2 + STRESS_LEAF_PAGES_LG2_MAX + 1);
	uint64_t last = hw->has_high ? ~hw->iova_high_first : hw->iova_low_last;

	s->window_lg2 = 64 - (unsigned)__builtin_clzll(sizes);
	if (hw->top_level_max && s->window_lg2 < hw->item_lg2[1] + 1u)
		s->window_lg2 = hw->item_lg2[1] + 1u;
	while (s->window_lg2 > most || layout_mask(s->window_lg2) > last || s->window_lg2 >= s->cfg.oas)
		s->window_lg2--;
	s->flat.page_lg2 = page_lg2;
	s->flat.nr = 1u << (s->window_lg2 - page_lg2);
	for (prot = 1; prot <= PROT_ALL; prot++)
		if ((prot & PROT_ACCESS) && hw->format->expressible(hw, prot))
			s->prots[s->prots_nr++] = (uint8_t)prot;
}

/*
 * The configuration to run: what --config says, or the first of the format's list, not tiny, that lets a live leaf be divided. Else the
 * first.
 */
static int stress_configure(struct stress *s, const struct options *o, const struct engine_ops *ops)
{
	static const char *const given[] = { "", NULL };
	const char *const *list = o->config ? given : ops->configs;
	bool have = false, divides = false;
	char err[240] = "no configuration", first_err[240] = "";
	const char *why = "";
	unsigned i;

	for (i = 0; list[i] && !divides; i++) {
		struct engine_info info;
		struct config cfg;

		if (options_config(o, ops->name, list[i], &cfg, err, sizeof(err))) {
			if (!first_err[0])
				memcpy(first_err, err, sizeof(err));
			continue;
		}
		/* Here every operation is followed by a sync. */
		cfg.defer = 0;
		if ((cfg.tiny && !o->config) || exec_open(&s->x, &cfg, &why))
			continue;
		s->x.ops->info(s->x.engine, &info);
		exec_close(&s->x);
		divides = info.cap_size_change || info.cap_leaf_to_table;
		if (!have || divides) {
			s->cfg = cfg;
			s->text = o->config ? o->config : list[i];
		}
		have = true;
	}
	if (!have)
		return complain(EXIT_USAGE, "%s", first_err[0] ? first_err : why);
	return EXIT_CLEAN;
}

static void stress_release(struct stress *s)
{
	exec_release(&s->x);
	if (s->oracle.view)
		check_release(&s->oracle);
	free(s->flat.now);
	free(s->flat.next);
	trace_release(&s->trace);
}

/* A claim of the first reader, if there is one, is the finding; else the writer's. */
static void stress_conclude(struct stress *s, const char *out)
{
	int ret;

	s->trace.cfg = s->x.cfg;
	if (s->missed)
		stress_report_miss(s);
	if (!s->found)
		return;
	exec_abandon(&s->x);
	fflush(stdout);
	fprintf(stderr, "\n%s", s->finding.report);
	ret = finding_save(&s->finding, &s->trace, out, s->path, sizeof(s->path));
	if (ret) {
		complain(EXIT_TOOL, "the trace could not be saved in %s: %s", out, strerror(-ret));
		s->path[0] = '\0';
	} else {
		fprintf(stderr, "trace: %s (threads decide whether it shows; hitless replay explores the same operations)\n", s->path);
	}
}

/* Run one format until then. EXIT_CLEAN, EXIT_FINDING; other: could not run. */
static int stress_format(struct stress *s, const struct options *o, const struct engine_ops *ops, uint64_t seed, double until)
{
	struct exec_options options = { .arena_bytes = STRESS_ARENA };
	const char *why = "";
	double start;
	int ret;

	trace_init(&s->trace);
	rng_init(&s->rng, seed);
	s->until = until;
	if (exec_init(&s->x, &options, stress_fault, s))
		return complain(EXIT_TOOL, "out of memory");
	s->text = "";
	if (sigsetjmp(s->end, 0)) {
		stress_conclude(s, o->out);
		return EXIT_FINDING;
	}
	ret = stress_configure(s, o, ops);
	if (ret)
		return ret;
	ret = check_init(&s->oracle, &s->cfg, &s->x.mem.view, NULL, NULL, &why);
	if (ret)
		return complain(EXIT_TOOL, "%s: %s", ops->name, ret == -ENOMEM ? "out of memory" : why);
	stress_geometry(s);
	s->flat.now = calloc(s->flat.nr, sizeof(*s->flat.now));
	s->flat.next = calloc(s->flat.nr, sizeof(*s->flat.next));
	if (!s->flat.now || !s->flat.next)
		return complain(EXIT_TOOL, "out of memory");
	start = stress_now();
	if (!stress_start_readers(s, o->readers)) {
		stress_stop_readers(s);
		return complain(EXIT_TOOL, "no thread can be made");
	}
	stress_write(s);
	stress_stop_readers(s);
	s->seconds = stress_now() - start;
	stress_conclude(s, o->out);
	return s->found ? EXIT_FINDING : EXIT_CLEAN;
}

/* --- the command --- */

static const char stress_help[] =
	"usage: hitless stress [options]\n"
	"\n"
	"One thread maps, cuts and unmaps at random while others translate through the bytes of the same tables, as a device does, and "
	"compare\n"
	"each translation with what it may give before or after the operation that it overlaps. Each format has its turn.\n"
	"\n"
	"  --format NAME    only this one; may be given several times\n"
	"  --config TEXT    configuration, as after \"format NAME\" in a trace; default: one that can divide a live leaf\n"
	"  --seconds S      for all formats together; default 10\n"
	"  --readers N      threads that translate; default 1\n"
	"  --seed N         default: from the clock. Threads interleave as they like: a seed repeats the operations, not the run\n"
	"  --model M, --tlb T  in the configuration\n"
	"  --out DIR        where the trace of a finding goes; default: findings\n"
	"  --json           one object on standard output\n"
	"\n"
	"Exit status: 0 nothing found, 1 a finding, 2 bad usage, 3 a format where no translation overlapped an operation, or a fault of "
	"the tool.\n"
	"\n"
	"overlaps: translations during which an operation ran. in range: of these, at an address that the operation works on; in cut: in "
	"the leaf that a cut\n"
	"works on. before, after: where the two differ, which one was seen. unclear: too many changes at once, not judged.\n";

static uint64_t stress_operations(const struct stress *s)
{
	return s->kinds[CALL_MAP] + s->kinds[CALL_CUT] + s->kinds[CALL_UNMAP];
}

static void stress_print(const struct stress *s)
{
	const struct stress_counts *c = &s->counts;
	uint64_t ops = stress_operations(s);

	printf("%s%s%s\n", s->cfg.format, *s->text ? " " : "", s->text);
	printf("  %llu translations (%.2f M/s), %llu operations (%.1f k/s) in %.1f s, window of %u pages\n",
	       (unsigned long long)c->translations, s->seconds > 0 ? (double)c->translations / s->seconds * 1e-6 : 0.0,
	       (unsigned long long)ops, s->seconds > 0 ? (double)ops / s->seconds * 1e-3 : 0.0, s->seconds, s->flat.nr);
	printf("  map %llu, cut %llu (%llu split a leaf), unmap %llu; refused %llu; stopped %llu times\n",
	       (unsigned long long)s->kinds[CALL_MAP], (unsigned long long)s->kinds[CALL_CUT], (unsigned long long)s->splits,
	       (unsigned long long)s->kinds[CALL_UNMAP], (unsigned long long)s->refused, (unsigned long long)s->stalls);
	printf("  overlaps %llu: in range %llu, in cut %llu, saw before %llu, after %llu; unclear %llu", (unsigned long long)c->overlaps,
	       (unsigned long long)c->hits, (unsigned long long)c->cut_hits, (unsigned long long)c->before, (unsigned long long)c->after,
	       (unsigned long long)c->unclear);
	if (c->touches)
		printf("; accessed or dirty set %llu", (unsigned long long)c->touches);
	printf("%s\n", s->found ? "; a FINDING" : "");
	fflush(stdout);
}

static json_t *stress_json_format(const struct stress *s)
{
	const struct stress_counts *c = &s->counts;
	char text[CONFIG_TEXT_MAX];

	config_print(&s->cfg, text, sizeof(text));
	return json_pack("{s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "config", text, "seconds", s->seconds, "operations",
			 (json_int_t)stress_operations(s), "splits", (json_int_t)s->splits, "translations", (json_int_t)c->translations,
			 "overlaps", (json_int_t)c->overlaps, "overlaps_in_range", (json_int_t)c->hits, "overlaps_in_cut",
			 (json_int_t)c->cut_hits, "saw_before", (json_int_t)c->before, "saw_after", (json_int_t)c->after, "unclear",
			 (json_int_t)c->unclear);
}

static json_t *stress_json_finding(const struct stress *s)
{
	const struct finding *f = &s->finding;
	char guarantee[8], replay[4200] = "";

	snprintf(guarantee, sizeof(guarantee), "G%u", f->v.guarantee);
	if (s->path[0])
		snprintf(replay, sizeof(replay), "hitless replay %s", s->path);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "class", verdict_name(f->v.class), "guarantee", guarantee, "format",
			 s->cfg.format, "op", f->op_kind < OP_NR ? op_name((enum op_kind)f->op_kind) : "domain", "signature", f->signature,
			 "trace", s->path, "replay", replay, "text", f->v.text);
}

/* What all formats came to. */
struct stress_total {
	uint64_t operations, translations, overlaps, rests;
	double seconds;
	json_t *formats, *findings;
	bool json;
};

static void stress_add(struct stress_total *t, const struct stress *s)
{
	t->operations += stress_operations(s);
	t->translations += s->counts.translations;
	t->overlaps += s->counts.overlaps;
	t->rests += s->rests;
	t->seconds += s->seconds;
	if (!t->json) {
		stress_print(s);
		return;
	}
	json_object_set_new(t->formats, s->cfg.format, stress_json_format(s));
	if (s->found)
		json_array_append_new(t->findings, stress_json_finding(s));
}

static int stress_json(struct stress_total *t, const struct options *o)
{
	uint64_t rest = t->translations - t->overlaps + t->rests;
	char seed[24];
	json_t *json;
	int ret;

	snprintf(seed, sizeof(seed), "0x%" PRIx64, o->seed);
	json = json_pack("{s:s, s:s, s:f, s:i, s:i, s:I, s:f, s:f, s:{s:I, s:I, s:I}, s:I, s:o, s:o}", "version", HITLESS_VERSION, "seed",
			 seed, "seconds", t->seconds, "jobs", 1, "readers", (int)o->readers, "operations", (json_int_t)t->operations,
			 "operations_per_second", t->seconds > 0 ? (double)t->operations / t->seconds : 0.0, "leaves_per_operation",
			 t->operations ? (double)(t->translations + t->rests) / (double)t->operations : 0.0, "comparisons", "translation",
			 (json_int_t)rest, "inflight", (json_int_t)t->overlaps, "failure", (json_int_t)t->operations, "overlaps",
			 (json_int_t)t->overlaps, "formats", t->formats, "findings", t->findings);
	ret = !json || json_dumpf(json, stdout, JSON_INDENT(2)) || putchar('\n') == EOF || fflush(stdout);
	json_decref(json);
	return ret ? complain(EXIT_TOOL, "cannot write to standard output") : EXIT_CLEAN;
}

/* SIGINT and SIGTERM end with the summary. */
static void stress_catch_signals(void)
{
	struct sigaction action = { .sa_handler = stress_interrupt, .sa_flags = SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int stress_formats(const struct options *o, struct stress_total *t)
{
	/* The engine's part of a domain with a finding is not torn down; still pointed to, it is no leak in a leak checker's eyes. */
	static struct stress *abandoned;
	unsigned i, nr = 0, turn = 0;
	double start = stress_now();
	int status = EXIT_CLEAN;

	for (i = 0; engine_formats()[i]; i++)
		nr += options_want(o, engine_formats()[i]->name);
	for (i = 0; engine_formats()[i] && !stress_interrupted; i++) {
		struct stress *s;
		int ret;

		if (!options_want(o, engine_formats()[i]->name))
			continue;
		s = calloc(1, sizeof(*s));
		if (!s)
			return complain(EXIT_TOOL, "out of memory");
		ret = stress_format(s, o, engine_formats()[i], o->seed + i, start + o->seconds * ++turn / nr);
		if (ret == EXIT_CLEAN || ret == EXIT_FINDING)
			stress_add(t, s);
		if (ret == EXIT_CLEAN && !s->counts.overlaps && !stress_interrupted)
			ret = complain(EXIT_TOOL, "%s: no translation overlapped an operation, so nothing was tested", s->cfg.format);
		if (status == EXIT_CLEAN || ret == EXIT_FINDING)
			status = ret;
		stress_release(s);
		if (ret == EXIT_FINDING) {
			s->abandoned = abandoned;
			abandoned = s;
		} else {
			free(s);
		}
		if (ret == EXIT_USAGE)
			break;
	}
	return status;
}

int cmd_stress(int argc, char **argv)
{
	struct stress_total total = { 0 };
	struct options o;
	int ret = options_parse(argc, argv,
				OPTION_FORMAT | OPTION_SEED | OPTION_SECONDS | OPTION_JSON | OPTION_OUT | OPTION_MODEL | OPTION_READERS,
				stress_help, &o);
	int written;

	if (ret >= 0)
		return ret;
	if (o.files_nr)
		return complain(EXIT_USAGE, "stress takes no file");
	o.seconds = o.seconds > 0 ? o.seconds : STRESS_SECONDS;
	o.readers = o.readers ? o.readers : 1;
	if (o.readers > STRESS_READERS_MAX)
		return complain(EXIT_USAGE, "--readers takes up to %u", STRESS_READERS_MAX);
	o.out = o.out ? o.out : "findings";
	if (!o.has_seed)
		o.seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
	total.json = o.json;
	total.formats = json_object();
	total.findings = json_array();
	if (!o.json)
		printf("seed 0x%" PRIx64 ", %u reader%s\n", o.seed, o.readers, o.readers > 1 ? "s" : "");
	fflush(stdout);
	stress_catch_signals();
	ret = stress_formats(&o, &total);
	if (o.json && ret != EXIT_USAGE) {
		written = stress_json(&total, &o);
		return ret ? ret : written;
	}
	json_decref(total.formats);
	json_decref(total.findings);
	return ret;
}
