/* SPDX-License-Identifier: GPL-2.0-or-later */
/* campaign_report.c - the summary of a campaign, for people and for programs. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "campaign.h"
#include "pct.h"

static void stats_add(struct worker_stats *sum, const struct worker_stats *s)
{
	unsigned i;

	sum->domains += s->domains;
	sum->operations += s->operations;
	sum->refused += s->refused;
	sum->skipped += s->skipped;
	sum->leaves += s->leaves;
	sum->stores += s->stores;
	sum->ns += s->ns;
	sum->splits += s->splits;
	sum->maps_done += s->maps_done;
	sum->unmaps += s->unmaps;
	sum->unmaps_partial += s->unmaps_partial;
	sum->turns += s->turns;
	sum->twin_items += s->twin_items;
	sum->cost.commands += s->cost.commands;
	sum->cost.spare += s->cost.spare;
	sum->cost.syncs += s->cost.syncs;
	sum->cost.spare_syncs += s->cost.spare_syncs;
	sum->no_memory += s->no_memory;
	sum->rounds.nr += s->rounds.nr;
	sum->rounds.operations += s->rounds.operations;
	sum->rounds.switches += s->rounds.switches;
	sum->rounds.points += s->rounds.points;
	if (s->rounds.longest > sum->rounds.longest)
		sum->rounds.longest = s->rounds.longest;
	if (s->rounds.most > sum->rounds.most)
		sum->rounds.most = s->rounds.most;
	for (i = 0; i < CHECK_NR; i++)
		sum->comparisons[i] += s->comparisons[i];
}

void campaign_sum(const struct campaign *c, unsigned format_idx, struct worker_stats *sum)
{
	unsigned job, i;

	memset(sum, 0, sizeof(*sum));
	for (job = 0; job < c->plan.jobs; job++)
		for (i = 0; i < c->plan.formats_nr; i++)
			if (i == format_idx || format_idx == c->plan.formats_nr)
				stats_add(sum, &c->workers[job]->stats[i]);
}

static uint64_t stats_comparisons(const struct worker_stats *s)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < CHECK_NR; i++)
		sum += s->comparisons[i];
	return sum;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static unsigned campaign_findings_of(const struct campaign *c, const char *format)
{
	unsigned i, nr = 0;

	for (i = 0; i < c->findings_nr; i++) {
		const char *at = strstr(c->findings[i].finding.signature, format);

		nr += at && at[-1] == ' ' && at[strlen(format)] == ' ' && !c->findings[i].known;
	}
	return nr;
}

/* Per job: operations by the time that they took, sweeping and checking included. */
static double stats_rate(const struct worker_stats *s)
{
	return s->ns ? (double)s->operations * 1e9 / (double)s->ns : 0;
}

/* What replay must be told beside the file. */
static const char *campaign_engine(char *buf, size_t bytes)
{
	if (strcmp(engine_name(), "native"))
		snprintf(buf, bytes, "--engine %s %s%s", engine_name(), engine_hostile ? "--hostile " : "",
			 engine_all_arguments ? "--all-arguments " : "");
	else
		buf[0] = '\0';
	return buf;
}

void campaign_print_finding(const struct campaign_finding *f, FILE *out)
{
	char engine[64];

	fprintf(out, "\n%s", f->finding.report);
	fprintf(out, "%zu operations, found %" PRIu64 " time%s; again with: hitless replay %s%s\n", f->ops_nr, f->times,
		f->times == 1 ? "" : "s", campaign_engine(engine, sizeof(engine)), f->path);
	/* A crash would end that too. */
	if (f->finding.v.class != VERDICT_CRASH)
		fprintf(out, "store by store: hitless show --stores --op %zu %s%s\n", f->finding.op_idx + 1, engine, f->path);
}

/* What several writers did, and how likely a race is to be met. */
static void campaign_print_rounds(const struct worker_rounds *r, FILE *out)
{
	uint64_t usual = r->nr ? (r->points + r->nr - 1) / r->nr : 0;
	unsigned depth;

	fprintf(out, "writers: %" PRIu64 " rounds of %" PRIu64 " operations, %" PRIu64 " switches, %" PRIu64 " primitives a round", r->nr,
		r->operations, r->switches, usual);
	for (depth = 1; r->nr && depth <= 3; depth++)
		fprintf(out, "%s 1 in %.0f", depth > 1 ? "," : "; a round of that length meets a race of depth 1, 2, 3 with a probability of at least",
			pct_bound((unsigned)r->most, usual, depth));
	fputc('\n', out);
}

