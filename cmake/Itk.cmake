# Scans are read, resampled and written through ITK; its USE_FILE, which sets global flags and registers
# its own readers, is not needed for that (src/io/images/strict_image_io.h says why). Tests hold what is
# read against ITKIONIFTI.
set(ITK_MODULES_REQUESTED ITKCommon ITKIOImageBase ITKIOMeta ITKIONIFTI ITKIONRRD ITKImageGrid ITKImageFunction ITKSmoothing)

# Debian's GDCM, which ITK looks for on the way, reports every optional program of it that is not
# installed in a paragraph of its own; none of them matters here.
set(MCVOL_LOG_LEVEL "${CMAKE_MESSAGE_LOG_LEVEL}")
set(CMAKE_MESSAGE_LOG_LEVEL NOTICE)
find_package(ITK 5.2 REQUIRED COMPONENTS ${ITK_MODULES_REQUESTED})
set(CMAKE_MESSAGE_LOG_LEVEL "${MCVOL_LOG_LEVEL}")
message(STATUS "ITK ${ITK_VERSION}: ${ITK_DIR}")

add_library(mcvol_itk INTERFACE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(mcvol_itk INTERFACE "SHELL:-include ${CMAKE_CURRENT_LIST_DIR}/ItkForClang.h")
endif()
target_include_directories(mcvol_itk SYSTEM INTERFACE ${ITK_INCLUDE_DIRS})
target_link_libraries(mcvol_itk INTERFACE ${ITK_LIBRARIES})
# ITK's headers bring an older Eigen of their own; two versions in one source do not compile.
target_compile_definitions(mcvol_itk INTERFACE ITK_USE_SYSTEM_EIGEN)
