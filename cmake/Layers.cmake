# The functions that declare a layer and its tests, and the layer rule. LayerRules.cmake says who may
# use whom; mcvol_layer() holds the links of a layer against it, mcvol_check_links() those of every
# other target, and the target mcvol_layer_rule, which each layer depends on, every #include.
include("${CMAKE_CURRENT_LIST_DIR}/LayerRules.cmake")

# A translation unit that includes LibTorch or ITK takes up to 2 GB to compile: no more of them at a
# time than the memory holds, whatever -j says.
cmake_host_system_information(RESULT memory_mb QUERY TOTAL_PHYSICAL_MEMORY)
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
if(EXISTS "/sys/fs/cgroup/memory.max")
  file(READ "/sys/fs/cgroup/memory.max" cgroup_bytes)
  string(STRIP "${cgroup_bytes}" cgroup_bytes)
  if(cgroup_bytes MATCHES "^[0-9]+$")
    math(EXPR cgroup_mb "${cgroup_bytes} / 1048576")
    if(cgroup_mb LESS memory_mb)
      set(memory_mb "${cgroup_mb}")
    endif()
  endif()
endif()
math(EXPR heavy_jobs "${memory_mb} / 2048")
if(heavy_jobs GREATER cores)
  set(heavy_jobs "${cores}")
elseif(heavy_jobs LESS 1)
  set(heavy_jobs 1)
endif()
set_property(GLOBAL APPEND PROPERTY JOB_POOLS heavy=${heavy_jobs})

# Every #include is looked at again whenever a source file changed, came or went.
file(GLOB_RECURSE MCVOL_RULED_SOURCES CONFIGURE_DEPENDS
  "${CMAKE_SOURCE_DIR}/include/*.h" "${CMAKE_SOURCE_DIR}/src/*.h" "${CMAKE_SOURCE_DIR}/src/*.cpp"
  "${CMAKE_SOURCE_DIR}/tests/*.h" "${CMAKE_SOURCE_DIR}/tests/*.cpp")
set(MCVOL_RULE_STAMP "${CMAKE_BINARY_DIR}/layer_rule.stamp")
add_custom_command(
  OUTPUT "${MCVOL_RULE_STAMP}"
  COMMAND "${CMAKE_COMMAND}" "-DROOT=${CMAKE_SOURCE_DIR}" "-DSTAMP=${MCVOL_RULE_STAMP}"
          -P "${CMAKE_CURRENT_LIST_DIR}/CheckIncludes.cmake"
  DEPENDS ${MCVOL_RULED_SOURCES} "${CMAKE_CURRENT_LIST_DIR}/CheckIncludes.cmake"
          "${CMAKE_CURRENT_LIST_DIR}/LayerRules.cmake"
  COMMENT "Checking the layer rule"
  VERBATIM)
add_custom_target(mcvol_layer_rule ALL DEPENDS "${MCVOL_RULE_STAMP}")

# Sets `family` to the third party that a link target brings, empty for none of those known.
function(mcvol_family_of_target target)
  set(family "")
  foreach(candidate IN LISTS MCVOL_FAMILIES)
    if(target IN_LIST MCVOL_TARGETS_OF_${candidate})
      set(family "${candidate}")
    endif()
  endforeach()
  return(PROPAGATE family)
endfunction()

# Fails unless LayerRules.cmake grants the layer what it asks for.
function(mcvol_check_layer name uses public private)
  if(NOT name IN_LIST MCVOL_LAYERS)
    message(FATAL_ERROR "cmake/LayerRules.cmake knows no layer ${name}")
  endif()
  foreach(used IN LISTS uses)
    if(NOT used IN_LIST MCVOL_USABLE_BY_${name})
      message(FATAL_ERROR "Layer ${name} may not use ${used} (cmake/LayerRules.cmake)")
    endif()
  endforeach()
  foreach(target IN LISTS public private)
    if(target MATCHES "^mcvol::")
      message(FATAL_ERROR "Layer ${name} links ${target}; layers are named in USES")
    endif()
    mcvol_family_of_target("${target}")
    if(family AND NOT family IN_LIST MCVOL_FAMILIES_OF_${name})
      message(FATAL_ERROR "Layer ${name} may not link ${target} (cmake/LayerRules.cmake)")
    endif()
    if(family AND target IN_LIST public AND NOT family IN_LIST MCVOL_HEADER_FAMILIES)
      message(FATAL_ERROR "Layer ${name} links ${target} PUBLIC; it has to be PRIVATE")
    endif()
  endforeach()
endfunction()

