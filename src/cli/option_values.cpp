#include "mcvol/cli/option_values.h"

#include "mcvol/files/text.h"
#include "mcvol/pipeline/predict_options.h"
#include "mcvol/pipeline/threads.h"

namespace mcvol {

double number_from(const std::string& option, const std::string& text, double smallest,
                   double largest) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  const bool within = number >= smallest && number <= largest;  // false of NaN
  if (parsed.ec != std::errc() || parsed.ptr != end || !within) {
    throw UsageError(option + ": expected a number from " + shortest_text(smallest) + " to " +
                     shortest_text(largest) + ", found \"" + text + "\"");
  }
  return number;
}

int threads_from(const std::string& text) {
  if (text.empty()) return default_thread_count();
  return whole_number_from("--threads", text, 1, PredictOptions::kMostThreads);
}

}  // namespace mcvol
