#pragma once

#include <chrono>

namespace mcvol {

/// Seconds that the stages from a scan's files to its record took, of one scan or of a run. Scans
/// are loaded beside the network's work, so stages may overlap.
struct StageTimings {
  double read_s = 0;     ///< files: hashed, unpacked
  double prepare_s = 0;  ///< reoriented, resampled, normalised
  /// From the prepared scan to its histograms; of it, but for a remainder, the three that follow.
  /// On a GPU, which works while the host goes on, they say nothing.
  double network_s = 0;
  double prefix_s = 0;      ///< windows cut, and the network before its first dropout
  double suffix_s = 0;      ///< the rest of the network, pass by pass
  double accumulate_s = 0;  ///< outputs blended and turned into regions, histograms and means
  double write_s = 0;       ///< records, slices, tables
};

/// Adds the seconds of its life to a sum, also where it ends by an exception.
class ScopedTimer {
 public:
  explicit ScopedTimer(double& sum_s) : sum_s_(sum_s) {}
  ~ScopedTimer() { sum_s_ += std::chrono::duration<double>(Clock::now() - begin_).count(); }
  ScopedTimer(const ScopedTimer&) = delete;
  ScopedTimer& operator=(const ScopedTimer&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  double& sum_s_;
  Clock::time_point begin_ = Clock::now();
};

/// What `work` gives; adds the seconds it takes to `sum_s`.
template <typename Work>
auto timed(double& sum_s, Work work) {
  const ScopedTimer timer(sum_s);
  return work();
}

}  // namespace mcvol
