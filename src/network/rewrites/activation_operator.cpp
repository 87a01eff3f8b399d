#include "activation_operator.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "network/device/tensor_values.h"
#include "network/dropout/device_dropout.h"
#include "network/dropout/dropout_mask.h"
#include "network/dropout/dropout_operator.h"
#include "network/kernels/cpu/channel_kernels.h"
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

/// Voxels whose moments are taken together: fixed, so that they are the same for any threads.
constexpr std::int64_t kMomentVoxels = 4096;

struct Arguments {
  at::Tensor input;
  std::optional<at::Tensor> before, scale, shift;
  double epsilon;
  std::optional<at::Tensor> slope, after;
  at::Tensor draws, positions;
  double rate;
  int layer;
  MaskSharing sharing;
  bool drops_first;

  bool has_statistics() const { return epsilon >= 0.0; }
  bool drops() const { return layer >= 0; }
};

// --- As single operators, for what the kernels do not take
// ----------------------------------------

at::Tensor along_channels(const at::Tensor& values, const at::Tensor& like) {
  if (values.numel() == 1) return values.to(like.scalar_type());
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(like.dim()), 1);
  sizes[1] = values.numel();
  return values.to(like.scalar_type()).view(sizes);
}

/// As PyTorch words it.
at::Tensor refused_by_batch_norm(const at::Tensor& value, const at::Tensor& scale) {
  return at::batch_norm(value, {}, {}, scale, scale, false, 0.0, 1.0, false);
}

at::Tensor run_separately(const Arguments& of) {
  at::Tensor value = of.before ? of.input + *of.before : of.input;
  if (of.has_statistics()) {
    const auto as_input = [&](const std::optional<at::Tensor>& tensor) {
      return tensor ? std::optional(tensor->to(value.scalar_type())) : std::nullopt;
    };
    value = at::instance_norm(value, as_input(of.scale), as_input(of.shift), {}, {}, true, 0.0,
                              of.epsilon, true);
  } else if (of.scale) {
    if (value.dim() < 2 || !fits_channels(of.scale, value.size(1))) {
      return refused_by_batch_norm(value, *of.scale);
    }
    value = value * along_channels(*of.scale, value) + along_channels(*of.shift, value);
  }
  const auto drop = [&] {
    value = run_dropout(value, of.draws, of.positions, of.rate, of.layer, DropoutForm::kInverted,
                        of.sharing);
  };
  if (of.drops() && of.drops_first) drop();
  const bool one_slope = !of.slope || of.slope->numel() == 1;
  if (!one_slope && (value.dim() < 2 || !slope_fits(of.slope, value.size(1)))) {
    return at::prelu(value, *of.slope);
  }
  if (of.slope) value = at::where(value > 0, value, value * along_channels(*of.slope, value));
  if (of.drops() && !of.drops_first) drop();
  return of.after ? value + *of.after : value;
}

// --- In one go
// ------------------------------------------------------------------------------------

bool has_dense_rows(const at::Tensor& tensor) {
  return tensor.numel() > 0 &&
         tensor.narrow(0, 0, 1).is_contiguous(at::MemoryFormat::ChannelsLast3d);
}

/// [rows, channels, d0, d1, d2], channels last in each row; rows may be one and the same.
at::Tensor with_dense_rows(const at::Tensor& tensor) {
  return has_dense_rows(tensor) ? tensor : tensor.contiguous(at::MemoryFormat::ChannelsLast3d);
}

bool fits_kernels(const Arguments& of) {
  const auto type = of.input.scalar_type();
  if (of.input.dim() != 5 || of.input.numel() == 0 || of.input.is_cuda()) return false;
  if (type != at::kFloat && type != at::kBFloat16) return false;
  if (of.drops() && of.draws.size(0) != of.input.size(0)) return false;
  for (const auto& term : {of.before, of.after}) {
    if (term && (term->sizes() != of.input.sizes() || term->scalar_type() != type)) return false;
  }
  const std::int64_t channels = of.input.size(1);
  const std::int64_t positions = of.positions.numel();
  if (of.drops() && positions != 0 && positions != of.input[0][0].numel()) return false;
  return fits_channels(of.scale, channels) && fits_channels(of.shift, channels) &&
         slope_fits(of.slope, channels);
}

