# Our own imported target for the LibTorch inside PyPI's torch wheel. find_package(Torch) would ask
# for nvcc; libtorch_cuda.so is not linked but opened at run time when a GPU is asked for.
set(MCVOL_LIBTORCH_DIR "${CMAKE_SOURCE_DIR}/.deps/libtorch" CACHE PATH
  "Folder that holds torch/ and its sibling nvidia/ (made by scripts/setup.sh), or an unpacked LibTorch")

# As in the wheel (and in a site-packages folder), or as in a LibTorch archive.
set(MCVOL_TORCH_ROOT "${MCVOL_LIBTORCH_DIR}/torch")
if(NOT EXISTS "${MCVOL_TORCH_ROOT}/lib/libtorch_cpu.so")
  set(MCVOL_TORCH_ROOT "${MCVOL_LIBTORCH_DIR}")
endif()
if(NOT EXISTS "${MCVOL_TORCH_ROOT}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "No LibTorch in ${MCVOL_LIBTORCH_DIR} (expected torch/lib/libtorch_cpu.so or "
    "lib/libtorch_cpu.so); run scripts/setup.sh, or give -DMCVOL_LIBTORCH_DIR=DIR")
endif()

set(MCVOL_TORCH_VERSION "of an unknown version")
set(version_header "${MCVOL_TORCH_ROOT}/include/torch/headeronly/version.h")
if(EXISTS "${version_header}")
  file(READ "${version_header}" text)
  set(MCVOL_TORCH_VERSION "")
  foreach(part IN ITEMS MAJOR MINOR PATCH)
    string(REGEX MATCH "TORCH_VERSION_${part} ([0-9]+)" unused "${text}")
    list(APPEND MCVOL_TORCH_VERSION "${CMAKE_MATCH_1}")
  endforeach()
  list(JOIN MCVOL_TORCH_VERSION "." MCVOL_TORCH_VERSION)
endif()
message(STATUS "LibTorch ${MCVOL_TORCH_VERSION}: ${MCVOL_TORCH_ROOT}")
if(NOT MCVOL_TORCH_VERSION MATCHES "^2\\.11\\.")
  message(WARNING "LibTorch ${MCVOL_TORCH_VERSION}: mcvol is written for and tested with 2.11")
endif()

add_library(mcvol_c10 SHARED IMPORTED)
set_target_properties(mcvol_c10 PROPERTIES
  IMPORTED_LOCATION "${MCVOL_TORCH_ROOT}/lib/libc10.so")
add_library(mcvol_torch SHARED IMPORTED)
set_target_properties(mcvol_torch PROPERTIES
  IMPORTED_LOCATION "${MCVOL_TORCH_ROOT}/lib/libtorch_cpu.so"
  INTERFACE_INCLUDE_DIRECTORIES
    "${MCVOL_TORCH_ROOT}/include;${MCVOL_TORCH_ROOT}/include/torch/csrc/api/include"
  INTERFACE_LINK_LIBRARIES mcvol_c10)
# libtorch_cpu needs libcudart and libcupti even on a CPU: the linker looks for them here.
file(GLOB MCVOL_TORCH_NVIDIA_LIBS "${MCVOL_LIBTORCH_DIR}/nvidia/*/lib")
foreach(folder IN LISTS MCVOL_TORCH_NVIDIA_LIBS)
  target_link_options(mcvol_torch INTERFACE "LINKER:-rpath-link,${folder}")
endforeach()
# Its headers check in builds for debugging what the library, built without, never sets.
target_compile_definitions(mcvol_torch INTERFACE $<$<NOT:$<CONFIG:Release>>:NDEBUG>)
# Loops of ATen's headers are compiled in here, and without OpenMP they would run on one thread. The
# threads are LibTorch's own: with another OpenMP beside it there would be twice as many.
if(NOT MCVOL_FUZZ)  # Clang's OpenMP is another library than LibTorch's, and no network is run there.
  target_compile_options(mcvol_torch INTERFACE -fopenmp)
endif()
file(GLOB MCVOL_TORCH_OPENMP "${MCVOL_TORCH_ROOT}/lib/libgomp*.so*")
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
  # The sanitizer does not see what threads of OpenMP wait for unless the library tells it, as LLVM's
  # does. That one has libgomp's functions too, and is found before the one that LibTorch asks for.
  find_library(MCVOL_LLVM_OPENMP omp PATH_SUFFIXES llvm-14/lib REQUIRED)
  set(MCVOL_TORCH_OPENMP "${MCVOL_LLVM_OPENMP}")
endif()
if(MCVOL_TORCH_OPENMP)
  list(GET MCVOL_TORCH_OPENMP 0 MCVOL_TORCH_OPENMP)
  add_library(mcvol_openmp SHARED IMPORTED)
  set_target_properties(mcvol_openmp PROPERTIES IMPORTED_LOCATION "${MCVOL_TORCH_OPENMP}")
  target_link_libraries(mcvol_torch INTERFACE mcvol_openmp)
else()
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  target_link_libraries(mcvol_torch INTERFACE OpenMP::OpenMP_CXX)
endif()