void campaign_print(const struct campaign *c, FILE *out)
{
	struct worker_stats s, all;
	unsigned i;

	campaign_sum(c, c->plan.formats_nr, &all);
	fprintf(out, "%-10s %8s %12s %14s %14s %9s %10s\n", "format", "domains", "operations", "comparisons", "leaves", "findings",
		"ops/s/job");
	for (i = 0; i < c->plan.formats_nr; i++) {
		campaign_sum(c, i, &s);
		fprintf(out, "%-10s %8" PRIu64 " %12" PRIu64 " %14" PRIu64 " %14" PRIu64 " %9u %10.0f\n", c->plan.formats[i], s.domains,
			s.operations, stats_comparisons(&s), s.leaves, campaign_findings_of(c, c->plan.formats[i]), stats_rate(&s));
	}
	fprintf(out, "%-10s %8" PRIu64 " %12" PRIu64 " %14" PRIu64 " %14" PRIu64 " %9u %10.0f\n", "all", all.domains, all.operations,
		stats_comparisons(&all), all.leaves, c->new_nr, stats_rate(&all));
	fprintf(out,
		"mix: %.1f%% cuts that split, %.1f%% maps that succeed, %.1f%% unmaps (%.0f%% of them partial), %.1f%% refused "
		"(%.1f%% for want of memory); %.1f leaves an operation\n",
		percent(all.splits, all.operations), percent(all.maps_done, all.operations), percent(all.unmaps, all.operations),
		percent(all.unmaps_partial, all.unmaps), percent(all.refused, all.operations), percent(all.no_memory, all.operations),
		all.operations ? (double)all.leaves / (double)all.operations : 0);
	fprintf(out, "device: set accessed or dirty %" PRIu64 " times in the middle of an operation\n", all.turns);
	campaign_print_rounds(&all.rounds, out);
	for (i = 0; i < c->plan.formats_nr; i++)
		if (!hw_find(c->plan.formats[i])->decode)
			fprintf(out, "%s has no decoder yet (oracle/hw_%s.c): nothing was read from its tables\n", c->plan.formats[i],
				c->plan.formats[i]);
	if (!strcmp(engine_name(), "both"))
		fprintf(out, "engines: %" PRIu64 " items compared with those of the native engine\n", all.twin_items);
	fprintf(out, "invalidation: %" PRIu64 " commands, %.1f%% of them more than was needed; %" PRIu64 " syncs, %.1f%%\n", all.cost.commands,
		percent(all.cost.spare, all.cost.commands), all.cost.syncs, percent(all.cost.spare_syncs, all.cost.syncs));
	for (i = 0; i < c->findings_nr; i++)
		if (c->findings[i].known)
			fprintf(out, "known: %s, %" PRIu64 " time%s, %s\n", c->findings[i].finding.signature, c->findings[i].times,
				c->findings[i].times == 1 ? "" : "s", c->findings[i].path);
	fprintf(out, "checks:");
	for (i = 0; i < CHECK_NR; i++) {
		if (c->plan.exec.checks & 1u << i)
			fprintf(out, " %s %" PRIu64, check_names[i], all.comparisons[i]);
		else
			fprintf(out, " %s off", check_names[i]);
	}
	fprintf(out, "\ncanaries:");
	for (i = 0; i < CHECK_NR; i++)
		if (c->plan.exec.checks >> i & 1)
			fprintf(out, " %s %s", check_names[i], c->canaries.noticed >> i & 1 ? "noticed" : "had no place");
	fprintf(out, "\nseed 0x%" PRIx64 ", %u job%s, %.1f s\n", c->plan.seed, c->plan.jobs, c->plan.jobs == 1 ? "" : "s", c->seconds);
}

