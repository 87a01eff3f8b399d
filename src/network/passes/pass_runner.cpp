#include "pass_runner.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <atomic>
#include <new>

#include "network/device/block_loop.h"
#include "network/dropout/dropout_operator.h"
#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>

namespace mcvol {
namespace {

// Voxels of one run of a pointwise suffix: its activations then stay in a core's cache. Fixed, so
// that block borders, and with them every rounding, are the same for any thread count.
constexpr std::int64_t kBlockVoxels = 1024;
// On a GPU they have to be enough to fill it.
constexpr std::int64_t kDeviceBlockVoxels = std::int64_t{1} << 17;
// Groups of passes between two looks at whether to stop.
constexpr std::size_t kGroupsPerStep = 16;
// Voxels per task when a whole tile is handed on.
constexpr std::int64_t kTileVoxels = 16384;

/// [rows, channels, d0, d1, d2] -> [rows, channels, positions], laid out as it was.
at::Tensor gathered(const at::Tensor& tensor, const at::Tensor& positions) {
  if (tensor.is_contiguous()) return tensor.flatten(2).index_select(2, positions);
  return tensor.permute({0, 2, 3, 4, 1}).flatten(1, 3).index_select(1, positions).transpose(1, 2);
}

/// The time of a loop whose blocks, on several threads, go back and forth between suffix and
/// accumulation: that of the loop, divided as all threads together divided theirs.
class SharedTime {
 public:
  explicit SharedTime(StageTimings& timings) : timings_(timings) { loop_.emplace(loop_s_); }
  ~SharedTime() {
    loop_.reset();
    const double share = blocks_s_ > 0.0 ? accumulate_s_ / blocks_s_ : 0.0;
    timings_.accumulate_s += share * loop_s_;
    timings_.suffix_s += (1.0 - share) * loop_s_;
  }
  SharedTime(const SharedTime&) = delete;
  SharedTime& operator=(const SharedTime&) = delete;

  /// @param block `network_s` the whole of it, `accumulate_s` its part.
  void add_block(const StageTimings& block) {
    blocks_s_ += block.network_s;
    accumulate_s_ += block.accumulate_s;
  }

 private:
  StageTimings& timings_;
  double loop_s_ = 0;
  std::optional<ScopedTimer> loop_;
  std::atomic<double> blocks_s_ = 0, accumulate_s_ = 0;
};

std::int64_t blocks_of(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

}  // namespace

bool PassRunner::run(const Job& job, const Take& take, const Progress& progress,
                     StageTimings& timings) {
  if (!progress(0.0)) return false;
  const c10::InferenceMode inference;
  std::vector<at::Tensor> own;
  std::vector<at::Tensor>& cut = job.cut != nullptr ? *job.cut : own;
  if (cut.empty()) {
    cut = timed(timings.prefix_s, [&] { return run_graph(*prefix_, {on_device(job.image)}); });
  }
  if (!suffix_) {
    const ScopedTimer timer(timings.accumulate_s);
    give_repeated(cut.front(), job, take);
    return true;
  }
  return cost_.pointwise ? run_on_voxels(cut, job, take, progress, timings)
                         : run_on_tile(cut, job, take, progress, timings);
}

/// Convolutions are fastest with channels last, but on a GPU in fp32. On a CPU they make their
/// inputs bfloat16 themselves.
at::Tensor PassRunner::on_device(const at::Tensor& image) const {
  const bool on_cpu = options_.device.is_cpu();
  const at::Tensor moved = image.to(options_.device, on_cpu ? c10::kFloat : options_.precision);
  if (!on_cpu && options_.precision == c10::kFloat) return moved;
  return moved.contiguous(at::MemoryFormat::ChannelsLast3d);
}

std::vector<at::Tensor> PassRunner::run_graph(const GraphRunner& runner,
                                              std::vector<at::Tensor> inputs) const {
  try {
    return runner.run(std::move(inputs));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    if (const auto failure = device_failure(error)) throw Error(*failure);
    throw ModelError(file_ + ": the network failed on this scan: " + reason_of(error));
  }
}

at::Tensor PassRunner::run_suffix(const std::vector<at::Tensor>& cut, const at::Tensor& draws,
                                  const at::Tensor& positions, std::int64_t rows) const {
  std::vector<at::Tensor> inputs;
  inputs.reserve(cut.size() + 2);
  for (const at::Tensor& tensor : cut) {
    std::vector<std::int64_t> sizes = tensor.sizes().vec();
    if (!sizes.empty() && sizes[0] == 1) sizes[0] = rows;
    inputs.push_back(tensor.expand(sizes));
  }
  inputs.push_back(draws);
  inputs.push_back(positions);
  return run_graph(*suffix_, std::move(inputs)).front();
}

/// Whole tiles: [rows, channels, d0, d1, d2], then the measured voxels of them.
bool PassRunner::run_on_tile(const std::vector<at::Tensor>& cut, const Job& job, const Take& take,
                             const Progress& progress, StageTimings& timings) {
  const at::Tensor nowhere = at::empty({0}, at::kLong);
  std::size_t first = 0;
  while (first < job.passes.size()) {
    const auto done = static_cast<double>(first) / static_cast<double>(job.passes.size());
    if (!progress(done)) return false;
    const auto batch = static_cast<std::size_t>(cost_.passes_per_batch);
    const auto passes = job.passes.subspan(first, std::min(batch, job.passes.size() - first));
    at::Tensor output;
    try {
      const ScopedTimer timer(timings.suffix_s);
      output = run_suffix(cut, draws_of(job, passes, 0), nowhere,
                          static_cast<std::int64_t>(passes.size()));
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error) || !halve_batch()) throw;
      continue;
    }
    timed(timings.accumulate_s, [&] { give_tile(output, job.tile_offsets, passes, take); });
    first += passes.size();
  }
  return true;
}

