#include "torchscript_segmenter.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <numeric>

#include "block_loop.h"
#include "device.h"
#include "dropout_graph.h"
#include "flexible_window.h"
#include "importance_map.h"
#include "serial_section.h"
#include "window_blend.h"
#include "window_input.h"
#include <ATen/Parallel.h>
#include <torch/version.h>

namespace mcvol {
namespace {

// Voxels per task when blended outputs are turned into regions.
constexpr std::int64_t kRegionVoxels = 16384;

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

/// With those without dropout, which come last.
int all_passes(const PassRequest& request, int networks) {
  return request.passes + (request.without_dropout ? networks : 0);
}

/// The passes of a range that network `member` of `networks` runs.
std::vector<int> passes_of(int member, int networks, int first, int count,
                           const PassRequest& request) {
  std::vector<int> passes;
  for (int pass = first; pass < first + count; ++pass) {
    const int turn = pass < request.passes ? pass : pass - request.passes;
    if (turn % networks == member) passes.push_back(pass);
  }
  return passes;
}

bool are_consecutive(std::span<const int> passes) {
  return passes.back() - passes.front() + 1 == static_cast<int>(passes.size());
}

}  // namespace

TorchScriptSegmenter::TorchScriptSegmenter(const Bundle& bundle, const SegmenterOptions& options,
                                           const WorkOrder& order)
    : bundle_(bundle),
      options_(options),
      order_(order),
      window_(bundle.window),
      region_logits_(bundle.output, bundle.regions) {
  const DeviceChoice choice = choose_device(options.device);
  at::set_num_threads(std::max(1, options.threads));
  device_ = choice.device;
  summary_.device = choice.description;
  summary_.networks = static_cast<int>(bundle.networks.size());
  summary_.notes = choice.notes;
  networks_ = runners_on(device_);
  describe_networks();
  if (window_.flexible) choose_window();
  probe();
}

std::vector<PassRunner> TorchScriptSegmenter::runners_on(c10::Device device) const {
  std::vector<PassRunner> runners;
  for (std::size_t n = 0; n < bundle_.networks.size(); ++n) {
    const std::string& file = bundle_.networks[n].file;
    runners.emplace_back(
        load_dropout_graph(bundle_.folder / file, file, options_.scope), file,
        PassRunner::Options{.device = device,
                            .member = static_cast<int>(n),
                            .batch_bytes = order_.batch_bytes,
                            .most_passes_per_batch = order_.most_passes_per_batch});
  }
  return runners;
}

void TorchScriptSegmenter::describe_networks() {
  const bool alone = networks_.size() == 1;
  bool any_dropout = false;
  for (const PassRunner& network : networks_) {
    const DropoutGraph& graph = network.graph();
    if (alone) require_active_dropout(graph, network.file());
    any_dropout = any_dropout || graph.suffix != nullptr;
    const std::string prefix = alone ? "" : network.file() + ": ";
    for (DropoutLayer layer : graph.layers) {
      layer.where = prefix + layer.where;
      summary_.dropout.push_back(layer);
    }
    if (!graph.split_at.empty()) {
      summary_.split_at += (summary_.split_at.empty() ? "" : ", ") + prefix + graph.split_at;
    }
    for (const std::string& note : graph.notes) summary_.notes.push_back(prefix + note);
    summary_.prefix_operators += graph.prefix_operators;
    summary_.suffix_operators += graph.suffix_operators;
  }
  if (!any_dropout) {
    summary_.notes.push_back(
        "No network of the ensemble has active dropout: passes beyond the first " +
        std::to_string(networks_.size()) + " repeat them.");
  }
}

std::int64_t TorchScriptSegmenter::working_bytes(std::vector<PassRunner>& networks) const {
  std::int64_t bytes = 0;
  for (PassRunner& network : networks) {
    const PassRunner::Cost& cost = network.probe(bundle_, window_);
    bytes = std::max(bytes, cost.prefix_bytes + cost.suffix_bytes);
  }
  return bytes;
}

// Half of the memory for a window and its pass, the rest for what is blended. Tried on the CPU and
// one thread, so that the choice is the same everywhere; memory may grow faster than the window.
void TorchScriptSegmenter::choose_window() {
  const SerialSection serial;
  std::vector<PassRunner> networks = runners_on(c10::kCPU);
  const std::int64_t allowed = options_.memory_bytes / 2;
  const auto voxels = [](const Bundle::Window& of) {
    return static_cast<double>(of.input[0] * of.input[1] * of.input[2]);
  };
  const Bundle::Window own = window_;
  std::int64_t bytes = working_bytes(networks);
  window_ = grown_window(own, bytes, allowed);
  while (voxels(window_) > voxels(own)) {
    bytes = working_bytes(networks);
    if (bytes <= allowed) return;
    const double as_own = static_cast<double>(bytes) * voxels(own) / voxels(window_);
    const Bundle::Window smaller = grown_window(own, static_cast<std::int64_t>(as_own), allowed);
    window_ = voxels(smaller) < voxels(window_) ? smaller : own;
  }
}

void TorchScriptSegmenter::probe() {
  summary_.window_input = window_.input;
  summary_.window_output = window_.output;
  summary_.pointwise_suffix = true;
  const auto count = static_cast<double>(networks_.size());
  for (std::size_t n = 0; n < networks_.size(); ++n) {
    const PassRunner::Cost& cost = networks_[n].probe(bundle_, window_);
    summary_.prefix_gflop += cost.prefix_gflop;
    summary_.suffix_gflop += cost.suffix_gflop / count;
    summary_.pointwise_suffix = summary_.pointwise_suffix && cost.pointwise;
    summary_.passes_per_batch =
        n == 0 ? cost.passes_per_batch : std::min(summary_.passes_per_batch, cost.passes_per_batch);
    summary_.window_bytes = std::max(summary_.window_bytes, cost.prefix_bytes + cost.suffix_bytes);
    for (const std::string& note : cost.notes) {
      summary_.notes.push_back((networks_.size() > 1 ? bundle_.networks[n].file + ": " : "") +
                               note);
    }
  }
}

bool TorchScriptSegmenter::run(const PreparedScan& scan, const PassRequest& request,
                               LogitSink& sink, const WindowProgress& progress) {
  WindowPlan plan(scan.measured, window_, bundle_.axes);
  if (order_.order_windows) order_.order_windows(plan.windows);
  return window_.blend == Bundle::Window::Blend::kNone
             ? run_abutting(scan, plan, request, sink, progress)
             : run_blended(scan, plan, request, sink, progress);
}

/// Every window, and in it every network's part of the passes.
bool TorchScriptSegmenter::run_windows(const PreparedScan& scan, const WindowPlan& plan,
                                       const PassRequest& request, Passes passes,
                                       const std::function<void(const WindowVoxels&)>& begin_window,
                                       const TakeWindow& take, const WindowProgress& progress) {
  const auto members = static_cast<int>(networks_.size());
  const auto parts = static_cast<double>(plan.windows.size() * networks_.size());
  for (std::size_t n = 0; n < plan.windows.size(); ++n) {
    const Window& window = plan.windows[n];
    const WindowVoxels voxels = plan.voxels_of(window);
    if (begin_window) begin_window(voxels);
    PassRunner::Job job;
    job.image = window_input(scan, plan, window, bundle_.axes, window_.padding);
    job.corner = window.output_begin;
    job.tile_offsets = voxels.tile_offsets;
    job.seed = request.seed;
    job.first_without_dropout = request.passes;
    for (int member = 0; member < members; ++member) {
      const std::vector<int> own = passes_of(member, members, passes.first, passes.count, request);
      if (own.empty()) continue;
      job.passes = own;
      const auto before = static_cast<double>(n * networks_.size()) + member;
      const auto done = [&](double part) { return progress((before + part) / parts); };
      const auto take_outputs = [&](const PassRunner::Outputs& outputs) { take(voxels, outputs); };
      if (!networks_[static_cast<std::size_t>(member)].run(job, take_outputs, done)) return false;
    }
  }
  return true;
}

bool TorchScriptSegmenter::run_abutting(const PreparedScan& scan, const WindowPlan& plan,
                                        const PassRequest& request, LogitSink& sink,
                                        const WindowProgress& progress) {
  const TakeWindow take = [&](const WindowVoxels& window, const PassRunner::Outputs& outputs) {
    const auto voxels = std::span(window.voxels)
                            .subspan(static_cast<std::size_t>(outputs.begin),
                                     static_cast<std::size_t>(outputs.values.size(2)));
    give(outputs.values, voxels, outputs.passes, sink);
  };
  const Passes all{0, all_passes(request, summary_.networks)};
  return run_windows(scan, plan, request, all, nullptr, take, progress);
}

/// As many passes together as the memory holds sums for; the prefixes are run anew for each group.
bool TorchScriptSegmenter::run_blended(const PreparedScan& scan, const WindowPlan& plan,
                                       const PassRequest& request, LogitSink& sink,
                                       const WindowProgress& progress) {
  const std::int64_t voxels = plan.measured_voxels();
  const int all = all_passes(request, summary_.networks);
  const int group = passes_per_group(voxels, all);
  const int groups = (all + group - 1) / group;
  const std::vector<float> importance = importance_map(window_.output, window_.blend);
  WindowBlend blend(voxels, bundle_.output.channels, group);
  for (int first = 0; first < all; first += group) {
    const Passes passes{first, std::min(group, all - first)};
    std::vector<float> weights;
    const auto begin_window = [&](const WindowVoxels& window) {
      weights.resize(window.tile_offsets.size());
      std::transform(
          window.tile_offsets.begin(), window.tile_offsets.end(), weights.begin(),
          [&](std::int64_t offset) { return importance[static_cast<std::size_t>(offset)]; });
      if (first == 0) blend.add_weights(window.voxels, weights);
    };
    const TakeWindow take = [&](const WindowVoxels& window, const PassRunner::Outputs& outputs) {
      const at::Tensor values = outputs.values.to(at::kCPU, at::kFloat).contiguous();
      const auto begin = static_cast<std::size_t>(outputs.begin);
      const auto count = static_cast<std::size_t>(values.size(2));
      for (std::size_t row = 0; row < outputs.passes.size(); ++row) {
        const at::Tensor of_pass = values.select(0, static_cast<std::int64_t>(row));
        blend.add(outputs.passes[row] - first, std::span(window.voxels).subspan(begin, count),
                  std::span(weights).subspan(begin, count),
                  {of_pass.const_data_ptr<float>(), static_cast<std::size_t>(of_pass.numel())});
      }
    };
    const int number = first / group;
    const auto done = [&](double part) { return progress((number + part) / groups); };
    if (!run_windows(scan, plan, request, passes, begin_window, take, done)) return false;
    give_blended(blend, voxels, passes, sink);
    blend.clear();
  }
  return true;
}

void TorchScriptSegmenter::give_blended(const WindowBlend& blend, std::int64_t voxels,
                                        Passes passes, LogitSink& sink) const {
  const std::int64_t blocks = (voxels + kRegionVoxels - 1) / kRegionVoxels;
  for_each_block(at::kCPU, 0, blocks, [&](std::int64_t block) {
    const std::int64_t begin = block * kRegionVoxels;
    const std::int64_t count = std::min(kRegionVoxels, voxels - begin);
    std::vector<std::int64_t> positions(static_cast<std::size_t>(count));
    std::iota(positions.begin(), positions.end(), begin);
    at::Tensor values = at::empty({1, bundle_.output.channels, count}, at::kFloat);
    for (int pass = 0; pass < passes.count; ++pass) {
      blend.means(pass, begin, count,
                  {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
      const int number = passes.first + pass;
      give(values, positions, {&number, 1}, sink);
    }
  });
}

int TorchScriptSegmenter::passes_per_group(std::int64_t voxels, int passes) const {
  if (order_.most_passes_per_group > 0) return std::min(order_.most_passes_per_group, passes);
  const std::int64_t left = options_.memory_bytes - summary_.window_bytes;
  const std::int64_t fitting = left / WindowBlend::bytes(voxels, bundle_.output.channels, 1);
  return static_cast<int>(std::clamp<std::int64_t>(fitting, 1, passes));
}

/// @param values [passes, output channels, voxels].
void TorchScriptSegmenter::give(const at::Tensor& values, std::span<const std::int64_t> voxels,
                                std::span<const int> passes, LogitSink& sink) const {
  const at::Tensor logits = region_logits_(values).contiguous();
  const auto accept = [&](const at::Tensor& rows, int first_pass) {
    sink.accept({.voxels = voxels,
                 .first_pass = first_pass,
                 .pass_count = static_cast<int>(rows.size(0)),
                 .region_count = static_cast<int>(rows.size(1)),
                 .logits = {rows.const_data_ptr<float>(), static_cast<std::size_t>(rows.numel())}});
  };
  if (are_consecutive(passes)) return accept(logits, passes.front());
  for (std::size_t row = 0; row < passes.size(); ++row) {
    accept(logits.narrow(0, static_cast<std::int64_t>(row), 1), passes[row]);
  }
}

std::unique_ptr<Segmenter> load_segmenter(const Bundle& bundle, const SegmenterOptions& options) {
  return std::make_unique<TorchScriptSegmenter>(bundle, options);
}

std::string libtorch_version() { return TORCH_VERSION; }

}  // namespace mcvol
