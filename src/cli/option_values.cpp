#include "mcvol/cli/option_values.h"

#include "mcvol/pipeline/predict_options.h"
#include "mcvol/pipeline/threads.h"

namespace mcvol {

int threads_from(const std::string& text) {
  if (text.empty()) return default_thread_count();
  return whole_number_from("--threads", text, 1, PredictOptions::kMostThreads);
}

}  // namespace mcvol
