# cmake/WriteVersion.cmake on a small checkout of its own, made in WORK.
cmake_minimum_required(VERSION 3.25)

set(checkout "${WORK}/checkout")
set(output "${WORK}/version.cpp")
# Git must never take the checkout that WORK may lie in for the one made here.
cmake_path(GET WORK PARENT_PATH above)
set(ENV{GIT_CEILING_DIRECTORIES} "${above}:${WORK}")

function(git)
  execute_process(
    COMMAND "${GIT}" -C "${checkout}" -c user.name=tester -c user.email=tester@example.org ${ARGN}
    OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "git ${ARGN}: ${said}")
  endif()
endfunction()

# Sets `commit` to what the file says once the script has run.
function(write_version)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" "-DROOT=${checkout}" -DPROJECT_VERSION=1.2.3 "-DINPUT=${INPUT}"
            "-DOUTPUT=${output}" -P "${SCRIPT}"
    COMMAND_ERROR_IS_FATAL ANY)
  file(READ "${output}" text)
  if(NOT text MATCHES "\"1\\.2\\.3\"" OR NOT text MATCHES "program_commit[^\"]*\"([^\"@]+)\"")
    message(FATAL_ERROR "found:\n${text}")
  endif()
  set(commit "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

function(expect found pattern)
  if(NOT found MATCHES "^${pattern}$")
    message(SEND_ERROR "expected ${pattern}, found ${found}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${checkout}")
write_version()
expect("${commit}" unknown)

git(init --quiet)
file(WRITE "${checkout}/file" "first")
git(add file)
git(commit --quiet -m first)
write_version()
expect("${commit}" "[0-9a-f]+")
set(first "${commit}")

# Long ago, to be told from any time of writing: the same text is not written again.
execute_process(COMMAND touch -d 2001-07-01T00:00:00Z "${output}" COMMAND_ERROR_IS_FATAL ANY)
write_version()
file(TIMESTAMP "${output}" written "%Y" UTC)
expect("${written}" 2001)

file(WRITE "${checkout}/file" "second, longer")
write_version()
expect("${commit}" "${first}-dirty")
git(commit --quiet --all -m second)
write_version()
expect("${commit}" "[0-9a-f]+")
if(commit STREQUAL first)
  message(SEND_ERROR "still the commit before: ${commit}")
endif()
