#include "serial_section.h"

#include <optional>

#include <torch/csrc/jit/runtime/custom_operator.h>

// Of the OpenMP and MKL that LibTorch brings; weak, since a LibTorch for another processor comes
// without MKL.
extern "C" int omp_get_max_threads() __attribute__((weak));
extern "C" void omp_set_num_threads(int threads) __attribute__((weak));
extern "C" int MKL_Set_Num_Threads_Local(int threads) __attribute__((weak));

namespace mcvol {
namespace {

int set_mkl_threads(int threads) {
  return MKL_Set_Num_Threads_Local != nullptr ? MKL_Set_Num_Threads_Local(threads) : 0;
}

std::optional<SerialSection>& open_section() {
  thread_local std::optional<SerialSection> section;
  return section;
}

void register_brackets() {
  static const torch::jit::RegisterOperators registered({
      torch::jit::Operator(
          "mcvol::serial_begin() -> ()", [](torch::jit::Stack&) { open_section().emplace(); },
          c10::AliasAnalysisKind::CONSERVATIVE),
      torch::jit::Operator(
          "mcvol::serial_end() -> ()", [](torch::jit::Stack&) { open_section().reset(); },
          c10::AliasAnalysisKind::CONSERVATIVE),
  });
}

}  // namespace

SerialSection::SerialSection()
    : omp_threads_(omp_get_max_threads != nullptr ? omp_get_max_threads() : 0),
      mkl_threads_(set_mkl_threads(1)) {
  if (omp_set_num_threads != nullptr) omp_set_num_threads(1);
}

SerialSection::~SerialSection() {
  if (omp_set_num_threads != nullptr) omp_set_num_threads(omp_threads_);
  set_mkl_threads(mkl_threads_);
}

void run_serially(torch::jit::Node* node) {
  register_brackets();
  torch::jit::Graph* graph = node->owningGraph();
  graph->create(c10::Symbol::fromQualString("mcvol::serial_begin"), 0)->insertBefore(node);
  graph->create(c10::Symbol::fromQualString("mcvol::serial_end"), 0)->insertAfter(node);
}

SerialSectionGuard::~SerialSectionGuard() { open_section().reset(); }

}  // namespace mcvol
