// Debian's ITK knows the compiler that it was built with and no other: Clang is told to it as GCC 12.
// Included before all else where ITK is used (Itk.cmake).
#pragma GCC system_header
#pragma push_macro("__clang__")
#pragma push_macro("__GNUC__")
#undef __clang__
#undef __GNUC__
#define __GNUC__ 12
#include <itk_compiler_detection.h>
#include <vcl_compiler_detection.h>
#pragma pop_macro("__GNUC__")
#pragma pop_macro("__clang__")
