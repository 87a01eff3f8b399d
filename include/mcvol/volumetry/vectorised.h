#pragma once

/// Before a function of plain loops: it is compiled for the vectors of several processors, and the
/// one at hand decides which is run. GCC 12 needs -fno-trapping-math to make vector code of choices
/// between two values, and nothing that is not inlined may be called.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define MCVOL_VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define MCVOL_VECTORISED
#endif
