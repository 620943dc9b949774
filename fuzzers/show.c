/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show.c - hitless show: the tables after each operation of a trace, decoded from their raw bytes, and what the operation did to them. */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../oracle/walk.h"
#include "finding.h"
#include "options.h"
#include "result_json.h"
#include "round.h"
#include "say.h"
#include "story.h"
#include "trace_file.h"

static const char help[] =
	"usage: hitless show [--stores] [--op N] FILE\n"
	"\n"
	"Runs a trace, text or binary, and prints after each operation what came of it and all tables as the hardware would read\n"
	"them. Items that follow each other with equal attributes are one line:\n"
	"\n"
	"  L0 [iova, last] -> oa  512 x 4K rw- mmio cache priv A D   at 0x101000 = 0x...\n"
	"      fields of the first item\n"
	"\n"
	"  L0        level of the items; 0 holds only leaves\n"
	"  512 x 4K  leaves and their size; a contiguous group is one leaf\n"
	"  A D       accessed, dirty, where the device sets them\n"
	"  at, =     address and value of the first item\n"
	"\n"
	"      --stores         before the tables, everything that the operation did to them, in order\n"
	"      --op N           run all operations, print the N-th alone\n"
	"      --without C,..   leave out checks\n"
	"      --engine NAME, --hostile, --all-arguments  as for fuzz; with both, the tables are those of the engine that is not native\n"
	"      --arena MIB      size of simulated table memory\n"
	"      --json           one object on standard output: the same lines, by operation\n"
	"\n"
	"With --stores a line is one event of the operation's log, or several that do alike to items that follow each other:\n"
	"\n"
	"  #3  compare-exchange  level 2 0x103008 [iova, last]: 1G leaf, oa 0x80000000 rw- -> table 0x104000\n"
	"\n"
	"  #3        place in the log; the report of a finding counts alike\n"
	"  0x103008  address of the item; \"x 512\": so many items from there on, stored in any order if it is a fill, which may go on\n"
	"  ->        the item before and after; of many items, \"oa ... to ...\" those of the first and the last\n"
	"\n"
	"There are store, fill, compare-exchange, alloc, free, write-back (for a device that does not snoop), dma map, fence,\n"
	"invalidate (the raw command, and what it is sure to remove), sync, root (what the device walks from then on) and device\n"
	"(what it sets in an entry). Where a finding ends the trace, the log is as far as the operation came.\n"
	"\n"
	"Exit status: 0, 1 if the trace ends with a finding, which is printed, 2 for bad usage or input.\n"
	"\n"
	"example: hitless show --stores --op 2 corpus/seeds/amdv1-cut-middle.trace\n";

/*
 * struct show - the run, and the line that is being put together.
 *
 * @stores, @only: --stores; the operation that alone is printed, 0: all
 * @nr: of the operation that is running, from 1; 0: none
 * @first: the first item of the line; its level, iova, address, value and meaning
 * @items: how many items it has, 0: none
 */
struct show {
	struct exec x;
	sigjmp_buf end;
	struct finding finding;
	bool stores;
	uint64_t only, nr;
	struct {
		unsigned level, depth;
		uint64_t iova, pa, raw;
		struct hw_entry entry;
	} first;
	uint64_t items;
};

/* Whether what happens now is to be printed. */
static bool show_wants(const struct show *s)
{
	return !s->only || s->only == s->nr;
}

/* The log, event by event. */
static void show_stores(const struct show *s)
{
	char line[STORY_LINE_MAX];
	struct story story;
	size_t i, nr;

	story_init(&story, &s->x.check);
	for (i = 0; i < s->x.mem.view.events_nr; i += nr) {
		line[0] = '\0';
		nr = story_alike(&story, i);
		story_event(&story, i, nr, line, sizeof(line));
		printf("  %s\n", line);
	}
	story_release(&story);
}

static void show_found(void *arg, const struct verdict *v, const struct op *op)
{
	struct show *s = arg;

	if (s->stores && show_wants(s))
		show_stores(s);
	finding_make(&s->finding, &s->x, v, op);
	siglongjmp(s->end, 1);
}

/* --- the tables --- */

static void show_indent(unsigned depth)
{
	printf("%*s", (int)(4 + 2 * depth), "");
}

static void show_fields(const struct show *s, unsigned depth, unsigned level, uint64_t raw)
{
	const struct hw *hw = &s->x.check.hw;
	char fields[400] = "";

	hw->format->fields(hw, level, raw, fields, sizeof(fields));
	show_indent(depth + 2);
	printf("%s\n", fields);
}

