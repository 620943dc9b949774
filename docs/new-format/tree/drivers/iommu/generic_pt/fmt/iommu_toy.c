// SPDX-License-Identifier: GPL-2.0-or-later
/* The made-up format toy, as an IOMMU page table. */
#define PT_FMT toy
#define PT_SUPPORTED_FEATURES (BIT(PT_FEAT_FLUSH_RANGE) | BIT(PT_FEAT_DMA_INCOHERENT))

#include "iommu_template.h"