/// What fitted at load need not fit now: memory is shared.
bool PassRunner::halve_batch() {
  if (cost_.passes_per_batch == 1) return false;
  cost_.passes_per_batch /= 2;
  empty_cache();
  return true;
}

/// Blocks of a batch that did not fit do not fit those of a smaller one.
void PassRunner::empty_cache() const {
  if (options_.device.is_cpu()) return;
  c10::getDeviceAllocator(options_.device.type())->emptyCache();
}

/// Of a network without dropout: one output for all passes, in parts that a GPU has room for.
void PassRunner::give_repeated(const at::Tensor& output, const Job& job, const Take& take) const {
  const auto together =
      options_.device.is_cpu() ? job.passes.size() : static_cast<std::size_t>(fitting_passes());
  for (std::size_t first = 0; first < job.passes.size(); first += together) {
    const auto passes = job.passes.subspan(first, std::min(together, job.passes.size() - first));
    give_tile(output, job.tile_offsets, passes, take);
  }
}

/// @param output [rows, …]; one row for all passes of a network without dropout.
void PassRunner::give_tile(const at::Tensor& output, const at::Tensor& offsets,
                           std::span<const int> passes, const Take& take) const {
  const std::int64_t count = offsets.numel();
  const std::int64_t size =
      options_.device.is_cpu() ? kTileVoxels : std::max<std::int64_t>(count, 1);
  for_each_block(options_.device, 0, blocks_of(count, size), [&](std::int64_t block) {
    const std::int64_t begin = block * size;
    const std::int64_t length = std::min(size, count - begin);
    const at::Tensor values = gathered(output, offsets.narrow(0, begin, length));
    take({passes, begin, values.expand({static_cast<std::int64_t>(passes.size()), -1, -1})});
  });
}

