/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prove_cmd.h - the part of hitless formats that is asked for by --prove. */
#ifndef HITLESS_PROVE_CMD_H
#define HITLESS_PROVE_CMD_H

#include "options.h"

/* prove_formats - run and print it for the formats and the configuration of *o. Returns the exit status. */
int prove_formats(const struct options *o);

#endif
