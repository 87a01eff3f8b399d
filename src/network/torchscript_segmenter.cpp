#include "mcvol/error/error.h"
#include "mcvol/network/segmenter.h"

#include <algorithm>
#include <new>

#include "block_loop.h"
#include "convolutions.h"
#include "device.h"
#include "dropout_graph.h"
#include "dropout_operator.h"
#include "graph_runner.h"
#include "region_logits.h"
#include "window_input.h"
#include <ATen/Parallel.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/version.h>

namespace mcvol {
namespace {

using torch::jit::Graph;

// Voxels and passes of one run of a pointwise suffix: its activations then stay in a core's cache.
// Fixed, so that block borders, and with them every rounding, are the same for any thread count.
constexpr std::int64_t kBlockVoxels = 1024;
constexpr std::int64_t kBlockPasses = 4;
// Groups of passes between two looks at whether to stop.
constexpr std::size_t kGroupsPerStep = 16;
// Voxels per task when the logits of a whole tile are turned into regions.
constexpr std::int64_t kRegionVoxels = 16384;

std::string shape_text(c10::IntArrayRef sizes) {
  std::string text;
  for (const std::int64_t size : sizes) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

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

GraphRunner runner_for(const std::shared_ptr<Graph>& graph, c10::Device device) {
  if (device.is_cpu()) {
    use_onednn_convolutions(graph);
  } else {
    move_constants_to(graph->block(), device);
  }
  return GraphRunner(graph);
}

GraphRunner suffix_runner_for(const DropoutGraph& graph, c10::Device device) {
  if (graph.pointwise_suffix) use_matrix_products(graph.suffix);
  return runner_for(graph.suffix, device);
}

std::int64_t operator_count(const Graph& graph) {
  std::int64_t count = 0;
  for (const torch::jit::Node* node : graph.nodes()) {
    count += node->kind() == c10::prim::Constant ? 0 : 1;
  }
  return count;
}

void check_output(const at::Tensor& output, const Bundle& bundle, const std::string& file) {
  const std::vector<std::int64_t> expected = {1, bundle.output.channels, bundle.window.output[0],
                                              bundle.window.output[1], bundle.window.output[2]};
  if (output.sizes() == c10::IntArrayRef(expected)) return;
  throw ModelError(file + ": the network gives " + shape_text(output.sizes()) +
                   " for an input of " + shape_text(bundle.window.input) + ", model.json says " +
                   shape_text(expected) + "; correct window.output or output.channels");
}

/// Monte Carlo dropout of a TorchScript network: a deterministic prefix once per window, a
/// stochastic suffix once per pass.
class TorchScriptSegmenter final : public Segmenter {
 public:
  TorchScriptSegmenter(const Bundle& bundle, DropoutGraph graph, const DeviceChoice& choice,
                       NetworkSummary summary)
      : bundle_(bundle),
        summary_(std::move(summary)),
        device_(choice.device),
        region_logits_(bundle.output, bundle.regions),
        source_(graph.source),
        prefix_(runner_for(graph.prefix, choice.device)),
        suffix_(suffix_runner_for(graph, choice.device)) {
    probe();
  }

  const NetworkSummary& summary() const override { return summary_; }

  bool run(const PreparedScan& scan, const PassRequest& request, LogitSink& sink,
           const WindowProgress& progress) override {
    const WindowPlan plan = plan_windows(scan.measured, bundle_.window, bundle_.axes);
    const auto windows = static_cast<double>(plan.windows.size());
    for (std::size_t n = 0; n < plan.windows.size(); ++n) {
      const WindowProgress within = [&](double done) {
        return progress((static_cast<double>(n) + done) / windows);
      };
      if (!run_window(scan, plan, plan.windows[n], request, sink, within)) return false;
    }
    return true;
  }

 private:
  struct PassRange {
    int first;
    int count;
  };

  /// Runs one empty window: counts the work, and holds the output against model.json.
  void probe() {
    const std::string& file = bundle_.networks[0].file;
    const auto& size = bundle_.window.input;
    const auto channels = static_cast<std::int64_t>(bundle_.channels.size());
    const c10::InferenceMode inference;
    try {
      const at::Tensor image = at::zeros({1, channels, size[0], size[1], size[2]}, at::kFloat);
      const CountedRun prefix = run_counting(prefix_, {image.to(device_)});
      std::vector<at::Tensor> inputs = prefix.outputs;
      inputs.push_back(make_draws({MaskDraw{}}, 0));
      inputs.push_back(at::empty({0}, at::kLong));
      const CountedRun suffix = run_counting(suffix_, std::move(inputs));
      const at::Tensor& output = suffix.outputs.front();
      check_output(output, bundle_, file);
      summary_.prefix_gflop = prefix.flop / 1e9;
      summary_.suffix_gflop = suffix.flop / 1e9;
      for (const at::Tensor& tensor : prefix.outputs) {
        // Gathering voxels needs every shared tensor on the output's voxels.
        if (tensor.dim() != 5 || tensor.sizes().slice(2) != output.sizes().slice(2)) {
          summary_.pointwise_suffix = false;
        }
      }
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      throw ModelError(file + ": the network does not run on an input of " +
                       std::to_string(channels) + " channels and " + shape_text(size) +
                       " voxels: " + reason_of(error));
    }
    summary_.passes_per_batch = summary_.pointwise_suffix ? static_cast<int>(kBlockPasses) : 1;
  }

  bool run_window(const PreparedScan& scan, const WindowPlan& plan, const Window& window,
                  const PassRequest& request, LogitSink& sink, const WindowProgress& progress) {
    if (!progress(0.0)) return false;
    const c10::InferenceMode inference;
    const at::Tensor input =
        window_input(scan, plan, window, bundle_.axes, bundle_.window.padding).to(device_);
    const std::vector<at::Tensor> cut = run_graph(prefix_, {input});
    return summary_.pointwise_suffix ? run_on_voxels(cut, window, request, sink, progress)
                                     : run_on_tile(cut, window, request, sink, progress);
  }

  std::vector<at::Tensor> run_graph(const GraphRunner& runner,
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
      throw ModelError(bundle_.networks[0].file + ": the network failed on this scan: " + reason);
    }
  }

  at::Tensor run_suffix(const std::vector<at::Tensor>& cut, const at::Tensor& draws,
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
    return run_graph(suffix_, std::move(inputs)).front();
  }

  /// Whole tiles, pass by pass: [1, channels, d0, d1, d2] -> logits of the measured voxels.
  bool run_on_tile(const std::vector<at::Tensor>& cut, const Window& window,
                   const PassRequest& request, LogitSink& sink,
                   const WindowProgress& progress) const {
    const at::Tensor offsets = tensor_of(window.tile_offsets).to(device_);
    const std::int64_t count = offsets.numel();
    for (int pass = 0; pass < request.passes; ++pass) {
      if (!progress(static_cast<double>(pass) / request.passes)) return false;
      const PassRange passes{pass, 1};
      const at::Tensor output = run_suffix(cut, draws_of(request, window, passes, 0),
                                           at::empty({0}, at::kLong), passes.count);
      const at::Tensor flat = output.flatten(2);
      for_each_block(device_, 0, blocks_of(count, kRegionVoxels), [&](std::int64_t block) {
        const std::int64_t begin = block * kRegionVoxels;
        const std::int64_t length = std::min(kRegionVoxels, count - begin);
        give(flat.index_select(2, offsets.narrow(0, begin, length)), window, begin, passes, sink);
      });
    }
    return true;
  }

  /// Pointwise suffix: only measured voxels, in blocks that stay in cache, the passes of a block in
  /// a row.
  bool run_on_voxels(const std::vector<at::Tensor>& cut, const Window& window,
                     const PassRequest& request, LogitSink& sink,
                     const WindowProgress& progress) const {
    const auto& tile = bundle_.window.output;
    const at::Tensor positions = tensor_of(window.tile_offsets);
    const at::Tensor where = positions.to(device_);
    std::vector<at::Tensor> gathered;
    for (const at::Tensor& tensor : cut) {
      gathered.push_back(tensor.flatten(2).index_select(2, where));
    }
    std::vector<std::pair<PassRange, at::Tensor>> groups;
    for (int pass = 0; pass < request.passes; pass += kBlockPasses) {
      const PassRange range{pass, std::min<int>(kBlockPasses, request.passes - pass)};
      groups.emplace_back(range, draws_of(request, window, range, tile[0] * tile[1] * tile[2]));
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
      for (std::size_t group = first; group < last; ++group) {
        const auto& [range, draws] = groups[group];
        const at::Tensor output = run_suffix(voxels, draws, block_positions, range.count);
        give(output.flatten(2), window, begin, range, sink);
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
        for_each_block(device_, first_block, last_block,
                       [&](std::int64_t block) { run_block(block, first, last); });
      }
    }
    return true;
  }

  static std::int64_t blocks_of(std::int64_t count, std::int64_t size) {
    return (count + size - 1) / size;
  }

  /// @param output [rows, channels, voxels] of window.voxels from `begin` on.
  void give(const at::Tensor& output, const Window& window, std::int64_t begin, PassRange passes,
            LogitSink& sink) const {
    const at::Tensor logits = region_logits_(output).contiguous();
    const std::span<const float> values(logits.const_data_ptr<float>(),
                                        static_cast<std::size_t>(logits.numel()));
    sink.accept({.voxels = std::span(window.voxels)
                               .subspan(static_cast<std::size_t>(begin),
                                        static_cast<std::size_t>(logits.size(2))),
                 .first_pass = passes.first,
                 .pass_count = passes.count,
                 .region_count = static_cast<int>(logits.size(1)),
                 .logits = values});
  }

  static at::Tensor tensor_of(const std::vector<std::int64_t>& values) {
    return at::tensor(values, at::kLong);
  }

  static at::Tensor draws_of(const PassRequest& request, const Window& window, PassRange passes,
                             std::int64_t tile_voxels) {
    std::vector<MaskDraw> rows(static_cast<std::size_t>(passes.count));
    for (std::size_t row = 0; row < rows.size(); ++row) {
      rows[row].seed = request.seed;
      rows[row].pass = static_cast<std::uint32_t>(passes.first) + static_cast<std::uint32_t>(row);
      for (std::size_t axis = 0; axis < 3; ++axis) {
        rows[row].window[axis] = static_cast<std::int32_t>(window.output_begin[axis]);
      }
    }
    return make_draws(rows, tile_voxels);
  }

  Bundle bundle_;
  NetworkSummary summary_;
  c10::Device device_;
  RegionLogits region_logits_;
  std::shared_ptr<const void> source_;
  GraphRunner prefix_;
  GraphRunner suffix_;
};

void require_active_dropout(const DropoutGraph& graph, const std::string& file) {
  if (graph.suffix) return;
  std::string reason = "no dropout layer was found in it";
  if (!graph.layers.empty()) {
    reason.clear();
    for (const DropoutLayer& layer : graph.layers) {
      reason += (reason.empty() ? "" : "; ") + layer.kind + " '" + layer.where + "': " + layer.fate;
    }
  }
  throw ModelError(file +
                   ": the network has no active dropout, so its passes would all be equal (" +
                   reason + "); export it with dropout layers of rate > 0");
}

}  // namespace

std::unique_ptr<Segmenter> load_segmenter(const Bundle& bundle, const SegmenterOptions& options) {
  const DeviceChoice choice = choose_device(options.device);
  at::set_num_threads(std::max(1, options.threads));

  const std::string& file = bundle.networks[0].file;
  DropoutGraph graph = load_dropout_graph(bundle.folder / file, file, options.scope);
  require_active_dropout(graph, file);
  NetworkSummary summary;
  summary.dropout = graph.layers;
  summary.split_at = graph.split_at;
  summary.prefix_operators = operator_count(*graph.prefix);
  summary.suffix_operators = operator_count(*graph.suffix);
  summary.pointwise_suffix = graph.pointwise_suffix;
  summary.notes = graph.notes;
  summary.notes.insert(summary.notes.end(), choice.notes.begin(), choice.notes.end());
  summary.device = choice.description;
  return std::make_unique<TorchScriptSegmenter>(bundle, std::move(graph), choice,
                                                std::move(summary));
}

std::string libtorch_version() { return TORCH_VERSION; }

}  // namespace mcvol
