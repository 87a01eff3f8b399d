#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "network/support/tiny_network.h"

// What tests of whole segmenters share.

namespace mcvol {
struct WorkOrder;
}

namespace mcvol::testing {

/// [pass][region][voxel]; passes without dropout come last
using Logits = std::vector<std::vector<std::vector<float>>>;

/// A bundle as write_tiny_bundle() makes it, in the running test's own folder, of these networks:
/// network_0.pt, network_1.pt, …, each with weights of its own; network.pt where it is one.
Bundle tiny_bundle(const std::vector<TinyNetwork>& networks);

/// Two channels of normally distributed intensities; two thirds of the voxels are brain.
PreparedScan random_scan(const Index3& size, unsigned seed);

/// Keeps every logit; NaN where none came. A voxel's pass that comes twice fails the test.
class KeepingSink final : public LogitSink {
 public:
  KeepingSink(int passes, std::size_t regions, std::size_t voxels);
  void accept(const LogitBlock& block) override;
  const Logits& values() const { return values_; }

 private:
  std::mutex mutex_;
  Logits values_;
};

/// Runs a segmenter to its end.
Logits logits_of(Segmenter& segmenter, const Bundle& bundle, const PreparedScan& scan,
                 const PassRequest& request);
/// By several requests, one going on where the one before ended.
Logits logits_in_parts(Segmenter& segmenter, const Bundle& bundle, const PreparedScan& scan,
                       const std::vector<PassRequest>& requests);
/// Loads and runs one on the CPU.
Logits logits_of(const Bundle& bundle, const PreparedScan& scan, const PassRequest& request,
                 int threads, DropoutScope scope = DropoutScope::kChannel);

/// How many values differ in a bit, or are none (NaN).
std::size_t differing_values(const Logits& ours, const Logits& others);

/// The largest difference from what the networks' whole graphs give, window by window and pass by
/// pass with the operator's own masks, pass t by network t mod n. For outputs that abut from voxel
/// (0, 0, 0) on, without margins, and the regions of write_tiny_bundle().
double largest_difference_from_whole_graphs(const Logits& logits, const Bundle& bundle,
                                            const PreparedScan& scan, const PassRequest& request,
                                            DropoutScope scope);

}  // namespace mcvol::testing
