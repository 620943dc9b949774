/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_qemu.c - a QEMU as a child process, its RAM and its channels. */
#include "judge_qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../jobs.h"

double qemu_now(void)
{
	return jobs_now();
}

int qemu_wrong(struct qemu *q, int ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(q->why, sizeof(q->why), format, args);
	va_end(args);
	return ret;
}

int qemu_ram_init(struct qemu_ram *ram, const struct qemu_region *regions, unsigned nr)
{
	unsigned i;

	memset(ram, 0, sizeof(*ram));
	ram->regions_nr = nr;
	memcpy(ram->regions, regions, nr * sizeof(*regions));
	for (i = 0; i < nr; i++)
		ram->bytes_nr += regions[i].bytes;
	ram->fd = memfd_create("guest-ram", MFD_CLOEXEC);
	if (ram->fd < 0)
		return -errno;
	ram->bytes = MAP_FAILED;
	if (!ftruncate(ram->fd, (off_t)ram->bytes_nr))
		ram->bytes = mmap(NULL, ram->bytes_nr, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, ram->fd, 0);
	if (ram->bytes == MAP_FAILED) {
		int ret = -errno;

		close(ram->fd);
		memset(ram, 0, sizeof(*ram));
		return ret;
	}
	return 0;
}

void qemu_ram_release(struct qemu_ram *ram)
{
	if (!ram->bytes)
		return;
	munmap(ram->bytes, ram->bytes_nr);
	close(ram->fd);
	memset(ram, 0, sizeof(*ram));
}

void *qemu_ram_at(const struct qemu_ram *ram, uint64_t pa, uint64_t bytes)
{
	unsigned i;

	for (i = 0; i < ram->regions_nr; i++) {
		const struct qemu_region *r = &ram->regions[i];

		if (pa >= r->pa && pa - r->pa < r->bytes && r->bytes - (pa - r->pa) >= bytes)
			return ram->bytes + r->offset + (pa - r->pa);
	}
	return NULL;
}

bool qemu_find(const char *name, char *path, size_t path_bytes)
{
	const char *folder = getenv("HITLESS_QEMU"), *list = getenv("PATH");

	if (folder && *folder) {
		snprintf(path, path_bytes, "%s/%s", folder, name);
		return !access(path, X_OK);
	}
	while (list && *list) {
		size_t nr = strcspn(list, ":");

		snprintf(path, path_bytes, "%.*s/%s", (int)nr, list, name);
		if (nr && !access(path, X_OK))
			return true;
		list += nr + (list[nr] == ':');
	}
	return false;
}

/* In the child: keep the descriptors that it is meant to have. Only what may be called after fork. */
static void child_run(const char *path, char *const *argv, const int *keep, unsigned keep_nr, int trace, pid_t parent)
{
	unsigned i;
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127); /* it has ended before the line above */
	dup2(null, 0);
	dup2(null, 1);
	dup2(trace, 2);
	for (i = 0; i < keep_nr; i++)
		if (keep[i] >= 0)
			fcntl(keep[i], F_SETFD, 0);
	execv(path, argv);
	_exit(127);
}

/*
 * What every QEMU here is started with. Descriptors are named by their numbers, which the child keeps. The texts are allocated and
 * leaked into *texts for the caller to free.
 */
static unsigned argv_channels(char **argv, char **texts, const int *theirs, const struct qemu_ram *ram)
{
	static const char *const options[QEMU_CHANNELS_NR] = { "-mon", "-gdb", "-qtest" };
	static const char *const values[QEMU_CHANNELS_NR] = { "chardev=%s,mode=control", "chardev:%s", "chardev:%s" };
	/* QEMU looks for a chardev called qtest, whatever it is told. */
	static const char *const ids[QEMU_CHANNELS_NR] = { "qmp", "gdb", "qtest" };
	unsigned nr = 0, texts_nr = 0, i;

	for (i = 0; i < QEMU_CHANNELS_NR; i++) {
		if (theirs[i] < 0)
			continue;
		if (asprintf(&texts[texts_nr], "socket,id=%s,fd=%d", ids[i], theirs[i]) < 0)
			abort();
		argv[nr++] = (char *)"-chardev";
		argv[nr++] = texts[texts_nr++];
		if (asprintf(&texts[texts_nr], values[i], ids[i]) < 0)
			abort();
		argv[nr++] = (char *)options[i];
		argv[nr++] = texts[texts_nr++];
	}
	if (ram) {
		if (asprintf(&texts[texts_nr], "memory-backend-file,id=ram,size=%llu,share=on,mem-path=/proc/self/fd/%d",
			     (unsigned long long)ram->bytes_nr, ram->fd) < 0)
			abort();
		argv[nr++] = (char *)"-object";
		argv[nr++] = texts[texts_nr++];
	}
	return nr;
}

#define ARGV_MAX 80

