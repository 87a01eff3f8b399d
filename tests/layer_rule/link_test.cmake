# The checks of links in Layers.cmake, by configuring small projects (no compiler is looked for).
cmake_minimum_required(VERSION 3.25)

# check(<CMake code> <expected>): <expected> is part of the refusal, or `allowed`.
function(check code expected)
  file(REMOVE_RECURSE "${WORK}")
  file(WRITE "${WORK}/src/network/graph/CMakeLists.txt"
    "mcvol_layer(network/graph PRIVATE mcvol_torch)\n")
  file(WRITE "${WORK}/src/network/segmenter/CMakeLists.txt"
    "add_library(seam INTERFACE)\ntarget_link_libraries(seam INTERFACE mcvol_torch)\n")
  file(WRITE "${WORK}/CMakeLists.txt"
    "cmake_minimum_required(VERSION 3.25)\n"
    "project(planted LANGUAGES NONE)\n"
    "include(\"${ROOT}/cmake/Layers.cmake\")\n"
    "foreach(name mcvol_torch mcvol_itk)\n  add_library(\${name} INTERFACE)\nendforeach()\n"
    "${code}\n"
    "mcvol_check_links()\n")
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${WORK}" -B "${WORK}/build"
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  string(FIND "${output}" "${expected}" position)
  if(expected STREQUAL "allowed" AND NOT status EQUAL 0)
    message(SEND_ERROR "${code}\nwas refused:\n${output}")
  elseif(NOT expected STREQUAL "allowed" AND (status EQUAL 0 OR position EQUAL -1))
    message(SEND_ERROR "${code}\nexpected the refusal '${expected}', got:\n${output}")
  endif()
endfunction()

check("add_subdirectory(src/network/graph)" allowed)
check("mcvol_layer(error)\nmcvol_layer(image USES error)\nmcvol_layer(io/images USES image error)" allowed)
check("mcvol_layer(pipeline PRIVATE mcvol_torch)" "Layer pipeline may not link mcvol_torch")
check("mcvol_layer(network/graph PUBLIC mcvol_torch)" "Layer network/graph links mcvol_torch PUBLIC")
check("mcvol_layer(network/kernels/cpu PRIVATE mcvol_torch)"
  "Layer network/kernels/cpu may not link mcvol_torch")
check("mcvol_layer(network/graph PRIVATE mcvol_itk)" "Layer network/graph may not link mcvol_itk")
check("mcvol_layer(volumetry PRIVATE spdlog::spdlog)" "Layer volumetry may not link spdlog::spdlog")
check("mcvol_layer(volumetry USES io/images)" "Layer volumetry may not use io/images")
check("mcvol_layer(network/dropout USES network/graph)"
  "Layer network/dropout may not use network/graph")
check("mcvol_layer(cli PRIVATE mcvol::network_run)"
  "Layer cli links mcvol::network_run; layers are named in USES")
check("mcvol_layer(nonsense)" "cmake/LayerRules.cmake knows no layer nonsense")
check("add_library(mcvol_cli INTERFACE)\ntarget_link_libraries(mcvol_cli INTERFACE mcvol_torch)"
  "mcvol_cli links mcvol_torch: only network may link LibTorch")
check("add_library(other INTERFACE)\ntarget_link_libraries(other INTERFACE /opt/lib/libtorch_cpu.so)"
  "only network may link LibTorch")
check("add_library(other INTERFACE)\ntarget_link_libraries(other INTERFACE mcvol_itk)"
  "other links mcvol_itk: only io may link ITK")
check("add_subdirectory(src/network/segmenter)" "seam links mcvol_torch: only network may link LibTorch")