/// Factors that dropout multiplies with, of one row.
class Masks {
 public:
  Masks(const Arguments& of, std::int64_t row, std::int64_t channels, std::int64_t voxels)
      : draw_(read_draws(of.draws.narrow(0, row, 1)).front()),
        layer_(of.layer),
        rate_(of.rate),
        sharing_(of.sharing),
        stream_(draw_, of.layer, of.sharing),
        threshold_(keep_threshold(of.rate)),
        kept_(inverted_dropout(of.rate).scale),
        channels_(channels),
        positions_(of.positions),
        channel_stride_(of.positions.numel() > 0 ? tile_voxels_of(of.draws) : voxels) {}

  bool of_elements() const { return sharing_ == MaskSharing::kElement; }

  ChannelTable of_channels() const {
    return {channel_factors(draw_, layer_, rate_, sharing_, channels_), channels_};
  }

  /// [count, channels] of the voxels from `begin` on.
  void of_voxels(std::int64_t begin, std::int64_t count, std::vector<float>& factors) const {
    factors.resize(static_cast<std::size_t>(count * channels_));
    if (draw_.dropout_off) {
      std::fill(factors.begin(), factors.end(), 1.0F);
      return;
    }
    thread_local std::vector<std::uint32_t> words;
    words.resize(factors.size());
    for (std::int64_t channel = 0; channel < channels_; ++channel) {
      words_at(static_cast<std::uint64_t>(channel * channel_stride_), begin,
               std::span(words).subspan(static_cast<std::size_t>(channel * count),
                                        static_cast<std::size_t>(count)));
    }
    factors_of_words(words, count, channels_, threshold_, kept_, factors.data());
  }

 private:
  void words_at(std::uint64_t channel_start, std::int64_t begin,
                std::span<std::uint32_t> words) const {
    if (positions_.numel() == 0) {
      stream_.fill(channel_start + static_cast<std::uint64_t>(begin), words);
      return;
    }
    const std::int64_t* positions = positions_.const_data_ptr<std::int64_t>() + begin;
    stream_.gather(channel_start, {positions, words.size()}, words);
  }

  MaskDraw draw_;
  int layer_;
  double rate_;
  MaskSharing sharing_;
  MaskStream stream_;
  std::uint64_t threshold_;
  float kept_;
  std::int64_t channels_;
  at::Tensor positions_;
  std::int64_t channel_stride_;
};

template <typename T>
const T* data_of(const at::Tensor& tensor) {
  return static_cast<const T*>(tensor.const_data_ptr());
}

/// Scale and shift of a row by its own mean and variance.
template <typename T>
std::pair<ChannelTable, ChannelTable> own_norm(const Arguments& of, const T* row, const T* before,
                                               std::int64_t voxels, std::int64_t channels) {
  const std::int64_t chunks = (voxels + kMomentVoxels - 1) / kMomentVoxels;
  std::vector<ChannelMoments> of_chunks(static_cast<std::size_t>(chunks));
  at::parallel_for(0, chunks, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t chunk = first; chunk < last; ++chunk) {
      const std::int64_t begin = chunk * kMomentVoxels;
      const T* terms = before != nullptr ? before + begin * channels : nullptr;
      of_chunks[static_cast<std::size_t>(chunk)] = channel_moments(
          row + begin * channels, terms, std::min(kMomentVoxels, voxels - begin), channels);
    }
  });
  ChannelMoments moments;
  for (const ChannelMoments& of_chunk : of_chunks) moments.add(of_chunk);
  std::vector<float> scales, shifts;
  for (std::size_t channel = 0; channel < moments.means.size(); ++channel) {
    const double variance = moments.squares[channel] / static_cast<double>(voxels);
    const double weight = of.scale ? floats_of(*of.scale)[channel] : 1.0;
    const double scale = weight / std::sqrt(variance + of.epsilon);
    const double bias = of.shift ? floats_of(*of.shift)[channel] : 0.0;
    scales.push_back(static_cast<float>(scale));
    shifts.push_back(static_cast<float>(bias - moments.means[channel] * scale));
  }
  return {ChannelTable(scales, channels), ChannelTable(shifts, channels)};
}