std::vector<PassRunner::BlockPasses> PassRunner::block_passes_of(const Job& job) const {
  std::vector<BlockPasses> groups;
  const auto together = static_cast<std::size_t>(cost_.passes_per_batch);
  for (std::size_t first = 0; first < job.passes.size(); first += together) {
    const auto passes = job.passes.subspan(first, std::min(together, job.passes.size() - first));
    BlockPasses group{passes, draws_of(job, passes, tile_voxels_), {}};
    if (fused_suffix_) {
      for (const MaskDraw& draw : read_draws(group.draws)) {
        group.masked.push_back(fused_suffix_->masked(draw));
      }
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

/// Pointwise suffix: only measured voxels, in blocks that stay in cache, the passes of a block in a
/// row.
bool PassRunner::run_on_voxels(const std::vector<at::Tensor>& cut, const Job& job, const Take& take,
                               const Progress& progress, StageTimings& timings) const {
  SharedTime time(timings);
  const std::vector<BlockPasses> groups = block_passes_of(job);
  const std::int64_t count = job.tile_offsets.numel();
  const std::int64_t size = options_.device.is_cpu() ? kBlockVoxels : kDeviceBlockVoxels;
  const auto run_block = [&](std::int64_t block, std::span<const BlockPasses> of_step) {
    StageTimings of_block;
    const std::int64_t begin = block * size;
    const at::Tensor positions = job.tile_offsets.narrow(0, begin, std::min(size, count - begin));
    const auto take_at = [&](std::span<const int> passes, const at::Tensor& values) {
      timed(of_block.accumulate_s, [&] { take({passes, begin, values}); });
    };
    timed(of_block.network_s, [&] {
      if (fused_suffix_) {
        run_block_fused(cut, positions, of_step, take_at);
      } else {
        run_block_as_graph(cut, positions, of_step, take_at);
      }
    });
    time.add_block(of_block);
  };
  // In steps small enough to stop soon when asked to.
  const std::int64_t blocks = blocks_of(count, size);
  const std::int64_t step = std::int64_t{4} * at::get_num_threads();
  for (std::int64_t first_block = 0; first_block < blocks; first_block += step) {
    const std::int64_t last_block = std::min(first_block + step, blocks);
    for (std::size_t first = 0; first < groups.size(); first += kGroupsPerStep) {
      if (!progress(static_cast<double>(first_block) / static_cast<double>(blocks))) return false;
      const auto of_step =
          std::span(groups).subspan(first, std::min(kGroupsPerStep, groups.size() - first));
      for_each_block(options_.device, first_block, last_block,
                     [&](std::int64_t block) { run_block(block, of_step); });
    }
  }
  return true;
}

void PassRunner::run_block_as_graph(const std::vector<at::Tensor>& cut, const at::Tensor& positions,
                                    std::span<const BlockPasses> groups,
                                    const TakeBlock& take) const {
  std::vector<at::Tensor> voxels;
  for (const at::Tensor& tensor : cut) {
    voxels.push_back(gathered(tensor, positions).unsqueeze(3).unsqueeze(4));
  }
  for (const BlockPasses& group : groups) {
    const auto rows = static_cast<std::int64_t>(group.passes.size());
    take(group.passes, run_suffix(voxels, group.draws, positions, rows).flatten(2));
  }
}

void PassRunner::run_block_fused(const std::vector<at::Tensor>& cut, const at::Tensor& positions,
                                 std::span<const BlockPasses> groups, const TakeBlock& take) const {
  const std::span<const std::int64_t> numbers(positions.const_data_ptr<std::int64_t>(),
                                              static_cast<std::size_t>(positions.numel()));
  const PointwiseNetwork::Voxels voxels = PointwiseNetwork::gathered(cut, numbers);
  for (const BlockPasses& group : groups) {
    at::Tensor values = at::empty({static_cast<std::int64_t>(group.passes.size()),
                                   fused_suffix_->outputs(), positions.numel()},
                                  at::kFloat);
    fused_suffix_->run(voxels, group.masked, tile_voxels_,
                       {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
    take(group.passes, values);
  }
}

at::Tensor PassRunner::draws_of(const Job& job, std::span<const int> passes,
                                std::int64_t tile_voxels) const {
  std::vector<MaskDraw> rows(passes.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    rows[row].seed = job.seed;
    rows[row].member = options_.member;
    rows[row].pass = static_cast<std::uint32_t>(passes[row]);
    rows[row].dropout_off = passes[row] >= job.first_without_dropout;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      rows[row].window[axis] = static_cast<std::int32_t>(job.corner[axis]);
    }
  }
  return make_draws(rows, tile_voxels);
}

}  // namespace mcvol
