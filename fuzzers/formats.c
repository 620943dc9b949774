/* SPDX-License-Identifier: GPL-2.0-or-later */
/* formats.c - hitless formats: what is built in, and what each configuration that is tested declares. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "prove_cmd.h"

#define ARENA_BYTES (UINT64_C(16) << 20)

static const char help[] =
	"usage: hitless formats [--format FORMAT]... [--config TEXT] [--engine NAME] [--json] [--prove [--quick] [--jobs N] [--out DIR]]\n"
	"\n"
	"Lists the formats that are built in: the document that the oracle's walker was written from, each\n"
	"configuration that is tested, with what it comes to and what the engine declares about it, and where the engine keeps\n"
	"another contract than engine.h.\n"
	"\n"
	"  size change     a live entry may be replaced by smaller ones, and back\n"
	"  leaf to table   a live leaf may be replaced by a table\n"
	"\n"
	"With --prove, what is declared beside what exploring shows. Each leaf size that a configuration can make is cut:\n"
	"at every page of a leaf of up to 1024 pages, otherwise at the first, the middle and the last, around each enabled\n"
	"page size from either end, and at the items of a group; in the first place of that size, the second and the last,\n"
	"and in the middle of a larger piece (these two only at the first, the middle and the last page); under each\n"
	"memory model that the configuration may have. A cut that changed a live entry while no walk that overlaps it was\n"
	"disturbed counts as proved, a finding as refuted, one that was refused for want of the capability as refused.\n"
	"Cuts that would make more than 4194304 leaves are left out and counted. What is declared and was never put to\n"
	"the proof is said to be so.\n"
	"\n"
	"  --format FORMAT   only this one; may be given several times\n"
	"  --engine NAME     of this engine; default native. --hostile, --all-arguments as for fuzz\n"
	"  --config TEXT     this configuration instead of those that are tested, as 'tiny=3 levels=2'\n"
	"  --json            one object on standard output\n"
	"  --prove           see above\n"
	"  --quick           every page of leaves of up to 16 only, two items of a group from either end, not the last place, no\n"
	"                    cut that makes more than 4096 leaves\n"
	"  --jobs N          configurations at a time; default 1\n"
	"  --out DIR         where the trace of a finding goes; default findings\n"
	"\n"
	"Exit status: 0 nothing found, 1 something declared was refuted, 2 bad usage, 3 the tool itself is at fault.\n"
	"\n"
	"examples: hitless formats\n"
	"          hitless formats --format armv8_4k --prove --quick\n";

/*
 * struct entry - one configuration.
 *
 * @resolved: its text
 * @parts, @parts_nr: where iovas may lie
 */
struct entry {
	struct config cfg;
	char resolved[CONFIG_TEXT_MAX];
	struct engine_info info;
	struct hw hw;
	struct call_range parts[2];
	unsigned parts_nr;
};

/* No oracle runs here, so there is nothing to find. */
static void formats_found(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	complain(EXIT_TOOL, "%s", v->text);
	abort();
}

/* Returns -1, or the exit status. */
static int entry_make(struct entry *e, struct exec *x, const struct options *o, const char *format, const char *text)
{
	const char *why = "";
	char err[240];

	memset(e, 0, sizeof(*e));
	if (options_config(o, format, text, &e->cfg, err, sizeof(err)))
		return complain(EXIT_USAGE, "%s", err);
	if (hw_init(&e->hw, &e->cfg, &why) || exec_open(x, &e->cfg, &why))
		return complain(EXIT_TOOL, "%s %s: %s", format, text, why);
	x->ops->info(x->engine, &e->info);
	exec_close(x);
	/* A configuration from the command line is shown as it was resolved. */
	config_print(&e->cfg, e->resolved, sizeof(e->resolved));
	if (e->hw.has_low)
		e->parts[e->parts_nr++] = (struct call_range){ 0, e->hw.iova_low_last };
	if (e->hw.has_high)
		e->parts[e->parts_nr++] = (struct call_range){ e->hw.iova_high_first, UINT64_MAX };
	return -1;
}

/* "4K", "2M": what the sizes of a bitmap are called. */
static void print_sizes(uint64_t sizes)
{
	static const char units[] = " KMGTPE";
	unsigned lg2;

	for (lg2 = 10; lg2 < 64; lg2++)
		if (sizes >> lg2 & 1)
			printf(" %u%c", 1u << lg2 % 10, units[lg2 / 10]);
}

static void entry_print(const struct entry *e, const char *text)
{
	unsigned i;

	printf("  %s\n    %s\n    aperture", *text ? text : "(default)", e->resolved);
	for (i = 0; i < e->parts_nr; i++)
		printf(" [0x%llx, 0x%llx]", (unsigned long long)e->parts[i].iova, (unsigned long long)e->parts[i].last);
	printf("; oa %u bits; %u levels", e->hw.oa_lg2, e->hw.top_level + 1u);
	if (e->hw.top_level_max > e->hw.top_level)
		printf(", growing to %u", e->hw.top_level_max + 1u);
	printf("\n    pages");
	print_sizes(e->cfg.pgsizes);
	printf("; live size change: %s; live leaf to table: %s; dirty: %s\n", e->info.cap_size_change ? "yes" : "no",
	       e->info.cap_leaf_to_table ? "yes" : "no", e->hw.has_dirty ? "yes" : "no");
}

