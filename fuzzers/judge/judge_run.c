/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_run.c - one format before its judge. */
#include "judge_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Questions about one table. An address that costs a command of its own is asked about more seldom. */
enum { ASKS_MAX = 16384, OPS_LEAST = 16, OPS_MORE = 96 };

void judge_report(struct judge_result *res, bool change, const char *format, ...)
{
	char text[sizeof(res->reports[0])];
	unsigned i;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (i = 0; i < res->reports_nr; i++)
		if (!strcmp(res->reports[i], text))
			return;
	/* Changed bits leave room for the rest. */
	if (change && res->reports_changes == JUDGE_REPORTS_MAX * 3 / 4)
		return;
	res->reports_changes += change;
	if (res->reports_nr < JUDGE_REPORTS_MAX)
		memcpy(res->reports[res->reports_nr++], text, sizeof(text));
}

size_t judge_questions(struct judge_table *t, struct judge_ask *asks, size_t most, unsigned iovas)
{
	struct judge_ask due;
	unsigned kind;
	size_t nr = 0;
	struct walk w;

	while (iovas-- && nr + JUDGE_KINDS_NR <= most) {
		uint64_t iova = judge_table_iova(t);

		for (kind = 0; kind < JUDGE_POKE; kind++) {
			if (!(t->j->ops->kinds >> kind & 1) || (kind == JUDGE_ADDRESS && iovas & 15))
				continue;
			asks[nr] = (struct judge_ask){ .kind = (uint8_t)kind, .iova = iova, .type = JUDGE_TYPE_UNSEEN };
			judge_expect(t, &t->x.mem.view, &asks[nr], &due, &w);
			judge_hint(&asks[nr++], &w, due.ok);
		}
	}
	return nr;
}

static const char *const kind_names[] = { "read", "write", "read without privilege", "write without privilege", "address" };

static const char *type_words(uint8_t type)
{
	switch (type) {
	case PROT_CACHE:
		return " cache";
	case PROT_MMIO:
		return " mmio";
	case PROT_TYPE:
		return " of another type";
	}
	return "";
}

static const char *ask_words(const struct judge_ask *ask, char *buf, size_t bytes)
{
	if (!ask->ok)
		snprintf(buf, bytes, "fault");
	else if (!ask->has_oa)
		snprintf(buf, bytes, "allowed");
	else
		snprintf(buf, bytes, "oa 0x%" PRIx64 "%s", ask->oa, type_words(ask->type));
	return buf;
}

static void run_compare(struct judge_table *t, const struct judge_ask *ask, struct judge_result *res)
{
	char due_words[80], words[80], text[CONFIG_TEXT_MAX];
	struct judge_ask due;
	struct walk w;

	if (!ask->answered) {
		res->unanswered++;
		return;
	}
	judge_expect(t, &t->x.mem.view, ask, &due, &w);
	/* That an access is allowed, but not where it leads, is half a translation. */
	res->translations += !ask->ok || ask->has_oa;
	res->permissions += ask->ok && !ask->has_oa;
	res->kinds[ask->kind]++;
	res->oas += ask->ok && ask->has_oa;
	res->faults += !ask->ok;
	if (judge_agrees(&due, ask) && judge_asked_for(t, ask->iova, &w)) {
		res->agreed++;
		if (ask->ok && ask->has_oa) {
			res->sizes |= UINT64_C(1) << w.steps[w.nr - 1].entry.size_lg2;
			res->prots |= UINT64_C(1) << (w.prot & PROT_ALL);
		}
		return;
	}
	res->disagreed++;
	config_print(&t->cfg, text, sizeof(text));
	judge_report(res, false, "%s: table of seed %" PRIu64 ", iova 0x%" PRIx64 ", %s: our walker %s%s, the judge %s", text, t->seed,
		     ask->iova, kind_names[ask->kind], ask_words(&due, due_words, sizeof(due_words)),
		     judge_asked_for(t, ask->iova, &w) ? "" : " (not what was asked for)", ask_words(ask, words, sizeof(words)));
}

/*
 * Bits are changed in the first table of a run and in every n-th after it: in more of them where the judge changes bits itself, all in one
 * batch.
 */
static bool run_changes(const struct judge_ops *ops, unsigned k)
{
	return k % (ops->kinds >> JUDGE_ADDRESS & 1 || ops->iovas < 200 ? 16 : 8) == 0;
}

