# Writes version.cpp with the commit as of this build; configure_file leaves the file alone where the
# text is the same, so nothing is compiled again for nothing. `git describe` says nothing about the
# machine.
#   cmake -DROOT=… -DPROJECT_VERSION=… -DINPUT=… -DOUTPUT=… -P WriteVersion.cmake
set(MCVOL_COMMIT "unknown")
find_package(Git QUIET)
if(GIT_FOUND)
  execute_process(COMMAND "${GIT_EXECUTABLE}" describe --always --dirty --tags --abbrev=12
    WORKING_DIRECTORY "${ROOT}" OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(MCVOL_COMMIT "${described}")
  endif()
endif()
configure_file("${INPUT}" "${OUTPUT}" @ONLY)