static uint64_t show_oa(const struct hw_entry *e, uint64_t iova)
{
	return e->pa | (iova & layout_mask(e->span_lg2));
}

/* Print the leaves that were put together. */
static void show_flush(struct show *s)
{
	const struct hw_entry *e = &s->first.entry;
	uint64_t bytes = s->items << s->x.check.hw.item_lg2[s->first.level];
	char words[64] = "";

	if (!s->items)
		return;
	show_indent(s->first.depth);
	story_size(e->size_lg2, words, sizeof(words));
	say(words, sizeof(words), " ");
	story_prot(&s->x.check.hw, e, words, sizeof(words));
	printf("L%u [0x%llx, 0x%llx] -> 0x%llx  %llu x %s   at 0x%llx = 0x%llx\n", s->first.level, (unsigned long long)s->first.iova,
	       (unsigned long long)(s->first.iova + bytes - 1), (unsigned long long)show_oa(e, s->first.iova),
	       (unsigned long long)(bytes >> e->size_lg2 ? bytes >> e->size_lg2 : 1), words, (unsigned long long)s->first.pa,
	       (unsigned long long)s->first.raw);
	show_fields(s, s->first.depth, s->first.level, s->first.raw);
	s->items = 0;
}

/* Whether the leaf item goes on where the line ends, with equal attributes. */
static bool show_follows(const struct show *s, unsigned level, uint64_t iova, const struct hw_entry *e)
{
	uint64_t bytes = s->items << s->x.check.hw.item_lg2[level];
	const struct hw_entry *f = &s->first.entry;

	return s->items && level == s->first.level && iova == s->first.iova + bytes &&
	       show_oa(e, iova) == show_oa(f, s->first.iova) + bytes && e->size_lg2 == f->size_lg2 && e->prot == f->prot &&
	       e->accessed == f->accessed && e->dirty == f->dirty;
}

static void show_table(struct show *s, unsigned depth, unsigned level, uint64_t table, uint64_t base, bool root);

static void show_pointer(struct show *s, unsigned depth, unsigned level, uint64_t iova, uint64_t pa, uint64_t raw, const struct hw_entry *e)
{
	const struct hw *hw = &s->x.check.hw;
	const char *wrong = walk_table_wrong(hw, &s->x.mem.view, e->level, e->pa);

	show_indent(depth);
	printf("L%u [0x%llx, 0x%llx] table at 0x%llx%s%s   at 0x%llx = 0x%llx\n", level, (unsigned long long)iova,
	       (unsigned long long)(iova + layout_mask(hw->item_lg2[level])), (unsigned long long)e->pa, wrong ? ", which " : "",
	       wrong ? wrong : "", (unsigned long long)pa, (unsigned long long)raw);
	show_fields(s, depth, level, raw);
	if (!wrong)
		show_table(s, depth + 1, e->level, e->pa, iova, false);
}

static void show_table(struct show *s, unsigned depth, unsigned level, uint64_t table, uint64_t base, bool root)
{
	const struct hw *hw = &s->x.check.hw;
	uint64_t idx;

	for (idx = 0; idx < UINT64_C(1) << hw->index_lg2[level]; idx++) {
		uint64_t pa = table + (idx << hw->item_bytes_lg2), raw = mem_view_load(&s->x.mem.view, pa, hw->item_bytes_lg2);
		uint64_t iova = check_item_iova(hw, base, level, root, idx);
		struct hw_entry e = hw->format->decode(hw, level, raw);

		if (e.kind == HW_LEAF && show_follows(s, level, iova, &e)) {
			s->items++;
			continue;
		}
		show_flush(s);
		if (e.kind == HW_LEAF) {
			s->items = 1;
			s->first.level = level;
			s->first.depth = depth;
			s->first.iova = iova;
			s->first.pa = pa;
			s->first.raw = raw;
			s->first.entry = e;
		} else if (e.kind == HW_TABLE) {
			show_pointer(s, depth, level, iova, pa, raw, &e);
		} else if (e.kind == HW_BAD) {
			show_indent(depth);
			printf("L%u [0x%llx] %s   at 0x%llx = 0x%llx\n", level, (unsigned long long)iova, e.why, (unsigned long long)pa,
			       (unsigned long long)raw);
			show_fields(s, depth, level, raw);
		}
	}
	show_flush(s);
}

static void show_tables(struct show *s)
{
	const struct check *c = &s->x.check;

	printf("  root at 0x%llx, level %u\n", (unsigned long long)c->root, c->root_level);
	show_table(s, 0, c->root_level, c->root, 0, true);
}

