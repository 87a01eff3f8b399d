#include "mcvol/error/error.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "network/convolutions/transposed_convolutions.h"
#include "network/convolutions/unit_convolutions.h"
#include "network/dropout/dropout_operator.h"
#include "network/graph/batch_mixing.h"
#include "network/jit/graph_nodes.h"
#include "network/memory/memory_probe.h"
#include "network/rewrites/bfloat16_graph.h"
#include "network/rewrites/device_constants.h"
#include "network/rewrites/invariant_operators.h"
#include "network/rewrites/joined_activation.h"
#include "network/rewrites/joined_norm.h"
#include "pass_runner.h"

// How a network is made ready and tried at load; pass_runner.cpp runs it.

namespace mcvol {
namespace {

using torch::jit::Graph;

std::string shape_text(c10::IntArrayRef sizes) {
  std::string text;
  for (const std::int64_t size : sizes) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

/// @return the operators that may round differently in a batch.
std::vector<std::string> rewrite(const std::shared_ptr<Graph>& graph, c10::Device device,
                                 c10::ScalarType precision,
                                 const std::vector<c10::ScalarType>& inputs) {
  if (device.is_cpu()) {
    join_activations(graph);
    use_invariant_operators(graph);
    if (precision == c10::kBFloat16) use_bfloat16_convolutions(graph, inputs);
    return run_variant_operators_serially(graph);
  }
  if (precision == c10::kFloat) {
    use_phase_convolutions(graph);
  } else {
    join_norms(graph);
  }
  move_constants(*graph, device, precision);
  return branching_operators(graph);
}

/// As rewrite(). Weights that were laid out anew are held no longer.
std::vector<std::string> make_ready(const std::shared_ptr<Graph>& graph, c10::Device device,
                                    c10::ScalarType precision,
                                    const std::vector<c10::ScalarType>& inputs = {}) {
  std::vector<std::string> variant = rewrite(graph, device, precision, inputs);
  erase_unused_constants(*graph);
  return variant;
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

/// In half precision on a GPU: as close as its rounding allows, where passes that mix would not be.
bool are_close(const at::Tensor& first, const at::Tensor& second) {
  constexpr double kTolerance = 0.02;  // of the largest value
  const at::Tensor off = (first.to(at::kFloat) - second.to(at::kFloat)).abs().max();
  return off.item<double>() <= kTolerance * first.to(at::kFloat).abs().max().item<double>();
}

}  // namespace

PassRunner::PassRunner(const DropoutGraph& graph, std::string file, const Options& options)
    : file_(std::move(file)), options_(options), graph_(graph) {
  note_serial(make_ready(graph_.prefix, options_.device, options_.precision));
  prefix_ = std::make_unique<GraphRunner>(graph_.prefix);
  graph_.whole.reset();  // its weights are those of before
}

/// Of the operators that may round differently in a batch, all but control flow run on one thread.
void PassRunner::note_serial(const std::vector<std::string>& variant) {
  std::copy_if(variant.begin(), variant.end(), std::inserter(serial_, serial_.end()),
               [](const std::string& name) { return !name.starts_with("prim::"); });
}

void PassRunner::compile_suffix(bool pointwise, const std::vector<at::Tensor>& cut) {
  pointwise_ = pointwise;
  std::vector<std::int64_t> ranks;
  for (const at::Tensor& tensor : cut) ranks.push_back(tensor.dim());
  // In half precision on a GPU a trial takes a little mixing for rounding.
  const bool on_cpu = options_.device.is_cpu();
  mixing_ = mixing_operators(*graph_.suffix, ranks, on_cpu ? Doubtful::kDoesNot : Doubtful::kMixes);
  if (pointwise && !on_cpu) use_matrix_products(graph_.suffix);
  if (pointwise && on_cpu) {
    std::vector<std::int64_t> channels;
    for (const at::Tensor& tensor : cut) channels.push_back(tensor.size(1));
    fused_suffix_ = PointwiseNetwork::from(*graph_.suffix, channels);
  }
  std::vector<c10::ScalarType> types;
  for (const at::Tensor& tensor : cut) types.push_back(tensor.scalar_type());
  const std::vector<std::string> variant =
      make_ready(graph_.suffix, options_.device, options_.precision, types);
  invariant_suffix_ = variant.empty();
  if (!fused_suffix_) note_serial(variant);
  if (!pointwise && !variant.empty()) {
    variant_note_ =
        "Passes run one at a time: " + joined(variant) + " may round differently in a batch.";
  }
  // Passes that happen to draw the same would hide it from a trial.
  if (invariant_suffix_ && !mixing_.empty() && !pointwise) {
    invariant_suffix_ = false;
    variant_note_ = mixing_note();
  }
  suffix_ = std::make_unique<GraphRunner>(graph_.suffix);
}

std::string PassRunner::mixing_note() const {
  const std::string who = mixing_.empty() ? "the network" : joined(mixing_);
  return "Passes run one at a time: in a batch " + who + (mixing_.size() > 1 ? " mix" : " mixes") +
         " them.";
}

std::string PassRunner::no_room_for(const std::string& window) const {
  const bool on_cpu = options_.device.is_cpu();
  return file_ + ": not enough memory" + (on_cpu ? "" : " on the GPU") + " for one window of " +
         window + " voxels; use a smaller window, where the network allows it" +
         (on_cpu ? "" : ", another GPU or --device cpu");
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
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) throw ModelError(no_room_for(shape_text(in)));
    if (const auto failure = device_failure(error)) throw Error(*failure);
    if (!graph_.odd_weights.empty()) {
      throw ModelError(file_ + ": the network's weights are " + graph_.odd_weights +
                       ", and it does not run on images of float32 (" + reason_of(error) +
                       "); export it as float32 (net.float()), --precision chooses another");
    }
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
      peak_bytes(options_.device, [&] { prefix = run_counting(*prefix_, {on_device(image)}); });
  if (graph_.suffix) {
    // Gathering voxels needs every shared tensor on the output's voxels.
    const bool on_output =
        std::all_of(prefix.outputs.begin(), prefix.outputs.end(), [&](const at::Tensor& tensor) {
          return tensor.dim() == 5 &&
                 tensor.sizes().slice(2) == c10::IntArrayRef(expected).slice(2);
        });
    if (!suffix_) compile_suffix(graph_.pointwise_suffix && on_output, prefix.outputs);
    cost_.pointwise = pointwise_;
    if (!variant_note_.empty()) cost_.notes.push_back(variant_note_);
    std::vector<at::Tensor> inputs = prefix.outputs;
    inputs.push_back(make_draws({MaskDraw{.drops_all = true}}, 0));
    inputs.push_back(at::empty({0}, at::kLong));
    const DropoutWatch watch;
    cost_.suffix_bytes =
        peak_bytes(options_.device, [&] { suffix = run_counting(*suffix_, inputs); });
    cost_.layers_run = watch.layers();
  }
  const at::Tensor& output = graph_.suffix ? suffix.outputs.front() : prefix.outputs.front();
  if (output.sizes() != c10::IntArrayRef(expected)) {
    throw ModelError(file_ + ": the network gives " + shape_text(output.sizes()) +
                     " for an input of " + shape_text(image.sizes()) + ", model.json says " +
                     shape_text(expected) + "; correct window.output or output.channels");
  }
  if (graph_.suffix) try_dropout(prefix.outputs, suffix.outputs.front());
  if (fused_suffix_ && fused_suffix_->outputs() != output.size(1)) fused_suffix_.reset();
  cost_.prefix_gflop = prefix.flop / 1e9;
  cost_.suffix_gflop = suffix.flop / 1e9;
  if (cost_.pointwise) {
    cost_.passes_per_batch = options_.device.is_cpu() ? kBlockPasses : fitting_passes();
  } else if (graph_.suffix) {
    choose_batch(prefix.outputs);
  }
  if (!serial_.empty()) {
    cost_.notes.push_back("These operators run on one thread: " + joined(serial_) + ".");
  }
}

/// By masks that are forced: drawn ones may agree by chance where a network is small.
/// @param dropped the output where nothing is kept.
void PassRunner::try_dropout(const std::vector<at::Tensor>& cut, const at::Tensor& dropped) {
  const at::Tensor draws = make_draws({MaskDraw{.dropout_off = true}}, 0);
  const at::Tensor kept = run_suffix(cut, draws, at::empty({0}, at::kLong), 1);
  cost_.dropout_matters = !at::nan_to_num(kept).equal(at::nan_to_num(dropped));
}

int PassRunner::fitting_passes() const {
  const std::int64_t fitting = options_.batch_bytes / std::max<std::int64_t>(cost_.suffix_bytes, 1);
  return static_cast<int>(
      std::clamp<std::int64_t>(fitting, 1, std::max(options_.most_passes_per_batch, 1)));
}

/// f([a, b]) = [f(a), f(b)], bit for bit, or fewer passes run together: libraries may choose other
/// kernels for larger batches.
void PassRunner::choose_batch(const std::vector<at::Tensor>& cut) {
  if (!invariant_suffix_) return;
  for (int passes = fitting_passes(); passes >= 2; passes /= 2) {
    try {
      if (!batch_gives_single_passes(cut, passes)) continue;
    } catch (const ModelError&) {  // a batch of one written into its shapes, as in traces
      cost_.notes.push_back("Passes run one at a time: the network takes no batches.");
      return;
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error)) throw;
      empty_cache();
      continue;
    }
    cost_.passes_per_batch = passes;
    return;
  }
  if (fitting_passes() > 1) cost_.notes.push_back(mixing_note());
}

