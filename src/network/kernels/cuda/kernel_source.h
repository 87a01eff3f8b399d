#pragma once

namespace mcvol {

/// The text of all of kernels/.
extern const char* const kKernelSource;

}  // namespace mcvol
