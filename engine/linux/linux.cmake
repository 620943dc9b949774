# SPDX-License-Identifier: GPL-2.0-or-later
# The Linux engine: the kernel's own files, compiled where they lie in the tree HITLESS_LINUX, between our stand-ins and our adapter.
#
# Makes the object library linux_engine, and linux_formats.inc beside formats.inc: FORMAT(name) once for each format that the tree has, that
# engine/linux/linux_<name>.c adapts and that HITLESS_FORMATS names.

set(generic_pt ${HITLESS_LINUX}/drivers/iommu/generic_pt)
set(stand_in ${CMAKE_BINARY_DIR}/generated/linux)

if(NOT IS_DIRECTORY ${HITLESS_LINUX})
	message(FATAL_ERROR "HITLESS_LINUX: there is no folder ${HITLESS_LINUX}; name a kernel tree, or use scripts/linux")
endif()
if(NOT EXISTS ${generic_pt}/iommu_pt.h OR NOT EXISTS ${HITLESS_LINUX}/include/linux/generic_pt/iommu.h)
	message(FATAL_ERROR "HITLESS_LINUX: ${HITLESS_LINUX} has no drivers/iommu/generic_pt, which Linux has from 6.19 on; name another tree, "
		"or use scripts/linux")
endif()
file(STRINGS ${HITLESS_LINUX}/include/linux/generic_pt/iommu.h map_range REGEX "\\(\\*map_range\\)")
if(NOT map_range)
	message(FATAL_ERROR "HITLESS_LINUX: the page table of ${HITLESS_LINUX} has no map_range: it is older than what the adapter was "
		"written for; name a tree of Linux 7.3 or later, or use scripts/linux")
endif()

# What the tree offers beside that: a cut, as a proposed series has it.
file(STRINGS ${HITLESS_LINUX}/include/linux/generic_pt/iommu.h cut_mapping REGEX "\\(\\*cut_mapping\\)")
set(linux_cut "")
if(cut_mapping)
	set(linux_cut " with cut_mapping")
endif()

# A header for each name outside of the page-table code that its files ask for. The C library itself asks for two of these.
file(GLOB_RECURSE linux_files ${generic_pt}/*.c ${generic_pt}/*.h)
list(FILTER linux_files EXCLUDE REGEX "kunit")
set(linux_public linux/generic_pt/common.h linux/generic_pt/iommu.h)
list(APPEND linux_files ${HITLESS_LINUX}/drivers/iommu/iommu-pages.h)
foreach(name IN LISTS linux_public)
	list(APPEND linux_files ${HITLESS_LINUX}/include/${name})
	file(CONFIGURE OUTPUT ${stand_in}/${name} CONTENT "#pragma GCC system_header\n#include \"${HITLESS_LINUX}/include/${name}\"\n" @ONLY)
endforeach()
file(CONFIGURE OUTPUT ${stand_in}/iommu-pages.h
	CONTENT "#pragma GCC system_header\n#include \"${HITLESS_LINUX}/drivers/iommu/iommu-pages.h\"\n" @ONLY)
foreach(file IN LISTS linux_files)
	file(STRINGS ${file} includes REGEX "^#[ \t]*include[ \t]*<(linux|asm)/")
	foreach(include IN LISTS includes)
		string(REGEX REPLACE "^#[ \t]*include[ \t]*<([^>]*)>.*" "\\1" name "${include}")
		if(NOT name MATCHES "^linux/(generic_pt/|errno.h$|limits.h$)")
			file(CONFIGURE OUTPUT ${stand_in}/${name} CONTENT "#include \"stand_in.h\"\n" @ONLY)
		endif()
	endforeach()
endforeach()

set(linux_formats "")
set(linux_formats_inc "")
set(linux_kernel_sources "")
set(linux_sources ${CMAKE_CURRENT_LIST_DIR}/linux_ops.c ${CMAKE_CURRENT_LIST_DIR}/linux_pages.c)
file(GLOB kernel_formats CONFIGURE_DEPENDS ${generic_pt}/fmt/iommu_*.c)
foreach(source IN LISTS kernel_formats)
	string(REGEX REPLACE ".*/iommu_(.*)\\.c$" "\\1" format ${source})
	if(format STREQUAL mock) # the kernel's own test of itself
		continue()
	endif()
	if(NOT EXISTS ${CMAKE_CURRENT_LIST_DIR}/linux_${format}.c)
		message(STATUS "Linux engine: the tree has a format ${format}, which nothing adapts: write engine/linux/linux_${format}.c")
		continue()
	endif()
	if(NOT format IN_LIST HITLESS_FORMATS)
		continue()
	endif()
	list(APPEND linux_formats ${format})
	list(APPEND linux_kernel_sources ${source})
	list(APPEND linux_sources ${CMAKE_CURRENT_LIST_DIR}/linux_${format}.c)
	string(APPEND linux_formats_inc "FORMAT(${format})\n")
endforeach()
if(NOT linux_formats)
	message(FATAL_ERROR "HITLESS_LINUX: ${HITLESS_LINUX} has none of the formats in HITLESS_FORMATS that engine/linux adapts")
endif()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/linux_formats.inc CONTENT "${linux_formats_inc}" @ONLY)
message(STATUS "Linux engine: ${linux_formats} of ${HITLESS_LINUX}${linux_cut}, debugging ${HITLESS_LINUX_DEBUG}")

add_library(linux_engine OBJECT ${linux_kernel_sources} ${linux_sources})
target_include_directories(linux_engine PRIVATE ${stand_in} ${CMAKE_CURRENT_LIST_DIR})
target_compile_definitions(linux_engine PRIVATE __KERNEL__ _GNU_SOURCE CONFIG_SMP=1 CONFIG_IOMMU_PT=1 CONFIG_IOMMUFD_DRIVER=1)
if(NOT HITLESS_LINUX_DMA_API)
	target_compile_definitions(linux_engine PRIVATE CONFIG_X86=1)
endif()
if(linux_cut)
	target_compile_definitions(linux_engine PRIVATE HITLESS_LINUX_CUT)
endif()
if(HITLESS_LINUX_DEBUG)
	target_compile_definitions(linux_engine PRIVATE CONFIG_DEBUG_GENERIC_PT=1)
endif()
# As the kernel is compiled; what it warns about is not ours to say.
target_compile_options(linux_engine PRIVATE -fno-strict-overflow)
set_source_files_properties(${linux_kernel_sources} PROPERTIES COMPILE_OPTIONS "-w;-include;stand_in.h")