template <typename T>
at::Tensor run_together(const Arguments& of) {
  const at::Tensor input = with_dense_rows(of.input);
  const std::int64_t rows = input.size(0);
  const std::int64_t channels = input.size(1);
  const std::int64_t voxels = input[0][0].numel();
  const auto dense = [](const std::optional<at::Tensor>& tensor) {
    return tensor ? std::optional(with_dense_rows(*tensor)) : std::nullopt;
  };
  const auto before = dense(of.before);
  const auto after = dense(of.after);
  at::Tensor output =
      at::empty(input.sizes(), input.options().memory_format(at::MemoryFormat::ChannelsLast3d));
  ChannelSteps<T> common;
  if (of.slope) common.slope = ChannelTable(floats_of(*of.slope), channels);
  if (!of.has_statistics() && of.scale) {
    common.scale = ChannelTable(floats_of(*of.scale), channels);
    common.shift = ChannelTable(floats_of(*of.shift), channels);
  }
  std::vector<ChannelSteps<T>> of_rows(static_cast<std::size_t>(rows), common);
  std::vector<std::optional<Masks>> masks(of_rows.size());
  const bool same_rows = input.stride(0) == 0 && (!before || before->stride(0) == 0);
  for (std::int64_t row = 0; row < rows; ++row) {
    ChannelSteps<T>& steps = of_rows[static_cast<std::size_t>(row)];
    if (of.has_statistics() && (row == 0 || !same_rows)) {
      std::tie(steps.scale, steps.shift) = own_norm(
          of, data_of<T>(input) + row * input.stride(0),
          before ? data_of<T>(*before) + row * before->stride(0) : nullptr, voxels, channels);
    } else if (of.has_statistics()) {
      steps.scale = of_rows.front().scale;
      steps.shift = of_rows.front().shift;
    }
    if (!of.drops()) continue;
    const Masks& mask = masks[static_cast<std::size_t>(row)].emplace(of, row, channels, voxels);
    if (!mask.of_elements()) (of.drops_first ? steps.early : steps.late) = mask.of_channels();
  }
  const std::int64_t part = voxels_at_a_time(channels);
  const std::int64_t parts = (voxels + part - 1) / part;
  T* target = static_cast<T*>(output.data_ptr());
  at::parallel_for(0, rows * parts, 1, [&](std::int64_t first, std::int64_t last) {
    thread_local std::vector<float> factors;
    for (std::int64_t n = first; n < last; ++n) {
      const std::int64_t row = n / parts;
      const std::int64_t begin = n % parts * part;
      const std::int64_t count = std::min(part, voxels - begin);
      const std::int64_t offset = begin * channels;
      ChannelSteps<T> steps = of_rows[static_cast<std::size_t>(row)];
      if (before) steps.before = data_of<T>(*before) + row * before->stride(0) + offset;
      if (after) steps.after = data_of<T>(*after) + row * after->stride(0) + offset;
      if (const auto& mask = masks[static_cast<std::size_t>(row)]; mask && mask->of_elements()) {
        mask->of_voxels(begin, count, factors);
        (of.drops_first ? steps.early_elements : steps.late_elements) = factors;
      }
      apply_steps(data_of<T>(input) + row * input.stride(0) + offset,
                  target + row * voxels * channels + offset, count * channels, channels, steps);
    }
  });
  return output;
}

void run_activation(torch::jit::Stack& stack) {
  constexpr std::size_t kArguments = 13;
  const auto of = torch::jit::last(stack, kArguments);
  const Arguments arguments{.input = of[0].toTensor(),
                            .before = optional_tensor(of[1]),
                            .scale = optional_tensor(of[2]),
                            .shift = optional_tensor(of[3]),
                            .epsilon = of[4].toDouble(),
                            .slope = optional_tensor(of[5]),
                            .after = optional_tensor(of[6]),
                            .draws = of[7].toTensor(),
                            .positions = of[8].toTensor(),
                            .rate = of[9].toDouble(),
                            .layer = static_cast<int>(of[10].toInt()),
                            .sharing = static_cast<MaskSharing>(of[11].toInt()),
                            .drops_first = of[12].toBool()};
  if (arguments.drops()) note_dropout(arguments.layer);
  at::Tensor output;
  if (!fits_kernels(arguments)) {
    output = run_separately(arguments);
  } else if (arguments.input.scalar_type() == at::kFloat) {
    output = run_together<float>(arguments);
  } else {
    output = run_together<Bfloat16>(arguments);
  }
  torch::jit::drop(stack, kArguments);
  torch::jit::pack(stack, std::move(output));
}

}  // namespace

void register_activation() {
  static const torch::jit::RegisterOperators registered({torch::jit::Operator(
      "mcvol::activation(Tensor input, Tensor? before, Tensor? scale, Tensor? shift, "
      "float epsilon, Tensor? slope, Tensor? after, Tensor draws, Tensor positions, float rate, "
      "int layer, int sharing, bool drops_first) -> Tensor",
      run_activation, c10::AliasAnalysisKind::PURE_FUNCTION)});
}

}  // namespace mcvol
