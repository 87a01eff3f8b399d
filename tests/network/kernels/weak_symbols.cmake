# Fails, naming symbol and object, where an object defines a weak symbol (cmake/KernelVariants.cmake
# says what it would do).
#   cmake -DNM=<nm> -DOBJECTS=<object>,<object>… -P weak_symbols.cmake
cmake_minimum_required(VERSION 3.25)

string(REPLACE "," ";" objects "${OBJECTS}")
if(NOT objects)
  message(FATAL_ERROR "No objects to look at")
endif()
set(found "")
foreach(object IN LISTS objects)
  execute_process(COMMAND "${NM}" --defined-only --demangle "${object}"
    OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  # Names may hold what CMake's lists are made of.
  string(REGEX REPLACE "[][;]" "_" symbols "${symbols}")
  string(REGEX MATCHALL "[0-9a-f]+ [WwVvu] [^\n]*" weak "${symbols}")
  foreach(symbol IN LISTS weak)
    string(REGEX REPLACE "^[0-9a-f]+ " "" symbol "${symbol}")
    string(APPEND found "\n  ${object}: ${symbol}")
  endforeach()
endforeach()
if(found)
  message(FATAL_ERROR "Weak symbols:${found}\n")
endif()
