#pragma once

namespace mcvol {

/// The text of kernels.cu.
extern const char* const kKernelSource;

}  // namespace mcvol