# Gives a layer the precompiled headers (PrecompiledHeaders.cmake) of the heaviest third party that it
# links, if any.
function(mcvol_share_headers target)
  foreach(heavy IN ITEMS torch:mcvol_torch spdlog:spdlog::spdlog json:nlohmann_json::nlohmann_json)
    string(REGEX MATCH "^([a-z]+):(.*)" unused "${heavy}")
    if(CMAKE_MATCH_2 IN_LIST ARGN AND TARGET mcvol_${CMAKE_MATCH_1}_headers)
      target_precompile_headers(${target} REUSE_FROM mcvol_${CMAKE_MATCH_1}_headers)
      return()
    endif()
  endforeach()
endfunction()

# mcvol_layer(<layer>[/<part>] [LIGHT] [SOURCES <files>] [USES <layers>] [PUBLIC <targets>] [PRIVATE <targets>])
# A layer without sources is headers only. LIGHT: without inner loops, so compiled quickly.
function(mcvol_layer name)
  cmake_parse_arguments(LAYER "LIGHT" "" "SOURCES;USES;PUBLIC;PRIVATE" ${ARGN})
  mcvol_check_layer("${name}" "${LAYER_USES}" "${LAYER_PUBLIC}" "${LAYER_PRIVATE}")
  list(TRANSFORM LAYER_USES REPLACE "/" "_")
  list(TRANSFORM LAYER_USES PREPEND "mcvol::")
  string(REPLACE "/" "_" id "${name}")
  set(target "mcvol_${id}")
  if(LAYER_SOURCES)
    add_library(${target} STATIC ${LAYER_SOURCES})
    target_include_directories(${target} PUBLIC "${CMAKE_SOURCE_DIR}/include"
                                         PRIVATE "${CMAKE_SOURCE_DIR}/src")
    target_compile_options(${target} PRIVATE ${MCVOL_LAYER_WARNINGS})
    target_link_libraries(${target} PUBLIC ${LAYER_USES} ${LAYER_PUBLIC} PRIVATE ${LAYER_PRIVATE})
    if(LAYER_LIGHT)
      target_compile_options(${target} PRIVATE ${MCVOL_LIGHT_OPTIONS})
    endif()
    add_dependencies(${target} mcvol_layer_rule)
    mcvol_share_headers(${target} ${LAYER_PUBLIC} ${LAYER_PRIVATE})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE "${CMAKE_SOURCE_DIR}/include")
    target_link_libraries(${target} INTERFACE ${LAYER_USES} ${LAYER_PUBLIC})
  endif()
  add_library(mcvol::${id} ALIAS ${target})
endfunction()

# Sets `targets` to all of a folder and those below it.
function(mcvol_targets_below folder)
  get_property(targets DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
  get_property(children DIRECTORY "${folder}" PROPERTY SUBDIRECTORIES)
  set(all "${targets}")
  foreach(child IN LISTS children)
    mcvol_targets_below("${child}")
    list(APPEND all ${targets})
  endforeach()
  set(targets "${all}")
  return(PROPAGATE targets)
endfunction()

# Sets `links` to all that a target names to be linked, for itself or for those that use it.
function(mcvol_links_of target)
  set(links "")
  foreach(property IN ITEMS LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
    get_target_property(value ${target} ${property})
    if(value)
      list(APPEND links ${value})
    endif()
  endforeach()
  return(PROPAGATE links)
endfunction()

# Fails if LibTorch is linked by a target outside network's folders and tests/zoo, or ITK outside io's
# folders: by our own targets' names, by a path or by a library's name. Those that may are compiled in
# the pool above. To be called once all targets exist.
function(mcvol_check_links)
  mcvol_targets_below("${CMAKE_SOURCE_DIR}")
  list(REMOVE_ITEM targets mcvol_torch mcvol_c10 mcvol_itk mcvol_torch_headers
    mcvol_torch_test_headers)
  foreach(target IN LISTS targets)
    get_target_property(folder ${target} SOURCE_DIR)
    mcvol_links_of(${target})
    foreach(link IN LISTS links)
      if(link MATCHES "mcvol_torch|mcvol_c10|libtorch|libc10|^torch|^c10$")
        set(owner network)
        set(owners "network(/[a-z]+)?|zoo")
        if(folder MATCHES "/src/network/(bundle|segmenter)$")
          set(owners "nobody")
        endif()
        set(library LibTorch)
      elseif(link MATCHES "mcvol_itk|libITK|^ITK")
        set(owner io)
        set(owners "io(/images)?")
        set(library ITK)
      else()
        continue()
      endif()
      if(NOT folder MATCHES "/(src|tests)/(${owners})$")
        message(FATAL_ERROR "${target} links ${link}: only ${owner} may link ${library}")
      endif()
      set_target_properties(${target} PROPERTIES JOB_POOL_COMPILE heavy)
    endforeach()
  endforeach()
endfunction()