static int child_start(struct qemu *q, const char *path, const char *const args[], const int *theirs, const struct qemu_ram *ram,
		       int fd_kept)
{
	char *argv[ARGV_MAX], *texts[2 * QEMU_CHANNELS_NR + 1] = { 0 };
	int keep[QEMU_CHANNELS_NR + 2], trace[2];
	unsigned nr = 0, i;
	pid_t parent = getpid();

	while (args[nr] && nr < ARGV_MAX - 20) {
		argv[nr] = (char *)args[nr];
		nr++;
	}
	nr += argv_channels(argv + nr, texts, theirs, ram);
	argv[nr] = NULL;
	memcpy(keep, theirs, QEMU_CHANNELS_NR * sizeof(*keep));
	keep[QEMU_CHANNELS_NR] = ram ? ram->fd : -1;
	keep[QEMU_CHANNELS_NR + 1] = fd_kept;
	if (pipe2(trace, O_CLOEXEC))
		return qemu_wrong(q, -errno, "pipe: %s", strerror(errno));
	fcntl(trace[1], F_SETPIPE_SZ, 1 << 20);
	fflush(NULL);
	q->pid = fork();
	if (!q->pid)
		child_run(path, argv, keep, QEMU_CHANNELS_NR + 2, trace[1], parent);
	close(trace[1]);
	q->trace = trace[0];
	fcntl(q->trace, F_SETFL, O_NONBLOCK);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	if (q->pid < 0) {
		q->pid = 0;
		return qemu_wrong(q, -errno, "fork: %s", strerror(errno));
	}
	return 0;
}

static int qmp_greet(struct qemu *q);

int qemu_start(struct qemu *q, const char *path, const char *const argv[], unsigned wanted, const struct qemu_ram *ram, int fd_kept)
{
	int theirs[QEMU_CHANNELS_NR], pair[2], ret = 0;
	unsigned i;

	memset(q, 0, sizeof(*q));
	q->trace = -1;
	q->wait_seconds = QEMU_WAIT_SECONDS;
	for (i = 0; i < QEMU_CHANNELS_NR; i++)
		q->fds[i] = theirs[i] = -1;
	for (i = 0; i < QEMU_CHANNELS_NR && !ret; i++) {
		if (!(wanted >> i & 1))
			continue;
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
			ret = qemu_wrong(q, -errno, "socketpair: %s", strerror(errno));
			break;
		}
		q->fds[i] = pair[0];
		theirs[i] = pair[1];
		fcntl(pair[0], F_SETFL, O_NONBLOCK);
	}
	if (!ret)
		ret = child_start(q, path, argv, theirs, ram, fd_kept);
	for (i = 0; i < QEMU_CHANNELS_NR; i++)
		if (theirs[i] >= 0)
			close(theirs[i]);
	if (!ret && wanted >> QEMU_QMP & 1)
		ret = qmp_greet(q);
	if (ret)
		qemu_stop(q);
	return ret;
}

