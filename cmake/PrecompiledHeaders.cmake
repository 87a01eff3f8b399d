# Third-party headers that many translation units read, compiled once. mcvol_layer() and mcvol_test()
# choose by what a target links; a target of other options than its kind's cannot share these.

# mcvol_precompile(<name> KIND layer|test LINKS <targets> HEADERS <headers>)
function(mcvol_precompile name)
  cmake_parse_arguments(PCH "" "KIND" "LINKS;HEADERS" ${ARGN})
  set(source "${CMAKE_BINARY_DIR}/precompiled/${name}.cpp")
  if(NOT EXISTS "${source}")
    file(WRITE "${source}" "")
  endif()
  add_library(${name} OBJECT EXCLUDE_FROM_ALL "${source}")
  target_link_libraries(${name} PRIVATE ${PCH_LINKS})
  if(PCH_KIND STREQUAL "test")
    # As executables are compiled.
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE ${MCVOL_LIGHT_OPTIONS} -fPIE)
  else()
    target_compile_options(${name} PRIVATE ${MCVOL_LAYER_WARNINGS})
  endif()
  target_precompile_headers(${name} PRIVATE ${PCH_HEADERS})
  if(mcvol_torch IN_LIST PCH_LINKS)
    set_target_properties(${name} PROPERTIES JOB_POOL_COMPILE heavy)
  endif()
endfunction()

# GCC takes a precompiled header only where these are the same: some define macros.
set(MCVOL_LAYER_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
# Where next to no time is spent in running, little is spent in optimising: in layers that say so, and
# in tests, for what they measure is the library.
set(MCVOL_LIGHT_OPTIONS "$<$<CONFIG:Release>:-O1>")

set(MCVOL_STANDARD_HEADERS
  <algorithm> <array> <chrono> <cmath> <cstddef> <cstdint> <filesystem> <functional> <map> <memory>
  <optional> <set> <span> <string> <string_view> <unordered_map> <utility> <vector>)
set(MCVOL_TORCH_HEADERS
  <ATen/ATen.h> <ATen/Parallel.h> <ATen/record_function.h> <torch/csrc/jit/ir/constants.h>
  <torch/csrc/jit/ir/ir.h> <torch/csrc/jit/runtime/custom_operator.h>
  <torch/csrc/jit/runtime/interpreter.h>)

mcvol_precompile(mcvol_torch_headers KIND layer LINKS mcvol_torch
  HEADERS ${MCVOL_STANDARD_HEADERS} ${MCVOL_TORCH_HEADERS})
mcvol_precompile(mcvol_json_headers KIND layer LINKS nlohmann_json::nlohmann_json
  HEADERS ${MCVOL_STANDARD_HEADERS} <nlohmann/json.hpp>)
mcvol_precompile(mcvol_spdlog_headers KIND layer
  LINKS nlohmann_json::nlohmann_json spdlog::spdlog
  HEADERS ${MCVOL_STANDARD_HEADERS} <nlohmann/json.hpp> <spdlog/spdlog.h>)
if(MCVOL_BUILD_TESTS)
  find_package(GTest REQUIRED)
  mcvol_precompile(mcvol_torch_test_headers KIND test LINKS mcvol_torch GTest::gtest
    HEADERS ${MCVOL_STANDARD_HEADERS} ${MCVOL_TORCH_HEADERS} <gtest/gtest.h>)
  mcvol_precompile(mcvol_test_headers KIND test LINKS nlohmann_json::nlohmann_json GTest::gtest
    HEADERS ${MCVOL_STANDARD_HEADERS} <nlohmann/json.hpp> <gtest/gtest.h>)
endif()