/* --- the operations --- */

static const char *show_errno(int ret)
{
	static const struct {
		int ret;
		const char *name;
	} names[] = { { -EINVAL, "EINVAL" }, { -ERANGE, "ERANGE" },         { -ENXIO, "ENXIO" },  { -EOPNOTSUPP, "EOPNOTSUPP" },
		      { -ENOENT, "ENOENT" }, { -EADDRINUSE, "EADDRINUSE" }, { -ENOMEM, "ENOMEM" } };
	unsigned i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].ret == ret)
			return names[i].name;
	return "an error";
}

/* What the operation must return. The check has seen to it that it did, but for memory that ran out: that is in the log. */
static void show_expect(const struct show *s, const struct op *op, struct call_expect *want)
{
	static const enum call_kind kinds[OP_NR] = {
		[OP_MAP] = CALL_MAP,        [OP_CUT] = CALL_CUT,         [OP_UNMAP] = CALL_UNMAP,         [OP_DIRTY] = CALL_DIRTY,
		[OP_READ] = CALL_TRANSLATE, [OP_WRITE] = CALL_TRANSLATE, [OP_TRANSLATE] = CALL_TRANSLATE, [OP_SYNC] = CALL_SYNC,
	};
	bool point = op->kind != OP_MAP && op->kind != OP_UNMAP && op->kind != OP_DIRTY;
	struct call call = { .kind = kinds[op->kind],
			     .iova = op->iova,
			     .last = point ? op->iova : op->last,
			     .oa = op->oa,
			     .prot = op->prot,
			     .clear = op->clear };

	check_predict(&s->x.check, &call, want);
}

static bool show_log_has(const struct show *s, enum mem_event_kind kind)
{
	const struct mem_view *view = &s->x.mem.view;
	size_t i;

	for (i = 0; i < view->events_nr; i++)
		if (view->events[i].kind == kind)
			return true;
	return false;
}

/* What came of each operation of a round. */
static void show_round(const struct show *s)
{
	unsigned i;

	for (i = 0; i < s->x.round->ran_nr; i++) {
		const struct round_writer *w = &s->x.round->w[i];

		printf("  writer %u: %s%s, %llu primitives\n", w->op.thread, w->res.ret ? "refused: " : "done", w->res.ret ? show_errno(w->res.ret) : "",
		       (unsigned long long)w->points);
	}
}

static void show_result(const struct show *s, const struct op *op, enum exec_status status, const struct call_expect *want)
{
	bool no_memory = show_log_has(s, MEM_ALLOC_FAIL);
	size_t i;

	if (status == EXEC_SKIPPED) {
		printf("  left out: %s\n", s->x.why);
		return;
	}
	if (status == EXEC_WAITS) {
		printf("  waits for the switch\n");
		return;
	}
	if (op->kind == OP_SWITCH) {
		show_round(s);
		return;
	}
	printf("  %s%s", status == EXEC_REFUSED ? "refused: " : "done",
	       status == EXEC_REFUSED ? show_errno(no_memory ? -ENOMEM : want->ret) : "");
	if ((op->kind == OP_MAP || op->kind == OP_UNMAP) && want->done && !no_memory)
		printf(", %s [0x%llx, 0x%llx]", op->kind == OP_MAP ? "mapped" : "removed", (unsigned long long)op->iova,
		       (unsigned long long)want->done_last);
	if (op->kind == OP_UNMAP && status == EXEC_DONE && !want->done)
		printf(", nothing removed");
	if (op->kind == OP_TRANSLATE && status == EXEC_DONE)
		printf(", oa 0x%llx", (unsigned long long)want->oa);
	putchar('\n');
	for (i = 0; op->kind == OP_DIRTY && status == EXEC_DONE && i < s->x.dirty_nr; i++)
		printf("  dirty [0x%llx, 0x%llx]\n", (unsigned long long)s->x.dirty[i].iova, (unsigned long long)s->x.dirty[i].last);
}

static void show_op(struct show *s, const struct op *op)
{
	struct call_expect want;
	enum exec_status status;
	char line[OP_TEXT_MAX];

	if (!show_wants(s)) {
		exec_op(&s->x, op);
		return;
	}
	op_print(op, line);
	printf("%llu: %s\n", (unsigned long long)s->nr, line);
	show_expect(s, op, &want);
	status = exec_op(&s->x, op);
	show_result(s, op, status, &want);
	/* The log is still that of the operation before. */
	if (status == EXEC_SKIPPED || status == EXEC_WAITS)
		return;
	if (s->stores)
		show_stores(s);
	if (show_log_has(s, MEM_STORE) || show_log_has(s, MEM_CAS) || show_log_has(s, MEM_TOP) || show_log_has(s, MEM_DEVICE))
		show_tables(s);
	else
		printf("  the tables are as before\n");
}

