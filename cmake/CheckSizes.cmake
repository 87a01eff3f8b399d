# Fails, naming each, where a C++ file has more than 350 lines or a folder of include/, src/ or tests/
# more than 25 files of its own: such wants to be two.
#   cmake -DROOT=<checkout> -P cmake/CheckSizes.cmake
cmake_minimum_required(VERSION 3.25)

set(most_lines 350)
set(most_files 25)
set(violations "")

# Sets `lines` to the number of lines of a file.
function(count_lines file)
  file(READ "${file}" text)
  # What CMake's lists are made of is in the way.
  string(REGEX REPLACE "[^\n]+" "" newlines "${text}")
  string(LENGTH "${newlines}" lines)
  return(PROPAGATE lines)
endfunction()

file(GLOB_RECURSE sources RELATIVE "${ROOT}"
  "${ROOT}/include/*.h" "${ROOT}/src/*.h" "${ROOT}/src/*.cpp" "${ROOT}/tests/*.h"
  "${ROOT}/tests/*.cpp" "${ROOT}/src/*.cu" "${ROOT}/bench/*.h" "${ROOT}/bench/*.cpp")
foreach(source IN LISTS sources)
  count_lines("${ROOT}/${source}")
  if(lines GREATER most_lines)
    list(APPEND violations "${source}: ${lines} lines, expected at most ${most_lines}")
  endif()
endforeach()

# What tests read (fixtures/, formats/) is counted by nobody, and neither is what Python leaves.
file(GLOB_RECURSE entries LIST_DIRECTORIES true RELATIVE "${ROOT}"
  "${ROOT}/include/*" "${ROOT}/src/*" "${ROOT}/tests/*")
list(FILTER entries EXCLUDE REGEX "(^|/)(fixtures|formats|__pycache__)(/|$)")
list(APPEND entries include src tests)
foreach(folder IN LISTS entries)
  if(IS_DIRECTORY "${ROOT}/${folder}")
    file(GLOB files LIST_DIRECTORIES false "${ROOT}/${folder}/*")
    list(LENGTH files count)
    if(count GREATER most_files)
      list(APPEND violations "${folder}: ${count} files, expected at most ${most_files}")
    endif()
  endif()
endforeach()

if(violations)
  list(JOIN violations "\n  " violations)
  message(FATAL_ERROR "Too large, divide them by subject:\n  ${violations}\n")
endif()
