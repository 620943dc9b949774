/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stress_report.c - the figures of a stress run, for people and for programs. */
#include "stress_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REPORT_TERMINAL_NS UINT64_C(250000000)
#define REPORT_LINES_NS UINT64_C(10000000000)

static uint64_t report_operations(const struct stress_totals *t)
{
	return t->deeds.kinds[CALL_MAP] + t->deeds.kinds[CALL_CUT] + t->deeds.kinds[CALL_UNMAP];
}

static double report_rate(uint64_t n, double seconds)
{
	return seconds > 0 ? (double)n / seconds : 0;
}

static uint64_t report_seen(const struct stress_counts *c, unsigned when)
{
	return c->map[when] + c->unmap[when];
}

static double report_us(const struct latency *l, double percent)
{
	return (double)latency_percentile(l, percent) * 1e-3;
}

void stress_report_init(struct stress_report *r, const struct stress_plan *plan, uint64_t seed, bool json)
{
	*r = (struct stress_report){ .plan = plan, .seed = seed, .json = json };
	r->terminal = isatty(STDERR_FILENO);
	r->formats = json_object();
	r->findings = json_array();
	if (json)
		return;
	printf("seed 0x%" PRIx64 ", %u readers, %u writers, %s\n", seed, plan->readers_nr, plan->writers_nr, grace_names[plan->flavour]);
	fflush(stdout);
}

void stress_report_begin(struct stress_report *r, const char *format)
{
	r->format = format;
	r->started = r->shown = latency_now();
}

void stress_report_progress(void *arg, const struct stress_run *run, uint64_t waiting)
{
	struct stress_report *r = arg;
	struct stress_totals t;
	uint64_t now = latency_now();
	double seconds = (double)(now - r->started) * 1e-9;

	if (now - r->shown < (r->terminal ? REPORT_TERMINAL_NS : REPORT_LINES_NS))
		return;
	r->shown = now;
	stress_run_sum(run, &t);
	fprintf(stderr,
		"%s%s %.0f s: %.2f M translations/s (99%% in %.2f us), %.1f k operations/s (50%% in %.1f us, 99%% in %.1f us), overlaps %" PRIu64
		", in range %" PRIu64 ", %" PRIu64 " tables wait%s",
		r->terminal ? "\r" : "", r->format, seconds, report_rate(t.counts.translations, seconds) * 1e-6, report_us(&t.translations, 99),
		report_rate(report_operations(&t), seconds) * 1e-3, report_us(&t.operations, 50), report_us(&t.operations, 99), t.counts.overlaps,
		t.counts.hits, waiting, r->terminal ? "  " : "\n");
}

/* --- a format --- */

