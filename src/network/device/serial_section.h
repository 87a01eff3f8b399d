#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// While it lives, parallel loops and matrix products started by this thread run on it alone. Many
/// of them are cut up by the number of threads, and every cut rounds differently.
class SerialSection {
 public:
  SerialSection();
  ~SerialSection();
  SerialSection(const SerialSection&) = delete;
  SerialSection& operator=(const SerialSection&) = delete;

 private:
  int omp_threads_;
  int mkl_threads_;
};

/// Puts `mcvol::serial_begin` and `mcvol::serial_end` around a node: it runs in a SerialSection.
void run_serially(torch::jit::Node* node);

/// Ends, when it goes, a section that a node which threw has left open in this thread.
class SerialSectionGuard {
 public:
  SerialSectionGuard() = default;
  ~SerialSectionGuard();
  SerialSectionGuard(const SerialSectionGuard&) = delete;
  SerialSectionGuard& operator=(const SerialSectionGuard&) = delete;
};

}  // namespace mcvol
