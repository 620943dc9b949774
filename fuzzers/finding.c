/* SPDX-License-Identifier: GPL-2.0-or-later */
/* finding.c - one finding: described for people, named by its signature, and put safely on disk. */
#include "finding.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../oracle/walk.h"
#include "race.h"
#include "round.h"
#include "say.h"
#include "schedule.h"

static void finding_sign(struct finding *f, const char *format)
{
	const char *want = f->v.want_code ? f->v.want_code : verdict_kind_name(f->v.want);
	const char *seen = f->v.seen_code ? f->v.seen_code : verdict_kind_name(f->v.seen);
	char level[8] = "-";

	if (f->v.level != VERDICT_LEVEL_NONE)
		snprintf(level, sizeof(level), "L%u", f->v.level);
	snprintf(f->signature, sizeof(f->signature), "%s G%u %s %s %s %s>%s", verdict_name(f->v.class), f->v.guarantee, format,
		 f->op_kind < OP_NR ? op_name((enum op_kind)f->op_kind) : "domain", level, want + (*want == '-' && want[1]),
		 seen + (*seen == '-' && seen[1]));
}

/* The walk through what is at rest: each item read, decoded field by field. */
static void finding_describe_walk(char *buf, size_t room, const struct check *c, uint64_t iova)
{
	static const char *const ends[] = { "translates", "faults", "reads a forbidden entry", "leaves table memory" };
	struct walk w;
	unsigned i;

	walk(&c->hw, c->view, c->root, c->root_level, iova, &w);
	say(buf, room, "the walk of iova 0x%llx %s%s%s\n", (unsigned long long)iova, ends[w.end], w.why ? ": " : "", w.why ? w.why : "");
	for (i = 0; i < w.nr; i++) {
		const struct walk_step *s = &w.steps[i];
		char fields[400] = "";

		say(buf, room, "  level %u, item at 0x%llx = 0x%llx: ", s->level, (unsigned long long)s->pa, (unsigned long long)s->raw);
		story_entry(&c->hw, s->level, s->raw, buf, room);
		c->hw.format->fields(&c->hw, s->level, s->raw, fields, sizeof(fields));
		say(buf, room, "\n    %s\n", fields);
	}
}

static void finding_describe_flight(char *buf, size_t room, const struct check *c, const struct verdict *v)
{
	struct story s;

	story_init(&s, c);
	schedule_print(&s, v, buf, room);
	story_release(&s);
}

static void finding_describe_race(char *buf, size_t room, const struct check *c)
{
	struct story s;

	story_init(&s, c);
	race_print(&s, buf, room);
	story_release(&s);
}

/* What is wrong, what the address translates to before and after. */
static void finding_describe_verdict(char *buf, size_t room, const struct verdict *v)
{
	say(buf, room, "%s\n", v->text);
	if (v->before[0] && !strcmp(v->before, v->after))
		say(buf, room, "  before and after: %s\n", v->before);
	else if (v->before[0])
		say(buf, room, "  before: %s\n  after:  %s\n", v->before, v->after);
}

/* The operations of a round; of that is the one that the finding is about. */
static void finding_describe_round(char *buf, size_t room, const struct exec *x, const struct op *of)
{
	char line[OP_TEXT_MAX];
	unsigned i;

	for (i = 1; i <= MEM_WRITERS_MAX; i++) {
		const struct op *op = round_op(x, i);

		if (!op)
			continue;
		op_print(op, line);
		say(buf, room, "  %s%s\n", line, op == of ? "   <- this one" : "");
	}
}

void finding_make(struct finding *f, const struct exec *x, const struct verdict *v, const struct op *op)
{
	char line[OP_TEXT_MAX];

	x = x->speaker;
	f->v = *v;
	f->op_kind = op ? op->kind : (unsigned)OP_NR;
	f->op_idx = x->ops_nr ? x->ops_nr - 1 : 0;
	f->report[0] = '\0';
	finding_sign(f, x->cfg.format);
	say(f->report, sizeof(f->report), "%s\n", f->signature);
	if (op && x->op && x->op != op) {
		op_print(x->op, line);
		say(f->report, sizeof(f->report), "at operation %zu: %s\n", f->op_idx + 1, line);
		finding_describe_round(f->report, sizeof(f->report), x, op);
	} else if (op) {
		op_print(op, line);
		say(f->report, sizeof(f->report), "at operation %zu: %s\n", f->op_idx + 1, line);
		if (op->kind == OP_SWITCH)
			finding_describe_round(f->report, sizeof(f->report), x, op);
	} else {
		say(f->report, sizeof(f->report), "after %llu operations, while the domain was made, swept or torn down\n",
		    (unsigned long long)x->ops_nr);
	}
	if (strcmp(engine_name(), "native") && strcmp(engine_name(), x->ops->engine))
		say(f->report, sizeof(f->report), "in the tables of the engine %s\n", x->ops->engine);
	finding_describe_verdict(f->report, sizeof(f->report), v);
	if (!x->options.observed || x->check.blind)
		return;
	if (v->steps_nr)
		finding_describe_flight(f->report, sizeof(f->report), &x->check, v);
	else if (v->has_iova && x->check.root != MEM_NONE)
		finding_describe_walk(f->report, sizeof(f->report), &x->check, v->iova);
	if (!v->steps_nr && x->op && x->op->kind == OP_SWITCH)
		finding_describe_race(f->report, sizeof(f->report), &x->check);
}