static json_t *entry_json(const struct entry *e, const char *text)
{
	json_t *sizes = json_array(), *aperture = json_array();
	unsigned i;

	for (i = 0; i < 64; i++)
		if (e->cfg.pgsizes >> i & 1)
			json_array_append_new(sizes, json_integer((json_int_t)(UINT64_C(1) << i)));
	/* As text: a JSON number need not hold 64 bits. */
	for (i = 0; i < e->parts_nr; i++) {
		char first[24], last[24];

		snprintf(first, sizeof(first), "0x%llx", (unsigned long long)e->parts[i].iova);
		snprintf(last, sizeof(last), "0x%llx", (unsigned long long)e->parts[i].last);
		json_array_append_new(aperture, json_pack("[ss]", first, last));
	}
	return json_pack("{ss ss sI so sI sI sI sb sb sb sb so}", "text", text, "resolved", e->resolved, "granule",
			 (json_int_t)1 << e->info.granule_lg2, "page_sizes", sizes, "oa_bits", (json_int_t)e->hw.oa_lg2, "levels",
			 (json_int_t)e->hw.top_level + 1, "levels_max", (json_int_t)e->hw.top_level_max + 1, "cap_size_change",
			 e->info.cap_size_change, "cap_leaf_to_table", e->info.cap_leaf_to_table, "has_dirty", e->hw.has_dirty, "tiny",
			 e->cfg.tiny != 0, "aperture", aperture);
}

static const char *format_document(const char *name)
{
	const struct hw_format *format = hw_find(name);

	return format ? format->document : "";
}

/* Where the engine departs from engine.h. */
static void differences_print(const struct engine_ops *ops)
{
	const struct engine_difference *d;

	for (d = ops->differences; d && d->op; d++)
		printf("%s  %s: %s\n      because %s\n", d == ops->differences ? "  differences from engine.h\n    " : "    ", d->op, d->what, d->reason);
}

static json_t *differences_json(const struct engine_ops *ops)
{
	json_t *list = json_array();
	const struct engine_difference *d;

	for (d = ops->differences; d && d->op; d++)
		json_array_append_new(list, json_pack("{ss ss ss}", "op", d->op, "what", d->what, "reason", d->reason));
	return list;
}

/* One format; appended to list, or printed if that is NULL. */
static int format_show(const struct options *o, struct exec *x, const struct engine_ops *ops, json_t *list)
{
	const char *given[] = { o->config, NULL }, *const *texts = o->config ? given : ops->configs;
	json_t *configurations = json_array();
	struct entry e;
	int ret = -1;

	if (!list)
		printf("%s (%s)\n  %s\n", ops->name, ops->engine, format_document(ops->name));
	for (; *texts && ret < 0; texts++) {
		/* options_config adds what the command line gives. */
		ret = entry_make(&e, x, o, ops->name, o->config ? "" : *texts);
		if (ret < 0 && list)
			json_array_append_new(configurations, entry_json(&e, *texts));
		else if (ret < 0)
			entry_print(&e, *texts);
	}
	if (list)
		json_array_append_new(list, json_pack("{ss ss ss sO so}", "name", ops->name, "engine", ops->engine, "document",
						      format_document(ops->name), "configurations", configurations, "differences",
						      differences_json(ops)));
	else
		differences_print(ops);
	json_decref(configurations);
	return ret;
}

int cmd_formats(int argc, char **argv)
{
	struct exec_options bare = { .arena_bytes = ARENA_BYTES };
	struct options o;
	struct exec x;
	json_t *list = NULL;
	int ret = options_parse(argc, argv, OPTION_FORMAT | OPTION_ENGINE | OPTION_JSON | OPTION_PROVE | OPTION_QUICK | OPTION_JOBS | OPTION_OUT, help, &o);
	unsigned i;

	if (ret >= 0)
		return ret;
	if (o.files_nr)
		return complain(EXIT_USAGE, "formats takes no file: %s", o.files[0]);
	if (o.prove)
		return prove_formats(&o);
	if (o.quick || o.jobs || o.out)
		return complain(EXIT_USAGE, "--quick, --jobs and --out go with --prove");
	if (exec_init(&x, &bare, formats_found, NULL))
		return complain(EXIT_TOOL, "no memory for the arena");
	if (o.json)
		list = json_array();
	for (i = 0; engine_formats()[i] && ret < 0; i++)
		if (options_want(&o, engine_formats()[i]->name))
			ret = format_show(&o, &x, engine_formats()[i], list);
	exec_release(&x);
	if (list) {
		json_t *root = json_pack("{ss so}", "version", HITLESS_VERSION, "formats", list);

		if (ret < 0) {
			json_dumpf(root, stdout, JSON_INDENT(1));
			putchar('\n');
		}
		json_decref(root);
	}
	return ret < 0 ? EXIT_CLEAN : ret;
}