static json_t *json_stats(const struct worker_stats *s)
{
	json_t *comparisons = json_object(), *o;
	unsigned i;

	for (i = 0; i < CHECK_NR; i++)
		json_object_set_new(comparisons, check_names[i], json_integer((json_int_t)s->comparisons[i]));
	o = json_pack("{s:I, s:f, s:f, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "operations",
		      (json_int_t)s->operations,
		      "operations_per_second", stats_rate(s), "leaves_per_operation",
		      s->operations ? (double)s->leaves / (double)s->operations : 0.0, "leaves", (json_int_t)s->leaves, "domains",
		      (json_int_t)s->domains, "splits_percent", percent(s->splits, s->operations), "maps_percent",
		      percent(s->maps_done, s->operations), "unmaps_percent", percent(s->unmaps, s->operations), "unmaps_partial_percent",
		      percent(s->unmaps_partial, s->unmaps), "refused_percent", percent(s->refused, s->operations), "no_memory_percent",
		      percent(s->no_memory, s->operations), "device_updates_inside", (json_int_t)s->turns, "items_compared_between_engines", (json_int_t)s->twin_items,
		      "invalidation_commands", (json_int_t)s->cost.commands, "invalidation_commands_spare", (json_int_t)s->cost.spare, "syncs",
		      (json_int_t)s->cost.syncs, "syncs_spare", (json_int_t)s->cost.spare_syncs, "comparisons", comparisons);
	json_object_set_new(o, "rounds", json_integer((json_int_t)s->rounds.nr));
	json_object_set_new(o, "round_operations", json_integer((json_int_t)s->rounds.operations));
	json_object_set_new(o, "round_switches", json_integer((json_int_t)s->rounds.switches));
	json_object_set_new(o, "round_primitives", json_integer((json_int_t)s->rounds.points));
	return o;
}

static json_t *json_finding(const struct campaign_finding *f, const char *format)
{
	char replay[1100], guarantee[8], engine[64];
	json_t *o;

	snprintf(guarantee, sizeof(guarantee), "G%u", f->finding.v.guarantee);
	snprintf(replay, sizeof(replay), "hitless replay %s%s", campaign_engine(engine, sizeof(engine)), f->path);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "class", verdict_name(f->finding.v.class), "guarantee",
		      guarantee, "format", format, "op",
		      f->finding.op_kind < OP_NR ? op_name((enum op_kind)f->finding.op_kind) : "domain", "signature", f->finding.signature,
		      "trace", f->path, "replay", replay, "text", f->finding.v.text, "times", (json_int_t)f->times, "trace_operations",
		      (json_int_t)f->ops_nr);
	json_object_set_new(o, "known", json_boolean(f->known));
	json_object_set_new(o, "processor_seconds", json_real(f->processor_seconds));
	if (f->finding.v.before[0]) {
		json_object_set_new(o, "before", json_string(f->finding.v.before));
		json_object_set_new(o, "after", json_string(f->finding.v.after));
	}
	return o;
}

void campaign_json(const struct campaign *c, FILE *out)
{
	json_t *formats = json_object(), *findings = json_array(), *canaries = json_array(), *o;
	struct worker_stats s;
	char seed[24], format[24];
	unsigned i;

	for (i = 0; i < c->plan.formats_nr; i++) {
		campaign_sum(c, i, &s);
		json_object_set_new(formats, c->plan.formats[i], json_stats(&s));
	}
	for (i = 0; i < c->findings_nr; i++) {
		if (sscanf(c->findings[i].finding.signature, "%*s %*s %23s", format) != 1)
			format[0] = '\0';
		json_array_append_new(findings, json_finding(&c->findings[i], format));
	}
	campaign_sum(c, c->plan.formats_nr, &s);
	o = json_stats(&s);
	snprintf(seed, sizeof(seed), "0x%" PRIx64, c->plan.seed);
	json_object_set_new(o, "version", json_string(HITLESS_VERSION));
	json_object_set_new(o, "seed", json_string(seed));
	json_object_set_new(o, "seconds", json_real(c->seconds));
	json_object_set_new(o, "jobs", json_integer(c->plan.jobs));
	json_object_set_new(o, "formats", formats);
	json_object_set_new(o, "findings", findings);
	for (i = 0; i < CHECK_NR; i++)
		if (c->canaries.noticed >> i & 1)
			json_array_append_new(canaries, json_string(check_names[i]));
	json_object_set_new(o, "canaries", canaries);
	json_dumpf(o, out, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(6));
	fputc('\n', out);
	json_decref(o);
}
