# SPDX-License-Identifier: GPL-2.0-or-later
# The iopgtable engine: the kernel's io-pgtable, of the same tree and between the same stand-ins. Included by linux.cmake.
#
# Sets pgtable_kernel_sources, pgtable_options (how they are compiled), pgtable_sources, pgtable_kernel_files and pgtable_public (what to make
# stand-ins for), HITLESS_IOPGTABLE, and makes iopgtable_formats.inc: FORMAT(name) for each format that HITLESS_FORMATS names as well.

set(HITLESS_IOPGTABLE OFF)
set(pgtable_kernel_sources "")
set(pgtable_sources "")
set(pgtable_kernel_files "")
set(pgtable_public "")
set(pgtable_formats "")
# Which of the kernel's files has a format, and which adapter.
set(pgtable_file_armv8_4k io-pgtable-arm)
set(pgtable_file_armv8_16k io-pgtable-arm)
set(pgtable_file_armv8_64k io-pgtable-arm)
set(pgtable_file_armv7s io-pgtable-arm-v7s)
set(pgtable_file_dart io-pgtable-dart)
set(pgtable_iommu ${HITLESS_LINUX}/drivers/iommu)

if(CMAKE_C_FLAGS MATCHES "-fsanitize=thread")
	message(STATUS "iopgtable engine: not under the thread sanitizer, whose instrumentation it sees plain stores by")
	return()
endif()
foreach(name IN ITEMS io-pgtable.c io-pgtable-arm.c io-pgtable-arm-v7s.c io-pgtable-dart.c)
	if(NOT EXISTS ${pgtable_iommu}/${name})
		message(STATUS "iopgtable engine: ${HITLESS_LINUX} has no drivers/iommu/${name}")
		return()
	endif()
endforeach()

set(pgtable_formats_inc "")
foreach(format IN ITEMS armv8_4k armv8_16k armv8_64k armv7s dart)
	if(format IN_LIST HITLESS_FORMATS)
		list(APPEND pgtable_formats ${format})
		string(APPEND pgtable_formats_inc "FORMAT(${format})\n")
	endif()
endforeach()
if(NOT pgtable_formats)
	return()
endif()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/iopgtable_formats.inc CONTENT "${pgtable_formats_inc}" @ONLY)
message(STATUS "iopgtable engine: ${pgtable_formats} of ${HITLESS_LINUX}")

set(HITLESS_IOPGTABLE ON)
foreach(name IN ITEMS io-pgtable io-pgtable-arm io-pgtable-arm-v7s io-pgtable-dart)
	list(APPEND pgtable_kernel_sources ${pgtable_iommu}/${name}.c)
endforeach()
set(pgtable_kernel_files ${pgtable_kernel_sources} ${HITLESS_LINUX}/include/linux/io-pgtable.h)
set(pgtable_public linux/io-pgtable.h)
file(GLOB pgtable_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/pgtable_*.c ${CMAKE_CURRENT_LIST_DIR}/linux_plain.c)

# These files store to tables with plain assignments, which linux_plain.c sees by the thread sanitizer's instrumentation. Other sanitizers do not
# go with it; with -O1 neither compiler makes one store or call of several stores.
set(pgtable_options -w -include stand_in.h -UCONFIG_X86 -DLINUX_PLAIN -DCONFIG_IOMMU_IO_PGTABLE_LPAE=1 -DCONFIG_IOMMU_IO_PGTABLE_ARMV7S=1
	-DCONFIG_IOMMU_IO_PGTABLE_DART=1 -DCONFIG_PHYS_ADDR_T_64BIT=1 -DCONFIG_ZONE_DMA32=1 -fno-sanitize=address,undefined -fsanitize=thread
	-O1 -fno-builtin)
