/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_qemu.h - a QEMU as a child process: its RAM, which is ours too, and the sockets over which it is spoken to.
 *
 * Nothing of it outlives the parent: the child asks to be killed with it, and its RAM and sockets have no names. Every wait is bounded.
 * It knows nothing of page tables.
 */
#ifndef HITLESS_JUDGE_QEMU_H
#define HITLESS_JUDGE_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How long anything that QEMU has to do may take, unless @wait_seconds of struct qemu is changed. */
#define QEMU_WAIT_SECONDS 20

/* Guest memory [pa, pa + bytes) lies at offset of the file. */
struct qemu_region {
	uint64_t pa, bytes, offset;
};

#define QEMU_REGIONS_MAX 2

/* A guest's RAM as we see it. Pages that nobody has touched take no memory. */
struct qemu_ram {
	int fd;
	uint8_t *bytes;
	uint64_t bytes_nr;
	struct qemu_region regions[QEMU_REGIONS_MAX];
	unsigned regions_nr;
};

/* qemu_ram_init - RAM of these regions, all zero. 0 or -errno. */
int qemu_ram_init(struct qemu_ram *ram, const struct qemu_region *regions, unsigned nr);
void qemu_ram_release(struct qemu_ram *ram);

/* The host address of guest memory [pa, pa + bytes), or NULL where that is not all RAM in one region. */
void *qemu_ram_at(const struct qemu_ram *ram, uint64_t pa, uint64_t bytes);

/* The channels that a QEMU may have, beside the trace. */
enum qemu_channel { QEMU_QMP, QEMU_GDB, QEMU_QTEST, QEMU_CHANNELS_NR };

/*
 * struct qemu - a child.
 *
 * @pid:     0: not running
 * @wait_seconds: that it is waited for at most; QEMU_WAIT_SECONDS from qemu_start on
 * @fds:     our ends of its channels, -1: it has none such; @trace: what it writes to standard error
 * @version: as it says itself, "7.2.22 (Debian 1:7.2+dfsg...)"
 * @in, @in_nr, @in_at: what has been read from the channel that is being read, and how far it was taken
 * @why:     after an error, what went wrong
 */
struct qemu {
	pid_t pid;
	double wait_seconds;
	int fds[QEMU_CHANNELS_NR], trace;
	char version[120];
	struct qemu_input {
		char *bytes;
		size_t nr, at, room;
	} in[QEMU_CHANNELS_NR + 1];
	char why[300];
};

#define QEMU_TRACE QEMU_CHANNELS_NR /* the index of what it writes to standard error among @in */

/* Where a binary called name is: the folder that HITLESS_QEMU names, or PATH. False: nowhere. */
bool qemu_find(const char *name, char *path, size_t path_bytes);

/*
 * qemu_start - run path with argv (argv[0] is the program's name; NULL at the end) and the channels in the mask wanted; ram is handed
 * over as the memory backend "ram". fd_kept is a further descriptor that the child keeps, -1: none. Returns 0, or -errno with q->why.
 */
int qemu_start(struct qemu *q, const char *path, const char *const argv[], unsigned wanted, const struct qemu_ram *ram, int fd_kept);

/* Ends the child and reaps it. */
void qemu_stop(struct qemu *q);

/* qemu_alive - 0, or -EPIPE with q->why, if it has ended by itself. */
int qemu_alive(struct qemu *q);

/* Send all of it. 0 or -errno with q->why. */
int qemu_send(struct qemu *q, enum qemu_channel channel, const void *bytes, size_t nr);

/*
 * qemu_line - the next line of a channel or the trace, without its end; valid until the next call for the same channel. Waits for at most
 * @wait_seconds. NULL with q->why on error. With peek only what has arrived is looked at, and NULL is no error.
 */
char *qemu_line(struct qemu *q, unsigned channel, bool peek);

/* Reads whatever has arrived on the channel or trace, so that the child does not block. 0 or -errno. */
int qemu_drain(struct qemu *q, unsigned channel);

/* qemu_hmp - a command of the human monitor; *answer is allocated. 0 or -errno with q->why. */
int qemu_hmp(struct qemu *q, const char *command, char **answer);

/* The same for several commands at once; answers has nr places. On error none is left allocated. */
int qemu_hmp_all(struct qemu *q, const char *const *commands, size_t nr, char **answers);

/*
 * qemu_gdb - a packet of the gdb remote protocol and its answer, unescaped text, into answer. 0 or -errno with q->why.
 */
int qemu_gdb(struct qemu *q, const char *packet, char *answer, size_t answer_bytes);

/*
 * The number of a register, from the target descriptions that the stub hands out, into *number. -ENOENT with q->why if no description has
 * it. qemu_gdb_set writes 8 bytes to it.
 */
int qemu_gdb_register(struct qemu *q, const char *name, unsigned *number);
int qemu_gdb_set(struct qemu *q, unsigned number, uint64_t value);

/* Seconds of a clock that only goes forward: for bounded waits. */
double qemu_now(void);

/* What went wrong, into q->why. Returns ret. */
int qemu_wrong(struct qemu *q, int ret, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