static int show_run(struct show *s, const struct trace *t)
{
	const char *why = "";
	size_t i;

	if (sigsetjmp(s->end, 0)) {
		printf("\nFINDING %s", s->finding.report);
		exec_abandon(&s->x);
		return EXIT_FINDING;
	}
	if (exec_open(&s->x, &t->cfg, &why))
		return complain(EXIT_USAGE, "the configuration cannot be run: %s", why);
	if (show_wants(s)) {
		printf("an empty domain\n");
		if (s->stores)
			show_stores(s);
		show_tables(s);
	}
	for (i = 0; i < t->nr; i++) {
		s->nr = i + 1;
		show_op(s, &t->ops[i]);
	}
	s->nr = 0;
	exec_close(&s->x);
	return EXIT_CLEAN;
}

static int show_print(struct show *s, const struct trace *t, const char *config)
{
	printf("format %s\n", config);
	return show_run(s, t);
}

/* --- the same as JSON --- */

/* A line without indentation begins an operation, those below it are indented; a finding's report comes last, from "FINDING " on. */
static json_t *show_blocks(char *text)
{
	json_t *blocks = json_array(), *lines = NULL, *block;
	char *line, *rest = text, *report = strstr(text, "\nFINDING ");

	if (report)
		*report = '\0';
	while ((line = strsep(&rest, "\n"))) {
		if (lines && !strncmp(line, "  ", 2)) {
			json_array_append_new(lines, json_string(line + 2));
		} else if (line[0]) {
			lines = json_array();
			block = json_pack("{s:s, s:o}", "operation", line, "lines", lines);
			json_array_append_new(blocks, block);
		}
	}
	return blocks;
}

static int show_json(struct show *s, const struct trace *t, const char *path, const char *config)
{
	FILE *console = stdout, *out;
	char *text = NULL;
	size_t bytes;
	int ret;

	stdout = open_memstream(&text, &bytes); /* the C library's stdout is a variable */
	if (!stdout)
		abort();
	ret = show_run(s, t);
	fclose(stdout);
	stdout = console;
	out = ret == EXIT_USAGE ? NULL : json_begin();
	if (out)
		ret = json_end(out, json_pack("{s:s, s:s, s:o, s:o}", "file", path, "format", config, "operations", show_blocks(text), "finding",
					      ret == EXIT_FINDING ? json_finding_object(&s->finding) : json_null()),
			       "show", ret);
	else if (ret != EXIT_USAGE)
		ret = EXIT_TOOL;
	free(text);
	return ret;
}

int cmd_show(int argc, char **argv)
{
	static struct show s;
	char text[CONFIG_TEXT_MAX];
	struct options o;
	struct trace t;
	int ret = options_parse(argc, argv, OPTION_WITHOUT | OPTION_ENGINE | OPTION_ARENA | OPTION_STORES | OPTION_JSON, help, &o);

	if (ret >= 0)
		return ret;
	if (o.files_nr != 1)
		return complain(EXIT_USAGE, "show takes one file; try hitless show --help");
	ret = trace_load(o.files[0], &o.exec, &t);
	if (ret)
		return ret;
	if (!hw_find(t.cfg.format)->decode) {
		complain(EXIT_USAGE, "%s: nothing reads the tables of %s: oracle/hw_%s.c has no decoder yet", o.files[0], t.cfg.format,
			 t.cfg.format);
		trace_release(&t);
		return EXIT_USAGE;
	}
	if (exec_init(&s.x, &o.exec, show_found, &s)) {
		trace_release(&t);
		return complain(EXIT_TOOL, "no memory for the arena");
	}
	if (o.op > t.nr) {
		complain(EXIT_USAGE, "%s has %zu operations, and no number %llu", o.files[0], t.nr, (unsigned long long)o.op);
		exec_release(&s.x);
		trace_release(&t);
		return EXIT_USAGE;
	}
	s.stores = o.stores;
	s.only = o.op;
	config_print(&t.cfg, text, sizeof(text));
	ret = o.json ? show_json(&s, &t, o.files[0], text) : show_print(&s, &t, text);
	exec_release(&s.x);
	trace_release(&t);
	return ret;
}
