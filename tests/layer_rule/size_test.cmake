# CheckSizes.cmake against planted files and folders, and against the tree itself.
cmake_minimum_required(VERSION 3.25)

# check(<tree> <expected>): <expected> is part of the refusal, or `allowed`.
function(check tree expected)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" "-DROOT=${tree}" -P "${ROOT}/cmake/CheckSizes.cmake"
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  string(FIND "${output}" "${expected}" position)
  if(expected STREQUAL "allowed" AND NOT status EQUAL 0)
    message(SEND_ERROR "${tree} was refused:\n${output}")
  elseif(NOT expected STREQUAL "allowed" AND (status EQUAL 0 OR position EQUAL -1))
    message(SEND_ERROR "expected the refusal '${expected}', got:\n${output}")
  endif()
endfunction()

# plant_lines(<file> <count>): with what lists and regular expressions might stumble over.
function(plant_lines file count)
  string(REPEAT "a[0]; // \"b;c\" ]\\ \n" ${count} text)
  file(WRITE "${WORK}/${file}" "${text}")
endfunction()

# plant_files(<folder> <count>)
function(plant_files folder count)
  foreach(n RANGE 1 ${count})
    file(WRITE "${WORK}/${folder}/${n}.txt" "")
  endforeach()
endfunction()

foreach(file IN ITEMS src/image/a.cpp include/mcvol/image/a.h tests/image/a_test.cpp bench/a.cpp)
  file(REMOVE_RECURSE "${WORK}")
  plant_lines("${file}" 350)
  check("${WORK}" allowed)
  plant_lines("${file}" 351)
  check("${WORK}" "${file}: 351 lines, expected at most 350")
endforeach()

foreach(folder IN ITEMS src/image include/mcvol/image tests/image tests)
  file(REMOVE_RECURSE "${WORK}")
  plant_files("${folder}" 25)
  plant_files("${folder}/below" 25)
  check("${WORK}" allowed)
  file(WRITE "${WORK}/${folder}/one more" "")
  check("${WORK}" "${folder}: 26 files, expected at most 25")
endforeach()

file(REMOVE_RECURSE "${WORK}")
plant_files(tests/image/fixtures 26)
plant_files(tests/image/formats/deeper 26)
check("${WORK}" allowed)

check("${ROOT}" allowed)
