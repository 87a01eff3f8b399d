#include "pass_runner.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>

#include "block_loop.h"
#include "convolutions.h"
#include "dropout_operator.h"
#include "graph_nodes.h"
#include "invariant_operators.h"
#include "memory_probe.h"
#include <ATen/Parallel.h>
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Graph;

// Voxels and passes of one run of a pointwise suffix: its activations then stay in a core's cache.
// Fixed, so that block borders, and with them every rounding, are the same for any thread count.
constexpr std::int64_t kBlockVoxels = 1024;
constexpr std::int64_t kBlockPasses = 4;
// Groups of passes between two looks at whether to stop.
constexpr std::size_t kGroupsPerStep = 16;
// Voxels per task when a whole tile is handed on.
constexpr std::int64_t kTileVoxels = 16384;

std::string shape_text(c10::IntArrayRef sizes) {
  std::string text;
  for (const std::int64_t size : sizes) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

std::int64_t blocks_of(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

void move_constants_to(torch::jit::Block* block, c10::Device device) {
  for (torch::jit::Node* node : block->nodes()) {
    for (torch::jit::Block* inner : node->blocks()) move_constants_to(inner, device);
    if (node->kind() != c10::prim::Constant) continue;
    const auto value = torch::jit::toIValue(node->output());
    if (value && value->isTensor() && value->toTensor().dim() > 0) {
      node->t_(c10::attr::value, value->toTensor().to(device));
    }
  }
}

/// @return the operators that may round differently in a batch.
std::vector<std::string> make_ready(const std::shared_ptr<Graph>& graph, c10::Device device) {
  if (device.is_cpu()) {
    use_invariant_operators(graph);
    return run_variant_operators_serially(graph);
  }
  move_constants_to(graph->block(), device);
  return branching_operators(graph);
}

// Noise in [-1, 1): a window of one value would hide what a batch changes.
at::Tensor noise(const std::vector<std::int64_t>& sizes) {
  at::Tensor image = at::empty(sizes, at::kFloat);
  std::vector<std::uint32_t> words(static_cast<std::size_t>(image.numel()));
  MaskStream({}, 0, MaskSharing::kElement).fill(0, words);
  std::transform(words.begin(), words.end(), image.data_ptr<float>(), [](std::uint32_t word) {
    return static_cast<float>(word >> 8) / 8388608.0F - 1.0F;
  });
  return image;
}

}  // namespace

PassRunner::PassRunner(const DropoutGraph& graph, std::string file, const Options& options)
    : file_(std::move(file)), options_(options), graph_(graph) {
  make_ready(graph_.prefix, options_.device);
  prefix_ = std::make_unique<GraphRunner>(graph_.prefix);
}

void PassRunner::compile_suffix(bool pointwise) {
  pointwise_ = pointwise;
  if (pointwise) use_matrix_products(graph_.suffix);
  const std::vector<std::string> variant = make_ready(graph_.suffix, options_.device);
  invariant_suffix_ = variant.empty();
  if (!pointwise && !variant.empty()) {
    variant_note_ =
        "Passes run one at a time: " + joined(variant) + " may round differently in a batch.";
  }
  suffix_ = std::make_unique<GraphRunner>(graph_.suffix);
}

const PassRunner::Cost& PassRunner::probe(const Bundle& bundle, const Bundle::Window& window) {
  const auto channels = static_cast<std::int64_t>(bundle.channels.size());
  const auto& in = window.input;
  const auto& out = window.output;
  tile_voxels_ = out[0] * out[1] * out[2];
  cost_ = {};
  try {
    probe_on(noise({1, channels, in[0], in[1], in[2]}),
             {1, bundle.output.channels, out[0], out[1], out[2]});
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw ModelError(file_ + ": not enough memory for one window of " + shape_text(in) +
                     " voxels; use a smaller window, where the network allows it");
  } catch (const std::exception& error) {
    throw ModelError(file_ + ": the network does not run on an input of " +
                     std::to_string(channels) + " channels and " + shape_text(in) +
                     " voxels: " + reason_of(error));
  }
  return cost_;
}

void PassRunner::probe_on(const at::Tensor& image, const std::vector<std::int64_t>& expected) {
  const c10::InferenceMode inference;
  CountedRun prefix, suffix;
  cost_.prefix_bytes =
      peak_bytes([&] { prefix = run_counting(*prefix_, {image.to(options_.device)}); });
  if (graph_.suffix) {
    // Gathering voxels needs every shared tensor on the output's voxels.
    const bool on_output =
        std::all_of(prefix.outputs.begin(), prefix.outputs.end(), [&](const at::Tensor& tensor) {
          return tensor.dim() == 5 &&
                 tensor.sizes().slice(2) == c10::IntArrayRef(expected).slice(2);
        });
    if (!suffix_) compile_suffix(graph_.pointwise_suffix && on_output);
    cost_.pointwise = pointwise_;
    if (!variant_note_.empty()) cost_.notes.push_back(variant_note_);
    std::vector<at::Tensor> inputs = prefix.outputs;
    inputs.push_back(make_draws({MaskDraw{}}, 0));
    inputs.push_back(at::empty({0}, at::kLong));
    cost_.suffix_bytes = peak_bytes([&] { suffix = run_counting(*suffix_, inputs); });
  }
  const at::Tensor& output = graph_.suffix ? suffix.outputs.front() : prefix.outputs.front();
  if (output.sizes() != c10::IntArrayRef(expected)) {
    throw ModelError(file_ + ": the network gives " + shape_text(output.sizes()) +
                     " for an input of " + shape_text(image.sizes()) + ", model.json says " +
                     shape_text(expected) + "; correct window.output or output.channels");
  }
  cost_.prefix_gflop = prefix.flop / 1e9;
  cost_.suffix_gflop = suffix.flop / 1e9;
  if (cost_.pointwise) {
    cost_.passes_per_batch = static_cast<int>(kBlockPasses);
  } else if (graph_.suffix) {
    choose_batch(prefix.outputs);
  }
}

/// f([a, b]) = [f(a), f(b)], bit for bit, or passes run one at a time.
void PassRunner::choose_batch(const std::vector<at::Tensor>& cut) {
  const std::int64_t fitting =
      std::min<std::int64_t>(options_.most_passes_per_batch,
                             options_.batch_bytes / std::max<std::int64_t>(cost_.suffix_bytes, 1));
  if (!invariant_suffix_ || fitting < 2) return;
  std::vector<int> passes(static_cast<std::size_t>(fitting));
  std::iota(passes.begin(), passes.end(), 0);
  const at::Tensor nowhere = at::empty({0}, at::kLong);
  at::Tensor batch;
  try {
    batch = run_suffix(cut, draws_of({}, passes, 0), nowhere, fitting);
  } catch (const ModelError&) {  // a batch of one written into its shapes, as in traces
    cost_.notes.push_back("Passes run one at a time: the network takes no batches.");
    return;
  }
  bool equal = batch.size(0) == fitting;
  for (std::int64_t row = 0; row < fitting && equal; ++row) {
    const std::span<const int> pass(&passes[static_cast<std::size_t>(row)], 1);
    equal = run_suffix(cut, draws_of({}, pass, 0), nowhere, 1).equal(batch.narrow(0, row, 1));
  }
  if (equal) {
    cost_.passes_per_batch = static_cast<int>(fitting);
  } else {
    cost_.notes.push_back("Passes run one at a time: in a batch the network mixes them.");
  }
}

bool PassRunner::run(const Job& job, const Take& take, const Progress& progress) const {
  if (!progress(0.0)) return false;
  const c10::InferenceMode inference;
  const std::vector<at::Tensor> cut = run_graph(*prefix_, {job.image.to(options_.device)});
  if (!suffix_) {
    give_tile(cut.front(), offsets_of(job), job.passes, take);
    return true;
  }
  return cost_.pointwise ? run_on_voxels(cut, job, take, progress)
                         : run_on_tile(cut, job, take, progress);
}

std::vector<at::Tensor> PassRunner::run_graph(const GraphRunner& runner,
                                              std::vector<at::Tensor> inputs) const {
  try {
    return runner.run(std::move(inputs));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const c10::OutOfMemoryError&) {
    throw std::bad_alloc();
  } catch (const std::exception& error) {
    const std::string reason = reason_of(error);
    if (reason.find("can't allocate memory") != std::string::npos) throw std::bad_alloc();
    throw ModelError(file_ + ": the network failed on this scan: " + reason);
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
                             const Progress& progress) const {
  const auto batch = static_cast<std::size_t>(cost_.passes_per_batch);
  const at::Tensor nowhere = at::empty({0}, at::kLong);
  const at::Tensor offsets = offsets_of(job);
  for (std::size_t first = 0; first < job.passes.size(); first += batch) {
    const auto done = static_cast<double>(first) / static_cast<double>(job.passes.size());
    if (!progress(done)) return false;
    const auto passes = job.passes.subspan(first, std::min(batch, job.passes.size() - first));
    const at::Tensor output = run_suffix(cut, draws_of(job, passes, 0), nowhere,
                                         static_cast<std::int64_t>(passes.size()));
    give_tile(output, offsets, passes, take);
  }
  return true;
}

at::Tensor PassRunner::offsets_of(const Job& job) const {
  return at::tensor(job.tile_offsets, at::kLong).to(options_.device);
}

/// @param output [rows, …]; one row for all passes of a network without dropout.
void PassRunner::give_tile(const at::Tensor& output, const at::Tensor& offsets,
                           std::span<const int> passes, const Take& take) const {
  const std::int64_t count = offsets.numel();
  const at::Tensor flat = output.flatten(2);
  for_each_block(options_.device, 0, blocks_of(count, kTileVoxels), [&](std::int64_t block) {
    const std::int64_t begin = block * kTileVoxels;
    const std::int64_t length = std::min(kTileVoxels, count - begin);
    const at::Tensor values = flat.index_select(2, offsets.narrow(0, begin, length));
    take({passes, begin, values.expand({static_cast<std::int64_t>(passes.size()), -1, -1})});
  });
}

/// Pointwise suffix: only measured voxels, in blocks that stay in cache, the passes of a block in a
/// row.
bool PassRunner::run_on_voxels(const std::vector<at::Tensor>& cut, const Job& job, const Take& take,
                               const Progress& progress) const {
  const at::Tensor positions = at::tensor(job.tile_offsets, at::kLong);
  const at::Tensor where = positions.to(options_.device);
  std::vector<at::Tensor> gathered;
  for (const at::Tensor& tensor : cut) {
    gathered.push_back(tensor.flatten(2).index_select(2, where));
  }
  struct Group {
    std::span<const int> passes;
    at::Tensor draws;
  };
  std::vector<Group> groups;
  for (std::size_t first = 0; first < job.passes.size(); first += kBlockPasses) {
    const auto passes =
        job.passes.subspan(first, std::min<std::size_t>(kBlockPasses, job.passes.size() - first));
    groups.push_back({passes, draws_of(job, passes, tile_voxels_)});
  }
  const std::int64_t count = positions.numel();
  const auto run_block = [&](std::int64_t block, std::size_t first, std::size_t last) {
    const std::int64_t begin = block * kBlockVoxels;
    const std::int64_t length = std::min(kBlockVoxels, count - begin);
    std::vector<at::Tensor> voxels;
    for (const at::Tensor& tensor : gathered) {
      voxels.push_back(tensor.narrow(2, begin, length).unsqueeze(3).unsqueeze(4).contiguous());
    }
    const at::Tensor block_positions = positions.narrow(0, begin, length);
    for (std::size_t n = first; n < last; ++n) {
      const at::Tensor output = run_suffix(voxels, groups[n].draws, block_positions,
                                           static_cast<std::int64_t>(groups[n].passes.size()));
      take({groups[n].passes, begin, output.flatten(2)});
    }
  };
  // In steps small enough to stop soon when asked to.
  const std::int64_t blocks = blocks_of(count, kBlockVoxels);
  const std::int64_t step = std::int64_t{4} * at::get_num_threads();
  for (std::int64_t first_block = 0; first_block < blocks; first_block += step) {
    const std::int64_t last_block = std::min(first_block + step, blocks);
    for (std::size_t first = 0; first < groups.size(); first += kGroupsPerStep) {
      if (!progress(static_cast<double>(first_block) / static_cast<double>(blocks))) return false;
      const std::size_t last = std::min(first + kGroupsPerStep, groups.size());
      for_each_block(options_.device, first_block, last_block,
                     [&](std::int64_t block) { run_block(block, first, last); });
    }
  }
  return true;
}

at::Tensor PassRunner::draws_of(const Job& job, std::span<const int> passes,
                                std::int64_t tile_voxels) const {
  std::vector<MaskDraw> rows(passes.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    rows[row].seed = job.seed;
    rows[row].member = options_.member;
    rows[row].pass = static_cast<std::uint32_t>(passes[row]);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      rows[row].window[axis] = static_cast<std::int32_t>(job.corner[axis]);
    }
  }
  return make_draws(rows, tile_voxels);
}

}  // namespace mcvol