/* Table k of a run. Returns 0, 1: the engine's checks found something, or -errno. */
static int run_table(struct judge_table *t, const struct judge_plan *plan, unsigned config, unsigned k, uint64_t seed,
		     struct judge_ask *asks, struct judge_result *res)
{
	unsigned ops_nr = OPS_LEAST + (unsigned)((seed >> 32) % OPS_MORE);
	size_t nr, i;
	int ret;

	ret = judge_table_make(t, &plan->configs[config], seed, ops_nr);
	if (ret)
		return ret;
	nr = judge_questions(t, asks, ASKS_MAX, t->j->ops->iovas);
	ret = t->j->ops->ask(t->j, asks, nr);
	t->j->asked += nr;
	for (i = 0; i < nr && !ret; i++)
		run_compare(t, &asks[i], res);
	if (!ret)
		judge_touched(t, asks, nr, res);
	if (!ret && t->j->ops->leaves && k % 4 == 0)
		ret = judge_all(t, res);
	if (!ret && run_changes(t->j->ops, k))
		ret = judge_changes(t, res);
	res->tables++;
	judge_table_end(t);
	return ret ? ret : t->found;
}

static void run_found(struct judge_table *t, struct judge_result *res)
{
	char text[CONFIG_TEXT_MAX];

	config_print(&t->cfg, text, sizeof(text));
	res->found = true;
	snprintf(res->finding, sizeof(res->finding), "%s G%u %s: %s", verdict_name(t->verdict.class), t->verdict.guarantee, text,
		 t->verdict.text);
}

static void run_left_out(const struct config *cfg, const char *why, struct judge_result *res)
{
	if (res->left_out < JUDGE_LEFT_OUT_MAX)
		snprintf(res->why_left_out[res->left_out], sizeof(res->why_left_out[0]), "%s levels=%u ias=%u stage=%u ad=%u: %.120s",
			 cfg->format, cfg->levels, cfg->ias, cfg->stage, cfg->ad, why);
	res->left_out++;
}

/* The configurations take turns, but in runs, since a judge may have to be started anew for each. */
enum { RUN_LENGTH = 24 };

static int run_configs(struct judge *j, struct judge_table *t, const struct judge_plan *plan, struct judge_ask *asks,
		       struct judge_result *res)
{
	bool left_out[JUDGE_CONFIGS_MAX] = { 0 };
	double start = qemu_now();
	unsigned i, k, judged = 0;
	struct rng rng;
	int ret = 0;

	rng_init(&rng, plan->seed);
	for (i = 0; !res->found; i++) {
		unsigned config = i % plan->configs_nr;

		if (i == plan->configs_nr && !judged)
			break;
		/* Every configuration at least once. */
		if (i >= plan->configs_nr &&
		    (res->translations >= plan->translations || (plan->seconds > 0 && qemu_now() - start >= plan->seconds)))
			break;
		if (left_out[config])
			continue;
		ret = j->ops->start(j, &plan->configs[config]);
		for (k = 0; k < (plan->quick ? 4 : RUN_LENGTH) && !ret && !res->found; k++) {
			ret = run_table(t, plan, config, k, rng_next(&rng), asks, res);
			if (ret == 1) {
				run_found(t, res);
				ret = 0;
			}
		}
		if (ret == -EOPNOTSUPP) {
			left_out[config] = true;
			run_left_out(&plan->configs[config], j->why, res);
			ret = 0;
		} else if (i < plan->configs_nr) {
			judged++;
			res->sizes_due |= plan->configs[config].pgsizes;
		}
		if (ret)
			break;
		if (plan->progress && qemu_now() - start > 2) {
			fprintf(plan->progress, "\r%s: %" PRIu64 " tables, %" PRIu64 " translations ", plan->format, res->tables,
				res->translations);
			fflush(plan->progress);
		}
	}
	res->configs = judged;
	res->seconds = qemu_now() - start;
	return ret;
}

int judge_run(struct judge *j, const struct judge_plan *plan, struct judge_result *res)
{
	struct judge_ask *asks = malloc(ASKS_MAX * sizeof(*asks));
	struct judge_table *t = malloc(sizeof(*t));
	int ret;

	memset(res, 0, sizeof(*res));
	if (!plan->configs_nr) {
		free(asks);
		free(t);
		return 0;
	}
	if (!asks || !t || judge_table_init(t, j)) {
		snprintf(j->why, sizeof(j->why), "out of memory");
		free(asks);
		free(t);
		return -ENOMEM;
	}
	ret = run_configs(j, t, plan, asks, res);
	if (!ret && !res->found)
		ret = judge_plants(t, plan, res);
	judge_table_release(t);
	free(asks);
	free(t);
	return ret;
}
