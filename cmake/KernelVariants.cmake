# Inner loops compiled once for each instruction set.

# mcvol_kernel_variants(<target> [SOURCES <files>] [UP_TO_AVX2 <files>])
# Compiles each source for every processor (baseline), for x86-64-v3 (avx2) and, but for those
# UP_TO_AVX2, for x86-64-v4 (avx512), and puts the objects into the static library <target>. In a
# source MCVOL_VARIANT is the variant's name, for the namespace it is in. Where the compiler or the
# processor is another, baseline is all there is; else <target> defines MCVOL_KERNEL_VARIANTS.
# The target's property MCVOL_VARIANTS names the object libraries.
function(mcvol_kernel_variants target)
  cmake_parse_arguments(KERNELS "" "" "SOURCES;UP_TO_AVX2" ${ARGN})
  mcvol_kernel_variant(${target} baseline SOURCES ${KERNELS_SOURCES} ${KERNELS_UP_TO_AVX2})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8
     AND CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    mcvol_kernel_variant(${target} avx2 OPTIONS -march=x86-64-v3
      SOURCES ${KERNELS_SOURCES} ${KERNELS_UP_TO_AVX2})
    mcvol_kernel_variant(${target} avx512 OPTIONS -march=x86-64-v4 SOURCES ${KERNELS_SOURCES})
    target_compile_definitions(${target} PRIVATE MCVOL_KERNEL_VARIANTS)
  endif()
endfunction()

# mcvol_kernel_variant(<target> <variant> [OPTIONS <options>] SOURCES <files>)
function(mcvol_kernel_variant target variant)
  cmake_parse_arguments(VARIANT "" "" "OPTIONS;SOURCES" ${ARGN})
  set(objects "${target}_${variant}")
  add_library(${objects} OBJECT ${VARIANT_SOURCES})
  target_include_directories(${objects} PRIVATE $<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>)
  target_compile_definitions(${objects} PRIVATE "MCVOL_VARIANT=${variant}")
  # Optimised in every build: an inline function that is not inlined would be a weak symbol, and the
  # linker might keep this variant's for the whole program, on processors without these
  # instructions. A test looks (tests/network/kernels/).
  target_compile_options(${objects} PRIVATE ${MCVOL_LAYER_WARNINGS} -O3 ${VARIANT_OPTIONS})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # With -fsanitize=undefined it would put descriptions of the functions' types there, as weak data.
    target_compile_options(${objects} PRIVATE -fno-sanitize=function)
  endif()
  set_target_properties(${objects} PROPERTIES UNITY_BUILD OFF)
  add_dependencies(${objects} mcvol_layer_rule)
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${objects}>)
  set_property(TARGET ${target} APPEND PROPERTY MCVOL_VARIANTS ${objects})
endfunction()
