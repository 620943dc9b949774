/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stand_in.h - what every header of the kernel outside of its page-table code comes to: the build makes one of each name that the tree's
 * files ask for, which includes this.
 */
#ifndef HITLESS_STAND_IN_H
#define HITLESS_STAND_IN_H

#include "kernel_iommu.h"

#endif