void qemu_stop(struct qemu *q)
{
	unsigned i;

	if (q->pid > 0) {
		kill(q->pid, SIGKILL);
		while (waitpid(q->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	q->pid = 0;
	for (i = 0; i < QEMU_CHANNELS_NR; i++) {
		if (q->fds[i] > 0)
			close(q->fds[i]);
		q->fds[i] = -1;
	}
	if (q->trace > 0)
		close(q->trace);
	q->trace = -1;
	for (i = 0; i <= QEMU_CHANNELS_NR; i++) {
		free(q->in[i].bytes);
		memset(&q->in[i], 0, sizeof(q->in[i]));
	}
}

int qemu_alive(struct qemu *q)
{
	const char *line = NULL, *next;
	int status;
	pid_t pid = q->pid ? waitpid(q->pid, &status, WNOHANG) : -1;

	if (!pid)
		return 0;
	if (pid > 0) {
		q->pid = 0;
		qemu_drain(q, QEMU_TRACE);
		/* Its last words. */
		while ((next = qemu_line(q, QEMU_TRACE, true)))
			line = next;
		if (WIFSIGNALED(status))
			return qemu_wrong(q, -EPIPE, "QEMU was ended by signal %d: %s", WTERMSIG(status), line ? line : "it said nothing");
		return qemu_wrong(q, -EPIPE, "QEMU ended with status %d: %s", WEXITSTATUS(status), line ? line : "it said nothing");
	}
	return qemu_wrong(q, -EPIPE, "QEMU is not running");
}

static int channel_fd(const struct qemu *q, unsigned channel)
{
	return channel == QEMU_TRACE ? q->trace : q->fds[channel];
}

int qemu_drain(struct qemu *q, unsigned channel)
{
	struct qemu_input *in = &q->in[channel];
	ssize_t got;

	/* What was taken is forgotten once it is most of it. */
	if (in->at > in->nr / 2) {
		memmove(in->bytes, in->bytes + in->at, in->nr - in->at);
		in->nr -= in->at;
		in->at = 0;
	}
	for (;;) {
		if (in->room - in->nr < 65536) {
			in->room = in->room ? 2 * in->room : 1 << 18;
			in->bytes = realloc(in->bytes, in->room);
			if (!in->bytes)
				abort();
		}
		got = read(channel_fd(q, channel), in->bytes + in->nr, in->room - in->nr - 1);
		if (got > 0) {
			in->nr += (size_t)got;
			continue;
		}
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		return got ? -errno : -EPIPE;
	}
}

/* A channel was closed: most likely it has ended, or is about to. Returns -EPIPE. */
static int qemu_closed(struct qemu *q)
{
	struct timespec nap = { .tv_nsec = 10000000 };
	unsigned i;

	for (i = 0; i < 200; i++) {
		if (qemu_alive(q))
			return -EPIPE;
		nanosleep(&nap, NULL);
	}
	return qemu_wrong(q, -EPIPE, "QEMU closed a channel");
}

/* Wait until there is more to read or, with events POLLOUT, room to write; the trace is kept flowing. */
static int channel_wait(struct qemu *q, unsigned channel, short events, double deadline)
{
	struct pollfd fds[2] = { { .fd = channel_fd(q, channel), .events = events }, { .fd = q->trace, .events = POLLIN } };
	int ms = (int)((deadline - qemu_now()) * 1000);

	if (ms <= 0)
		return qemu_wrong(q, -ETIMEDOUT, "QEMU gave no answer for %g seconds", q->wait_seconds);
	if (poll(fds, channel == QEMU_TRACE ? 1 : 2, ms > 200 ? 200 : ms) < 0 && errno != EINTR)
		return qemu_wrong(q, -errno, "poll: %s", strerror(errno));
	if (channel != QEMU_TRACE && fds[1].revents & POLLIN)
		qemu_drain(q, QEMU_TRACE);
	if (fds[0].revents & (POLLHUP | POLLERR) && !(fds[0].revents & POLLIN))
		return qemu_closed(q);
	return 0;
}

int qemu_send(struct qemu *q, enum qemu_channel channel, const void *bytes, size_t nr)
{
	double deadline = qemu_now() + q->wait_seconds;
	const char *p = bytes;
	int ret;

	while (nr) {
		ssize_t put = send(q->fds[channel], p, nr, MSG_NOSIGNAL);

		if (put > 0) {
			p += put;
			nr -= (size_t)put;
			continue;
		}
		if (put < 0 && errno != EAGAIN && errno != EINTR) {
			int error = errno;

			return error == EPIPE ? qemu_closed(q) : qemu_wrong(q, -error, "send: %s", strerror(error));
		}
		/* Its answers may be what fills the pipe. */
		qemu_drain(q, channel);
		ret = channel_wait(q, channel, POLLOUT, deadline);
		if (ret)
			return ret;
	}
	return 0;
}

char *qemu_line(struct qemu *q, unsigned channel, bool peek)
{
	struct qemu_input *in = &q->in[channel];
	double deadline = 0;
	size_t seen = in->at;

	for (;;) {
		char *end = in->nr > seen ? memchr(in->bytes + seen, '\n', in->nr - seen) : NULL;
		size_t rest;
		int ret;

		if (end) {
			char *line = in->bytes + in->at;

			*end = 0;
			if (end > line && end[-1] == '\r')
				end[-1] = 0;
			in->at = (size_t)(end - in->bytes) + 1;
			return line;
		}
		if (peek)
			return NULL;
		if (!deadline)
			deadline = qemu_now() + q->wait_seconds;
		rest = in->nr - in->at; /* draining may move what has not been taken */
		ret = qemu_drain(q, channel);
		seen = in->at + rest;
		if (ret) {
			qemu_closed(q);
			return NULL;
		}
		if (in->nr == seen && channel_wait(q, channel, POLLIN, deadline))
			return NULL;
	}
}

/* What the greeting says of the version. */
static int qmp_greet(struct qemu *q)
{
	static const char capabilities[] = "{\"execute\":\"qmp_capabilities\"}\n";
	const char *line = qemu_line(q, QEMU_QMP, false);
	unsigned major, minor, micro;
	const char *package, *at;

	if (!line)
		return -EIO;
	at = strstr(line, "\"qemu\": {\"micro\": ");
	package = strstr(line, "\"package\": \"");
	if (!at || sscanf(at, "\"qemu\": {\"micro\": %u, \"minor\": %u, \"major\": %u}", &micro, &minor, &major) != 3 || !package)
		return qemu_wrong(q, -EPROTO, "QEMU greets as no QEMU that is known: %.100s", line);
	package += strlen("\"package\": \"");
	snprintf(q->version, sizeof(q->version), "%u.%u.%u (%.*s)", major, minor, micro, (int)strcspn(package, "\""), package);
	if (qemu_send(q, QEMU_QMP, capabilities, sizeof(capabilities) - 1))
		return -EIO;
	line = qemu_line(q, QEMU_QMP, false);
	if (!line)
		return -EIO;
	return strcmp(line, "{\"return\": {}}") ? qemu_wrong(q, -EPROTO, "QEMU does not speak QMP: %.100s", line) : 0;
}