static void report_print(const struct stress_run *run, const char *format)
{
	const struct stress_totals *t = &run->total;
	const struct stress_counts *c = &t->counts;
	const struct stress_deeds *n = &t->deeds;
	uint64_t ops = report_operations(t);
	unsigned i, overlapped = 0, usable = 0;

	for (i = 0; i < run->configs_nr; i++) {
		usable += run->configs[i].usable;
		overlapped += run->configs[i].overlaps > 0;
	}
	printf("%s: %.1f s, %" PRIu64 " domains, overlaps in %u of %u configurations\n", format, t->seconds, t->domains, overlapped,
	       usable);
	printf("  %" PRIu64 " translations (%.2f M/s; 50%% in %.2f us, 99%% in %.2f us), %" PRIu64
	       " operations (%.1f k/s; 50%% in %.1f us, 99%% in %.1f us)\n",
	       c->translations, report_rate(c->translations, t->seconds) * 1e-6, report_us(&t->translations, 50), report_us(&t->translations, 99), ops,
	       report_rate(ops, t->seconds) * 1e-3, report_us(&t->operations, 50), report_us(&t->operations, 99));
	printf("  map %" PRIu64 ", cut %" PRIu64 " (%" PRIu64 " split a leaf), unmap %" PRIu64 "; refused %" PRIu64
	       ", out of memory %" PRIu64
	       "; roots grown %" PRIu64 ", installations lost to another writer %" PRIu64 "\n",
	       n->kinds[CALL_MAP], n->kinds[CALL_CUT], n->splits, n->kinds[CALL_UNMAP], n->refused, n->failed, n->growths, n->lost);
	printf("  overlaps %" PRIu64 ", in range %" PRIu64 "; before and after: map %" PRIu64 " %" PRIu64 ", unmap %" PRIu64 " %" PRIu64
	       ", cut %" PRIu64 " %" PRIu64 "; unclear %" PRIu64 ", slow walks %" PRIu64 "\n",
	       c->overlaps, c->hits, c->map[SEEN_BEFORE], c->map[SEEN_AFTER], c->unmap[SEEN_BEFORE], c->unmap[SEEN_AFTER], c->cut[SEEN_BEFORE],
	       c->cut[SEEN_AFTER], c->unclear, c->slow);
	printf("  accessed or dirty set %" PRIu64 ", DMA writes %" PRIu64 "; compared at rest %" PRIu64 "; tables by call_rcu %" PRIu64
	       " (at most %" PRIu64 " waiting, writers held up %" PRIu64 "), grace periods waited for %" PRIu64 "%s\n",
	       c->touches, c->writes, t->rests, t->deferred, t->most, t->throttled, t->waits, run->found ? "; a FINDING" : "");
	fflush(stdout);
}

static json_t *report_latency(const struct latency *l)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "p50", (json_int_t)latency_percentile(l, 50), "p90", (json_int_t)latency_percentile(l, 90), "p99",
			 (json_int_t)latency_percentile(l, 99), "p99_9", (json_int_t)latency_percentile(l, 99.9));
}

static json_t *report_versions(const uint64_t seen[SEEN_NR])
{
	return json_pack("{s:I, s:I}", "before", (json_int_t)seen[SEEN_BEFORE], "after", (json_int_t)seen[SEEN_AFTER]);
}

static json_t *report_configs(const struct stress_run *run)
{
	json_t *list = json_array();
	char text[CONFIG_TEXT_MAX];
	unsigned i;

	for (i = 0; i < run->configs_nr; i++) {
		const struct stress_config *c = &run->configs[i];

		if (!c->usable)
			continue;
		config_print(&c->cfg, text, sizeof(text));
		json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "config", text, "domains", (json_int_t)c->domains, "overlaps",
						      (json_int_t)c->overlaps));
	}
	return list;
}

static json_t *report_format(const struct stress_run *run)
{
	const struct stress_totals *t = &run->total;
	const struct stress_counts *c = &t->counts;
	char text[CONFIG_TEXT_MAX];
	json_t *json;

	config_print(&run->d.x.cfg, text, sizeof(text));
	json = json_pack("{s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "config", text, "seconds", t->seconds, "operations",
			 (json_int_t)report_operations(t), "splits", (json_int_t)t->deeds.splits, "translations", (json_int_t)c->translations,
			 "overlaps", (json_int_t)c->overlaps, "overlaps_in_range", (json_int_t)c->hits, "overlaps_in_cut",
			 (json_int_t)(c->cut[SEEN_BEFORE] + c->cut[SEEN_AFTER]), "saw_before", (json_int_t)report_seen(c, SEEN_BEFORE), "saw_after",
			 (json_int_t)report_seen(c, SEEN_AFTER), "unclear", (json_int_t)c->unclear, "domains", (json_int_t)t->domains);
	json_object_update_new(json, json_pack("{s:o, s:{s:o, s:o, s:o}, s:o, s:o, s:f, s:f}", "configs", report_configs(run), "versions", "map",
					       report_versions(c->map), "unmap", report_versions(c->unmap), "cut", report_versions(c->cut),
					       "translation_ns", report_latency(&t->translations), "operation_ns", report_latency(&t->operations),
					       "translations_per_second", report_rate(c->translations, t->seconds), "operations_per_second",
					       report_rate(report_operations(t), t->seconds)));
	json_object_update_new(json, json_pack("{s:I, s:I, s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I}}", "growths", (json_int_t)t->deeds.growths,
					       "installations_lost", (json_int_t)t->deeds.lost, "slow_walks", (json_int_t)c->slow, "marked",
					       (json_int_t)c->touches, "dma_writes", (json_int_t)c->writes, "reclaim", "deferred",
					       (json_int_t)t->deferred, "backlog_max", (json_int_t)t->most, "throttled", (json_int_t)t->throttled,
					       "grace_periods", (json_int_t)t->waits));
	return json;
}