/// By rows that keep everything and nothing in turns, both ways round: whatever moves between rows
/// shows, where drawn ones may agree.
bool PassRunner::batch_gives_single_passes(const std::vector<at::Tensor>& cut, int count) const {
  const at::Tensor nowhere = at::empty({0}, at::kLong);
  const std::array<MaskDraw, 2> forced = {MaskDraw{.dropout_off = true},
                                          MaskDraw{.drops_all = true}};
  std::array<at::Tensor, 2> alone;
  for (std::size_t n = 0; n < forced.size(); ++n) {
    alone[n] = run_suffix(cut, make_draws({forced[n]}, 0), nowhere, 1);
  }
  const bool rounds = !options_.device.is_cpu() && options_.precision != c10::kFloat;
  for (std::size_t first = 0; first < forced.size(); ++first) {
    std::vector<MaskDraw> rows;
    for (std::size_t row = 0; row < static_cast<std::size_t>(count); ++row) {
      rows.push_back(forced[(first + row) % 2]);
    }
    const at::Tensor batch = run_suffix(cut, make_draws(rows, 0), nowhere, count);
    if (batch.size(0) != count) return false;
    for (std::int64_t row = 0; row < count; ++row) {
      const at::Tensor& single = alone[(first + static_cast<std::size_t>(row)) % 2];
      const at::Tensor together = batch.narrow(0, row, 1);
      if (rounds ? !are_close(single, together) : !single.equal(together)) return false;
    }
  }
  return true;
}

}  // namespace mcvol
