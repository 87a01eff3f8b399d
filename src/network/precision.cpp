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

Precision precision_from(const std::string& word) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kFp16}) {
    if (word == to_string(precision)) return precision;
  }
  throw UsageError("--precision: expected auto, fp32, bf16 or fp16, found \"" + word + '"');
}

}  // namespace mcvol
