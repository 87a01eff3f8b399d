#pragma once

#include "mcvol/image/prepared_scan.h"
#include "mcvol/network/bundle/bundle.h"
#include "mcvol/timing/stage_timings.h"
#include "mcvol/volumetry/logit_histogram.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mcvol {

/// One dropout layer found in a network.
struct DropoutLayer {
  int id = -1;        ///< of an active layer: in order of execution, keys its masks
  std::string kind;   ///< operator, e.g. "dropout", "feature_dropout"
  double rate = 0.0;  ///< probability of dropping
  std::string where;  ///< scope or source line in the network, without machine paths
  std::string fate;   ///< "active", or why it does nothing ("rate 0")
};

/// What loading a network found; printed by `mcvol inspect`.
struct NetworkSummary {
  std::vector<DropoutLayer> dropout;
  std::string split_at;               ///< first stochastic operator, empty without dropout
  std::int64_t prefix_operators = 0;  ///< run once per window
  std::int64_t suffix_operators = 0;  ///< run once per pass
  double prefix_gflop = 0.0;          ///< per window: convolutions and matrix products
  double suffix_gflop = 0.0;          ///< per window and pass
  bool pointwise_suffix = false;      ///< suffix runs on measured voxels only
  int passes_per_batch = 1;           ///< passes run together in the suffix
  /// The window in use, in the network's order of axes: the bundle's unless that is flexible.
  std::array<std::int64_t, 3> window_input{0, 0, 0}, window_output{0, 0, 0};
  std::int64_t window_bytes = 0;   ///< working memory of one window and pass
  int networks = 1;                ///< members of the ensemble
  int mirror_images = 1;           ///< of a scan that passes take in turn, itself one of them
  std::vector<std::string> notes;  ///< what the reader should know, a sentence each
  std::string warning;             ///< why a GPU that is there is not used; mostly empty
  std::string device;              ///< "cpu", "cuda:0"

  /// Passes that see every network on every mirror image once.
  int round() const { return networks * mirror_images; }
};

/// What to draw. The same request gives the same numbers on a CPU, for any number of threads and
/// order of windows; on a GPU the last bits may follow how many passes its memory lets run
/// together.
struct PassRequest {
  int passes = 20;
  std::uint64_t seed = 0;
  /// Adds a pass with dropout off for each network: number end() is that of the first.
  bool without_dropout = false;
  /// Above 0: more passes of the scan run last, into the same sink; a whole number of rounds of the
  /// ensemble.
  int first_pass = 0;
  /// More passes of the scan may be asked for next: on a CPU, what windows need only once is kept
  /// for them as far as the memory allowed goes.
  bool continued = false;

  /// One after the last pass with dropout.
  int end() const { return first_pass + passes; }
};

/// Logits of every region at some measured voxels, for consecutive passes.
struct LogitBlock {
  /// Positions in PreparedScan::measured's list of non-zero voxels (ascending offset): 0 is the
  /// first measured voxel.
  std::span<const std::int64_t> voxels;
  int first_pass = 0;
  int pass_count = 0;
  int region_count = 0;
  /// [pass_count, region_count, voxels.size()]: log of the region's probability less log of that
  /// of its complement.
  std::span<const float> logits;
};

/// Probabilities are summed as whole multiples of 1 / kProbabilityUnit. Half of that is 2e-8 of the
/// smallest probability a histogram tells apart (1e-7, at logit -16): less than a float logit
/// resolves.
inline constexpr double kProbabilityUnit = 0x1p48;

/// Sums over the passes with dropout of each region and measured voxel: [region, measured voxel].
struct VoxelSums {
  /// Of probabilities, in steps of 1 / kProbabilityUnit.
  std::shared_ptr<const std::int64_t> probabilities;
  /// Passes with p > 0.5 (logit > 0).
  std::shared_ptr<const std::int32_t> above_half;
};

/// What a scan's logits come to, from a segmenter that adds them up where it computes them.
struct LogitSums {
  /// [region, pass] of the request, those without dropout last.
  std::span<const LogitHistogram> histograms;
  /// [region], of the mean probability over passes with dropout, those of earlier requests
  /// included.
  std::span<const LogitHistogram> means;
  VoxelSums of_voxels;      ///< over the same passes
  std::int64_t voxels = 0;  ///< measured
};

/// Takes the logits as they come. accept() may be called from several threads at once, with
/// disjoint voxels; the passes of a voxel come in any order, each exactly once.
class LogitSink {
 public:
  virtual ~LogitSink() = default;
  virtual void accept(const LogitBlock& block) = 0;
  /// Whether it also takes their sums, which spares a GPU from handing over every logit.
  virtual bool takes_sums() const { return false; }
  /// Once for a request, in place of all blocks, where it takes sums.
  virtual void accept(const LogitSums&) {}
  /// LogitSums::of_voxels of the request before, which those of the next go on from.
  virtual VoxelSums earlier_sums() const { return {}; }
};

/// Called between windows and passes with the share of the scan that is done, 0 to 1. Returns
/// false to stop: run() then returns false at once.
using WindowProgress = std::function<bool(double done)>;

/// A network on a device, ready to run. One at a time: not thread-safe.
class Segmenter {
 public:
  virtual ~Segmenter() = default;
  virtual const NetworkSummary& summary() const = 0;
  /// Runs all windows and passes over `scan`. Returns false when `progress` asked to stop.
  /// @param timings gets the time of `prefix`, `suffix` and `accumulate` added.
  /// @throws InputError where the network gives NaN on this scan; ModelError where it cannot run.
  virtual bool run(const PreparedScan& scan, const PassRequest& request, LogitSink& sink,
                   const WindowProgress& progress, StageTimings& timings) = 0;
};

/// Arithmetic of the network. Logits are turned into probabilities in fp32 or better in all.
enum class Precision {
  kFp32,
  kBf16,  ///< on a CPU: of convolutions only
  kFp16,  ///< on a GPU
};
std::string to_string(Precision precision);
/// Which arithmetic this version of mcvol has in a precision: raised on purpose when a change moves
/// a volume of the examples, of a network of tests/zoo or of a clean case of the tests by more than
/// 0.05 % or 0.01 ml, so that results and calibrations from before and after are not mixed. Part of
/// the run identity where it is not 1, which is what identities without it have.
int numerics_of(Precision precision);
/// @throws UsageError for what a CPU does not offer.
void require_on_cpu(Precision precision);
/// @throws UsageError for another word.
Precision precision_from(const std::string& word);

struct SegmenterOptions {
  std::string device = "auto";  ///< auto, cpu, cuda or cuda:N
  int threads = 1;
  DropoutScope scope = DropoutScope::kChannel;
  Precision precision = Precision::kFp32;
  /// Bound on the network's working memory: of the passes that run together, and of the window
  /// where the bundle's is flexible.
  std::int64_t memory_bytes = std::int64_t{4} << 30;
};

/// Loads, rewrites and probes the bundle's network. What runs networks, and LibTorch with it, is a
/// library of its own, lib/libmcvol_network.so beside the program's folder, opened here when first
/// asked for: whoever needs no network goes without.
/// @throws ModelError where it cannot do Monte Carlo dropout, saying why; Error where the device
///   or the library is not there; UsageError for a precision that it does not offer.
std::unique_ptr<Segmenter> load_segmenter(const Bundle& bundle, const SegmenterOptions& options);

/// Version of the LibTorch that networks run with, for run.json.
std::string libtorch_version();

}  // namespace mcvol