static json_t *report_finding(const struct stress_found *found, const char *format)
{
	const struct finding *f = &found->finding;
	char guarantee[8], replay[4200] = "";
	json_t *json;

	snprintf(guarantee, sizeof(guarantee), "G%u", f->v.guarantee);
	if (found->path[0])
		snprintf(replay, sizeof(replay), "hitless replay %s", found->path);
	json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "class", verdict_name(f->v.class), "guarantee", guarantee, "format",
			 format, "op", f->op_kind < OP_NR ? op_name((enum op_kind)f->op_kind) : "domain", "signature", f->signature, "trace",
			 found->path, "replay", replay, "text", f->v.text, "log", found->log, "operations", (json_int_t)found->ops_nr);
	json_object_set_new(json, "replayed",
			    found->replays ? json_pack("{s:s, s:s}", "class", verdict_name(found->replay.v.class), "signature",
						       found->replay.signature)
					   : json_null());
	return json;
}

void stress_report_end(struct stress_report *r, const struct stress_run *run)
{
	const struct stress_totals *t = &run->total;

	r->operations += report_operations(t);
	r->translations += t->counts.translations;
	r->overlaps += t->counts.overlaps;
	r->rests += t->rests;
	r->seconds += t->seconds;
	if (r->terminal)
		fputc('\n', stderr);
	if (!r->json)
		report_print(run, r->format);
	json_object_set_new(r->formats, r->format, report_format(run));
	if (run->found)
		json_array_append_new(r->findings, report_finding(run->found, r->format));
}

/* --- all --- */

static json_t *report_all(const struct stress_report *r)
{
	json_int_t rest = (json_int_t)(r->translations - r->overlaps + r->rests);
	char seed[24];

	snprintf(seed, sizeof(seed), "0x%" PRIx64, r->seed);
	return json_pack("{s:s, s:s, s:f, s:i, s:i, s:i, s:s, s:I, s:f, s:f, s:{s:I, s:I, s:I}, s:I, s:O, s:O}", "version", HITLESS_VERSION, "seed",
			 seed, "seconds", r->seconds, "jobs", 1, "readers", (int)r->plan->readers_nr, "writers", (int)r->plan->writers_nr, "flavour",
			 grace_names[r->plan->flavour], "operations", (json_int_t)r->operations, "operations_per_second",
			 report_rate(r->operations, r->seconds), "leaves_per_operation",
			 r->operations ? (double)(r->translations + r->rests) / (double)r->operations : 0.0, "comparisons", "translation", rest,
			 "inflight", (json_int_t)r->overlaps, "failure", (json_int_t)r->operations, "overlaps", (json_int_t)r->overlaps, "formats",
			 r->formats, "findings", r->findings);
}

bool stress_report_release(struct stress_report *r)
{
	bool ok = true;
	json_t *json;

	if (r->json) {
		json = report_all(r);
		ok = json && !json_dumpf(json, stdout, JSON_INDENT(2)) && putchar('\n') != EOF && !fflush(stdout);
		json_decref(json);
	}
	json_decref(r->formats);
	json_decref(r->findings);
	return ok;
}