void finding_died(struct verdict *v, int signal_nr)
{
	*v = (struct verdict){ .class = VERDICT_CRASH, .guarantee = 9, .level = VERDICT_LEVEL_NONE };
	if (signal_nr > 0)
		snprintf(v->text, sizeof(v->text), "signal %d: %s", signal_nr, strsignal(signal_nr));
	else
		snprintf(v->text, sizeof(v->text), "the process ended itself, as after a sanitizer's report");
}

void finding_crash(struct finding *f, const char *format, unsigned op_kind, size_t op_idx, int signal_nr)
{
	memset(f, 0, sizeof(*f));
	finding_died(&f->v, signal_nr);
	f->op_kind = op_kind;
	f->op_idx = op_idx;
	if (signal_nr == SIGXCPU || signal_nr == SIGKILL) {
		f->v.class = VERDICT_NO_PROGRESS;
		snprintf(f->v.text, sizeof(f->v.text), "the operation did not end");
	}
	finding_sign(f, format);
	snprintf(f->report, sizeof(f->report), "%s\nat operation %zu\n%s\n", f->signature, op_idx + 1, f->v.text);
}

void finding_print_trace(const struct trace *t, FILE *out)
{
	struct trace brief = *t;

	exec_brief(&brief.cfg);
	trace_print(&brief, out);
}

char *finding_trace_text(const struct finding *f, const struct trace *t, size_t *bytes)
{
	char *text = NULL;
	const char *line = f->report, *end;
	FILE *out = open_memstream(&text, bytes);

	if (!out)
		abort();
	for (; (end = strchr(line, '\n')); line = end + 1)
		fprintf(out, "# %.*s\n", (int)(end - line), line);
	finding_print_trace(t, out);
	fclose(out);
	return text;
}

int save_file(const char *path, const char *text, size_t bytes)
{
	char temporary[4096], copy[4096];
	int fd, dir, ret = 0;
	struct stat st;
	ssize_t n;

	if (!lstat(path, &st) && !S_ISREG(st.st_mode))
		return -EEXIST;
	if (snprintf(temporary, sizeof(temporary), "%s.%d.tmp", path, (int)getpid()) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	while (bytes && (n = write(fd, text, bytes)) > 0) {
		text += n;
		bytes -= (size_t)n;
	}
	if (bytes || fsync(fd))
		ret = errno ? -errno : -EIO;
	close(fd);
	if (!ret && rename(temporary, path))
		ret = -errno;
	if (ret) {
		unlink(temporary);
		return ret;
	}
	snprintf(copy, sizeof(copy), "%s", path);
	dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		fsync(dir);
		close(dir);
	}
	return 0;
}

/* How long the text of a trace is, comments not counted: of two with as many operations the shorter one says less. */
static size_t finding_text_bytes(const struct trace *t)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		abort();
	finding_print_trace(t, out);
	fclose(out);
	free(text);
	return bytes;
}

/* Whether the trace file at path, if there is one that can be read, has fewer operations than t, or as many and is not longer. */
static bool finding_saved_less(const char *path, const struct trace *t)
{
	FILE *in = fopen(path, "r");
	struct trace_error err;
	struct trace saved;
	bool less = false;
	char *text;
	long bytes;

	if (!in)
		return false;
	fseek(in, 0, SEEK_END);
	bytes = ftell(in);
	rewind(in);
	text = bytes > 0 ? malloc((size_t)bytes) : NULL;
	if (text && fread(text, 1, (size_t)bytes, in) == (size_t)bytes && !trace_parse(&saved, text, (size_t)bytes, &err)) {
		less = saved.nr < t->nr || (saved.nr == t->nr && finding_text_bytes(&saved) <= finding_text_bytes(t));
		trace_release(&saved);
	}
	free(text);
	fclose(in);
	return less;
}

int finding_save(const struct finding *f, const struct trace *t, const char *dir, char *path, size_t path_bytes)
{
	char name[FINDING_SIGNATURE_MAX];
	size_t i, bytes;
	char *text;
	int ret;

	for (i = 0; f->signature[i]; i++)
		name[i] = strchr(" >", f->signature[i]) ? '-' : f->signature[i];
	name[i] = '\0';
	if (mkdir(dir, 0755) && errno != EEXIST)
		return -errno;
	if (snprintf(path, path_bytes, "%s/%s.trace", dir, name) >= (int)path_bytes)
		return -ENAMETOOLONG;
	if (finding_saved_less(path, t))
		return 0;
	text = finding_trace_text(f, t, &bytes);
	ret = save_file(path, text, bytes);
	free(text);
	return ret;
}
