#pragma once

#include "mcvol/image/image.h"
#include "mcvol/network/bundle/bundle.h"
#include "mcvol/network/segmenter/segmenter.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "network/graph/dropout_graph.h"
#include "network/jit/graph_runner.h"
#include "pointwise_network.h"
#include <ATen/ATen.h>

namespace mcvol {

/// One network of a bundle on a device: a deterministic prefix once per window, a stochastic suffix
/// once per pass, several passes in a batch where a trial shows that this changes no bit (on a GPU
/// in half precision: no more than its rounding). A network without active dropout is all prefix;
/// its passes are equal.
class PassRunner {
 public:
  struct Options {
    c10::Device device{c10::kCPU};
    c10::ScalarType precision = c10::kFloat;  ///< on a CPU of convolutions only
    int member = 0;                           ///< keys the masks
    std::int64_t batch_bytes = 0;             ///< working memory that a batch of passes may take
    int most_passes_per_batch = 4;
  };

  /// @param file for messages. Call probe() before run().
  PassRunner(const DropoutGraph& graph, std::string file, const Options& options);

  /// What a window and its passes cost.
  struct Cost {
    double prefix_gflop = 0.0;  ///< per window
    double suffix_gflop = 0.0;  ///< per window and pass
    std::int64_t prefix_bytes =
        0;  ///< most tensors at a time in the prefix, its results among them
    std::int64_t suffix_bytes = 0;  ///< most more of them per pass of a batch
    int passes_per_batch = 1;
    bool pointwise = false;        ///< the suffix runs on measured voxels only
    std::set<int> layers_run;      ///< dropout layers that the trial came by
    bool dropout_matters = false;  ///< whether what they keep changes the output
    std::vector<std::string> notes;
  };

  /// Runs a window of noise: holds the output against the bundle, counts the work, and tries
  /// whether a batch of passes gives what the passes give one by one.
  /// @throws ModelError where the network does not run or gives another shape.
  const Cost& probe(const Bundle& bundle, const Bundle::Window& window);
  const Cost& cost() const { return cost_; }
  const DropoutGraph& graph() const { return graph_; }
  const std::string& file() const { return file_; }

  struct Job {
    at::Tensor image;             ///< [1, channels, d0, d1, d2]
    Index3 corner{0, 0, 0};       ///< first output voxel, on the grid
    at::Tensor tile_offsets;      ///< int64 [n] on the device: measured voxels in the output tile
    std::span<const int> passes;  ///< those of this network, ascending
    int first_without_dropout = std::numeric_limits<int>::max();  ///< of the passes
    std::uint64_t seed = 0;
    /// What the prefix gives for the image: filled in where empty. Null: used and forgotten.
    std::vector<at::Tensor>* cut = nullptr;
  };
  struct Outputs {
    std::span<const int> passes;  ///< one per row
    std::int64_t begin = 0;       ///< the first of the job's measured voxels
    at::Tensor values;            ///< [rows, channels, voxels]
  };
  /// May be called from several threads at once, with disjoint voxels; each pass of a voxel once.
  using Take = std::function<void(const Outputs&)>;
  /// Called between passes with the share of the job that is done; false stops it.
  using Progress = std::function<bool(double done)>;

  /// False when `progress` asked to stop.
  /// @param timings gets the time of `prefix`, `suffix` and, in `take`, `accumulate` added.
  /// @throws ModelError where the network fails; std::bad_alloc where memory runs out.
  bool run(const Job& job, const Take& take, const Progress& progress, StageTimings& timings);

 private:
  static constexpr int kBlockPasses = 4;  ///< in one run of a pointwise suffix on a CPU

  at::Tensor on_device(const at::Tensor& image) const;
  std::vector<at::Tensor> run_graph(const GraphRunner& runner,
                                    std::vector<at::Tensor> inputs) const;
  at::Tensor run_suffix(const std::vector<at::Tensor>& cut, const at::Tensor& draws,
                        const at::Tensor& positions, std::int64_t rows) const;
  at::Tensor draws_of(const Job& job, std::span<const int> passes, std::int64_t tile_voxels) const;
  bool run_on_tile(const std::vector<at::Tensor>& cut, const Job& job, const Take& take,
                   const Progress& progress, StageTimings& timings);
  bool halve_batch();
  void empty_cache() const;
  /// Passes of a pointwise suffix that take a block of voxels together.
  struct BlockPasses {
    std::span<const int> passes;
    at::Tensor draws;
    std::vector<PointwiseNetwork::MaskedPass> masked;
  };
  using TakeBlock = std::function<void(std::span<const int> passes, const at::Tensor& values)>;
  void run_block_as_graph(const std::vector<at::Tensor>& cut, const at::Tensor& positions,
                          std::span<const BlockPasses> groups, const TakeBlock& take) const;
  void run_block_fused(const std::vector<at::Tensor>& cut, const at::Tensor& positions,
                       std::span<const BlockPasses> groups, const TakeBlock& take) const;
  bool run_on_voxels(const std::vector<at::Tensor>& cut, const Job& job, const Take& take,
                     const Progress& progress, StageTimings& timings) const;
  std::vector<BlockPasses> block_passes_of(const Job& job) const;
  void give_repeated(const at::Tensor& output, const Job& job, const Take& take) const;
  void give_tile(const at::Tensor& output, const at::Tensor& offsets, std::span<const int> passes,
                 const Take& take) const;
  void note_serial(const std::vector<std::string>& variant);
  /// @param cut what the prefix gives it.
  void compile_suffix(bool pointwise, const std::vector<at::Tensor>& cut);
  std::string mixing_note() const;
  std::string no_room_for(const std::string& window) const;
  int fitting_passes() const;
  void try_dropout(const std::vector<at::Tensor>& cut, const at::Tensor& dropped);
  void choose_batch(const std::vector<at::Tensor>& cut);
  bool batch_gives_single_passes(const std::vector<at::Tensor>& cut, int count) const;
  void probe_on(const at::Tensor& image, const std::vector<std::int64_t>& expected);

  std::string file_;
  Options options_;
  DropoutGraph graph_;
  std::unique_ptr<GraphRunner> prefix_, suffix_;  ///< no suffix: no active dropout
  std::optional<PointwiseNetwork> fused_suffix_;  ///< in place of the suffix on measured voxels
  std::int64_t tile_voxels_ = 0;
  bool invariant_suffix_ = false;
  bool pointwise_ = false;
  std::vector<std::string> mixing_;  ///< operators of the suffix that a batch would mix passes in
  std::set<std::string> serial_;     ///< operators that run on one thread
  std::string variant_note_;
  Cost cost_;
};

}  // namespace mcvol
