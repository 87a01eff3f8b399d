#pragma once

// A variant source (cmake/KernelVariants.cmake) is compiled once for each instruction set, in the
// namespace MCVOL_VARIANT: mcvol::baseline, mcvol::avx2 or mcvol::avx512. It exports one table of
// functions, works on pointers and leaves no weak symbol: of inline functions by the same name, as
// those of the standard library, the linker keeps one for the whole program, and that might be the
// one which not every processor can run.

/// Declares a table of kernels in the namespace of each variant.
#define MCVOL_DECLARE_KERNELS(Type, table) \
  namespace baseline {                     \
  extern const Type table;                 \
  }                                        \
  namespace avx2 {                         \
  extern const Type table;                 \
  }                                        \
  namespace avx512 {                       \
  extern const Type table;                 \
  }

// Floats of a vector, and vectors that the registers hold.
namespace mcvol::baseline {
inline constexpr int kVectorFloats = 4, kVectorRegisters = 16;
}
namespace mcvol::avx2 {
inline constexpr int kVectorFloats = 8, kVectorRegisters = 16;
}
namespace mcvol::avx512 {
inline constexpr int kVectorFloats = 16, kVectorRegisters = 32;
}
