#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>

namespace mcvol::testing {

/// Stands in for a network: logits are a plain function of a voxel's intensities, the pass, the
/// region and the seed. Hands them over in blocks of voxels, a window each.
class FakeSegmenter : public Segmenter {
 public:
  struct Behaviour {
    std::size_t block_size = 50;
    int runs = 0;                       ///< requests run so far
    std::vector<PassRequest> requests;  ///< those
    int networks = 1;
    /// What a pass with dropout adds to every logit.
    std::function<float(int pass)> shift = [](int pass) { return 0.1f * static_cast<float>(pass); };
    int loads = 0;                                ///< times a segmenter was made
    bool passes_backwards = false;                ///< one by one, the last one first
    std::array<std::int64_t, 3> window{8, 8, 8};  ///< what its summary says is in use
    std::string device = "fake";
    std::function<void(int run)> on_run;  ///< called at the start of each run; may throw
  };

  explicit FakeSegmenter(std::shared_ptr<Behaviour> behaviour) : behaviour_(std::move(behaviour)) {
    summary_.device = behaviour_->device;
    summary_.networks = behaviour_->networks;
    summary_.window_input = summary_.window_output = behaviour_->window;
  }

  const NetworkSummary& summary() const override { return summary_; }

  bool run(const PreparedScan& scan, const PassRequest& request, LogitSink& sink,
           const WindowProgress& progress, StageTimings& timings) override {
    const ScopedTimer timer(timings.suffix_s);
    behaviour_->runs += 1;
    behaviour_->requests.push_back(request);
    if (behaviour_->on_run) behaviour_->on_run(behaviour_->runs);
    const int end = request.end() + (request.without_dropout ? summary_.networks : 0);
    std::vector<float> sums;
    for (std::size_t n = 0; n < scan.measured.values.size(); ++n) {
      if (scan.measured.values[n] == 0) continue;
      float sum = 0;
      for (const auto& channel : scan.channels) sum += channel.values[n];
      sums.push_back(sum);
    }
    for (std::size_t begin = 0; begin < sums.size(); begin += behaviour_->block_size) {
      const std::size_t block_end = std::min(begin + behaviour_->block_size, sums.size());
      if (behaviour_->passes_backwards) {
        for (int pass = end - 1; pass >= request.first_pass; --pass) {
          give(sums, begin, block_end, pass, pass + 1, request, sink);
        }
      } else {
        give(sums, begin, block_end, request.first_pass, end, request, sink);
      }
      if (!progress(static_cast<double>(block_end) / static_cast<double>(sums.size())))
        return false;
    }
    return true;
  }

 private:
  void give(const std::vector<float>& sums, std::size_t begin, std::size_t end, int first_pass,
            int end_pass, const PassRequest& request, LogitSink& sink) const {
    constexpr int kRegionCount = 2;
    constexpr float kWithoutDropout = -0.1f;
    std::vector<std::int64_t> voxels;
    for (std::size_t n = begin; n < end; ++n) voxels.push_back(static_cast<std::int64_t>(n));
    std::vector<float> logits;
    for (int pass = first_pass; pass < end_pass; ++pass) {
      const float of_pass = pass < request.end() ? behaviour_->shift(pass) : kWithoutDropout;
      for (int region = 0; region < kRegionCount; ++region) {
        const float shift =
            of_pass - 0.7f * static_cast<float>(region) + 0.01f * static_cast<float>(request.seed);
        for (std::size_t n = begin; n < end; ++n) logits.push_back(2.0f * sums[n] + shift);
      }
    }
    sink.accept({voxels, first_pass, end_pass - first_pass, kRegionCount, logits});
  }

  std::shared_ptr<Behaviour> behaviour_;
  NetworkSummary summary_;
};

}  // namespace mcvol::testing
