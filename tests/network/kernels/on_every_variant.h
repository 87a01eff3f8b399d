#pragma once

#include <algorithm>
#include <ostream>
#include <vector>

#include "network/kernels/cpu/processor.h"
#include <gtest/gtest.h>

namespace mcvol {

/// Tests that are run with each variant of the kernels, or skipped where the processor lacks it.
class OnEveryVariant : public ::testing::TestWithParam<KernelVariant> {
 protected:
  void SetUp() override {
    const std::vector<KernelVariant> variants = variants_of_processor();
    if (std::find(variants.begin(), variants.end(), GetParam()) == variants.end()) {
      GTEST_SKIP() << "not a variant of this processor";
    }
    variant_in_use = GetParam();
  }
  void TearDown() override { variant_in_use = variants_of_processor().back(); }
};

/// What GoogleTest, and ctest, call it.
inline std::ostream& operator<<(std::ostream& stream, KernelVariant variant) {
  constexpr const char* kNames[] = {"Baseline", "Avx2", "Avx512"};
  return stream << kNames[static_cast<int>(variant)];
}

inline const auto kEveryVariant =
    testing::Values(KernelVariant::kBaseline, KernelVariant::kAvx2, KernelVariant::kAvx512);

}  // namespace mcvol
