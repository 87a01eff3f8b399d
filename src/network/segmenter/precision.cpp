#include "mcvol/error/error.h"
#include "mcvol/network/segmenter/segmenter.h"

namespace mcvol {

namespace {

/// What oneDNN asks for.
bool has_bfloat16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#else
  return false;
#endif
}

}  // namespace

int numerics_of(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
    case Precision::kBf16:
    case Precision::kFp16:
      break;
  }
  return 1;
}

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
  if (precision == Precision::kFp16) {
    throw UsageError("--precision fp16: on a GPU only; on a CPU use --precision bf16 or fp32");
  }
  if (has_bfloat16()) return;
  throw UsageError(
      "--precision bf16: this processor has no AVX-512 (F, BW, VL, DQ), which LibTorch "
      "needs for it; use --precision fp32");
}

Precision precision_from(const std::string& word) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kFp16}) {
    if (word == to_string(precision)) return precision;
  }
  throw UsageError("--precision: expected auto, fp32, bf16 or fp16, found \"" + word + '"');
}

}  // namespace mcvol
