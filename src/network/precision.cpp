#include "mcvol/error/error.h"
#include "mcvol/network/segmenter.h"

namespace mcvol {

std::string to_string(Precision precision) {
  switch (precision) {
    case Precision::kBf16:
      return "bf16";
    case Precision::kFp16:
      return "fp16";
    case Precision::kFp32:
      break;
  }
  return "fp32";
}

void require_on_cpu(Precision precision) {
  if (precision == Precision::kFp32) return;
  throw UsageError("--precision " + to_string(precision) +
                   ": on a CPU this version runs networks in fp32 only; use --precision fp32, or "
                   "--device cuda");
}

Precision precision_from(const std::string& word) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kFp16}) {
    if (word == to_string(precision)) return precision;
  }
  throw UsageError("--precision: expected auto, fp32, bf16 or fp16, found \"" + word + '"');
}

}  // namespace mcvol
