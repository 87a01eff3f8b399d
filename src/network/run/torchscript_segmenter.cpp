#include "torchscript_segmenter.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <new>
#include <optional>

#include "load_runners.h"
#include "network/device/block_loop.h"
#include "network/device/cuda_kernels.h"
#include "network/device/device.h"
#include "network/device/serial_section.h"
#include "network/jit/graph_runner.h"
#include "network/memory/tensor_memory.h"
#include "network/windows/flexible_window.h"
#include "network/windows/scan_windows.h"
#include "network/windows/window_flips.h"
#include "network_description.h"
#include "pass_turns.h"
#include <ATen/Parallel.h>

namespace mcvol {
namespace {

/// With those without dropout, which come last.
int all_passes(const PassRequest& request, int networks) {
  return request.passes + (request.without_dropout ? networks : 0);
}

// Before any tensor is made: memory is given back to where tensors come from at that time.
[[maybe_unused]] const bool pool_in_use = use_block_pool();

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

c10::ScalarType scalar_type_of(Precision precision) {
  switch (precision) {
    case Precision::kBf16:
      return c10::kBFloat16;
    case Precision::kFp16:
      return c10::kHalf;
    case Precision::kFp32:
      break;
  }
  return c10::kFloat;
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
  if (choice.device.is_cpu()) require_on_cpu(options.precision);
  at::set_num_threads(std::max(1, options.threads));
  device_ = choice.device;
  summary_.device = choice.description;
  summary_.networks = static_cast<int>(bundle.networks.size());
  summary_.mirror_images = bundle.mirror_images();
  summary_.notes = choice.notes;
  summary_.warning = choice.warning;
  if (!device_.is_cpu()) device_bytes_ = free_device_bytes(device_);
  networks_ = runners_on(device_, scalar_type_of(options_.precision));
  describe_networks(networks_, summary_);
  if (window_.flexible) choose_window();
  probe();
  if (summary_.mirror_images > 1) {
    summary_.notes.push_back("passes are of the scan and its mirror images in turn, " +
                             std::to_string(summary_.mirror_images) +
                             " in all, and the pass without dropout is their average; each takes a "
                             "prefix of its own");
  }
  // By now the weights are there.
  if (!device_.is_cpu()) device_bytes_ = free_device_bytes(device_);
}

std::vector<PassRunner> TorchScriptSegmenter::runners_on(c10::Device device,
                                                         c10::ScalarType precision) const {
  PassRunner::Options options;
  options.precision = precision;
  options.device = device;
  options.batch_bytes = order_.batch_bytes;
  options.most_passes_per_batch = order_.most_passes_per_batch;
  if (!device.is_cpu()) options.most_passes_per_batch = order_.device_passes;
  return load_runners(bundle_, options_.scope, options, device_bytes_);
}

std::int64_t TorchScriptSegmenter::working_bytes(std::vector<PassRunner>& networks) const {
  std::int64_t bytes = 0;
  for (PassRunner& network : networks) {
    const PassRunner::Cost& cost = network.probe(bundle_, window_);
    bytes = std::max(bytes, cost.prefix_bytes + cost.suffix_bytes);
  }
  return bytes;
}

// Half of the memory for a window and its pass, the rest for what is blended. Tried on the CPU, in
// fp32 and on one thread, so that the choice is the same everywhere; memory may grow faster than
// the window.
void TorchScriptSegmenter::choose_window() {
  const SerialSection serial;
  std::vector<PassRunner> networks = runners_on(c10::kCPU, c10::kFloat);
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
  const bool alone = networks_.size() == 1;
  for (std::size_t n = 0; n < networks_.size(); ++n) {
    const PassRunner::Cost& cost = networks_[n].probe(bundle_, window_);
    judge_dropout(networks_[n], alone, summary_);
    summary_.prefix_gflop += cost.prefix_gflop;
    summary_.suffix_gflop += cost.suffix_gflop / count;
    summary_.pointwise_suffix = summary_.pointwise_suffix && cost.pointwise;
    summary_.passes_per_batch =
        n == 0 ? cost.passes_per_batch : std::min(summary_.passes_per_batch, cost.passes_per_batch);
    batch_bytes_ =
        std::max(batch_bytes_, cost.prefix_bytes + cost.passes_per_batch * cost.suffix_bytes);
    summary_.window_bytes = std::max(summary_.window_bytes, cost.prefix_bytes + cost.suffix_bytes);
    for (const std::string& note : cost.notes) {
      summary_.notes.push_back((alone ? "" : bundle_.networks[n].file + ": ") + note);
    }
  }
}

bool TorchScriptSegmenter::run(const PreparedScan& scan, const PassRequest& request,
                               LogitSink& sink, const WindowProgress& progress,
                               StageTimings& timings) {
  try {
    return run_groups(scan, request, sink, progress, timings);
  } catch (const c10::Error& error) {
    // Of what is done around the network, on a GPU: one that fails fails for every scan.
    if (is_out_of_memory(error)) throw std::bad_alloc();
    if (device_.is_cpu()) throw;
    throw Error(device_.str() + ": " + first_line(error.what_without_backtrace()));
  }
}

bool TorchScriptSegmenter::run_groups(const PreparedScan& scan, const PassRequest& request,
                                      LogitSink& sink, const WindowProgress& progress,
                                      StageTimings& timings) {
  std::optional<ScopedTimer> timer(std::in_place, timings.prefix_s);
  WindowPlan plan(scan.measured, window_, bundle_.axes);
  if (order_.order_windows) order_.order_windows(plan.windows);
  AssemblyTask task{.region_logits = region_logits_,
                    .window = window_,
                    .channels = bundle_.output.channels,
                    .regions = static_cast<int>(bundle_.regions.size()),
                    .voxels = plan.measured_voxels(),
                    .first = request.first_pass,
                    .sampled = request.passes,
                    .all_passes = all_passes(request, summary_.networks)};
  const bool on_host = device_.is_cpu() || !sink.takes_sums();
  task.windows = plan.windows.size();
  if (request.first_pass == 0) kept_.clear();
  if (request.continued && !kept_.reserved()) {
    kept_.reserve(task.windows * static_cast<std::size_t>(bundle_.round()), prefix_room(task));
  }
  task.group = passes_per_group(task, on_host ? host_room() : device_room(task, scan));
  const auto windows = scan_windows(scan, plan, bundle_.axes, window_.padding, device_);
  timer.emplace(timings.accumulate_s);
  const auto assembly = on_host ? host_assembly(task, sink) : device_assembly(task, device_, sink);
  timer.reset();
  const int groups = (task.all_passes + task.group - 1) / task.group;
  for (int number = 0; number < groups; ++number) {
    const int done_before = number * task.group;
    const PassGroup group{.first = task.first + done_before,
                          .count = std::min(task.group, task.all_passes - done_before),
                          .opens = number == 0};
    const auto done = [&](double part) { return progress((number + part) / groups); };
    timed(timings.accumulate_s, [&] { assembly->begin_group(group); });
    if (!run_windows(plan, *windows, request, group, *assembly, done, timings)) return false;
    timed(timings.accumulate_s, [&] { assembly->end_group(); });
  }
  timed(timings.accumulate_s, [&] { assembly->finish(); });
  if (!request.continued) kept_.clear();
  return true;
}

/// For the windows' prefixes; sums of blended passes get the other half of the memory. None on a
/// GPU.
std::int64_t TorchScriptSegmenter::prefix_room(const AssemblyTask& task) const {
  if (!device_.is_cpu()) return 0;
  const std::int64_t memory = options_.memory_bytes - summary_.window_bytes;
  return std::max<std::int64_t>(is_blended(task) ? memory / 2 : memory, 0);
}

/// Every window, and in it every network's part of the passes.
bool TorchScriptSegmenter::run_windows(const WindowPlan& plan, const ScanWindows& windows,
                                       const PassRequest& request, const PassGroup& group,
                                       WindowAssembly& assembly, const WindowProgress& progress,
                                       StageTimings& timings) {
  const WindowFlips flips(bundle_.mirror, bundle_.axes, window_.output);
  const PassTurns turns{static_cast<int>(networks_.size()), flips.count()};
  const auto jobs = static_cast<double>(turns.place_of(plan.windows.size(), 0, 0));
  for (std::size_t n = 0; n < plan.windows.size(); ++n) {
    const WindowData data = timed(timings.prefix_s, [&] { return windows.cut(plan.windows[n]); });
    timed(timings.accumulate_s, [&] { assembly.begin_window(data); });
    for (int member = 0; member < turns.networks; ++member) {
      const std::vector<int> averaged = turns.average_of(member, group, request);
      at::Tensor sums;  // [1, output channels, measured voxels] over mirror images
      if (!averaged.empty()) {
        sums = at::zeros({1, bundle_.output.channels, data.voxels.numel()},
                         at::TensorOptions(at::kFloat).device(device_));
      }
      for (int flip = 0; flip < turns.flips; ++flip) {
        const std::size_t place = turns.place_of(n, member, flip);
        const WindowData shown = timed(timings.prefix_s, [&] { return flips.flipped(data, flip); });
        PassRunner::Job job;
        job.image = shown.image;
        job.corner = plan.windows[n].output_begin;
        job.tile_offsets = shown.tile_offsets;
        job.seed = request.seed;
        job.first_without_dropout = request.end();
        const auto done = [&](double part) {
          return progress((static_cast<double>(place) + part) / jobs);
        };
        const ShownPasses passes{turns.passes_of(member, flip, group, request), averaged, sums};
        if (!run_network(job, place, member, passes, assembly, done, timings)) return false;
      }
      if (averaged.empty()) continue;
      timed(timings.accumulate_s,
            [&] { give_average(sums.div_(turns.flips), averaged, assembly); });
    }
  }
  return true;
}

/// A network on a window as it is shown.
bool TorchScriptSegmenter::run_network(PassRunner::Job& job, std::size_t place, int member,
                                       const ShownPasses& passes, WindowAssembly& assembly,
                                       const WindowProgress& progress, StageTimings& timings) {
  PassRunner& network = networks_[static_cast<std::size_t>(member)];
  KeptPrefixes::Cut cut = kept_.at(place);
  job.cut = &cut;
  job.passes = passes.own;
  const auto take = [&](const PassRunner::Outputs& outputs) { assembly.take(outputs); };
  if (!passes.own.empty() && !network.run(job, take, progress, timings)) return false;
  job.passes = passes.averaged;
  const auto add = [&](const PassRunner::Outputs& outputs) {
    passes.sums.narrow(2, outputs.begin, outputs.values.size(2)).add_(outputs.values);
  };
  if (!passes.averaged.empty() && !network.run(job, add, progress, timings)) return false;
  kept_.keep(place, std::move(cut));
  return true;
}

/// In blocks, which share the threads.
void TorchScriptSegmenter::give_average(const at::Tensor& values, const std::vector<int>& passes,
                                        WindowAssembly& assembly) const {
  constexpr std::int64_t kVoxels = 16384;
  const std::int64_t count = values.size(2);
  const std::int64_t size = device_.is_cpu() ? kVoxels : std::max<std::int64_t>(count, 1);
  for_each_block(device_, 0, (count + size - 1) / size, [&](std::int64_t block) {
    const std::int64_t begin = block * size;
    assembly.take({passes, begin, values.narrow(2, begin, std::min(size, count - begin))});
  });
}

/// As many as the memory holds sums for, where windows are blended; the prefixes are run anew for
/// each group.
int TorchScriptSegmenter::passes_per_group(const AssemblyTask& task,
                                           std::int64_t room_bytes) const {
  if (!is_blended(task)) return task.all_passes;
  if (order_.most_passes_per_group > 0) {
    return std::min(order_.most_passes_per_group, task.all_passes);
  }
  return static_cast<int>(
      std::clamp<std::int64_t>(room_bytes / blend_bytes(task), 1, task.all_passes));
}

/// For blended sums, beside what windows need and is kept of them.
std::int64_t TorchScriptSegmenter::host_room() const {
  if (!device_.is_cpu()) return options_.memory_bytes;
  return options_.memory_bytes - summary_.window_bytes - kept_.reserved_bytes();
}

/// Half of what is free beside weights, scan, positions and the sums of regions: LibTorch's cache
/// and others take of it too.
std::int64_t TorchScriptSegmenter::device_room(const AssemblyTask& task,
                                               const PreparedScan& scan) const {
  const std::int64_t held = device_scan_bytes(scan) + device_assembly_bytes(task);
  return (device_bytes_ - held) / 2 - batch_bytes_;
}

std::unique_ptr<Segmenter> load_torchscript_segmenter(const Bundle& bundle,
                                                      const SegmenterOptions& options) {
  return std::make_unique<TorchScriptSegmenter>(bundle, options);
}

}  // namespace mcvol
