#include "dropout_operator.h"

#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "device_dropout.h"
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

constexpr std::int64_t kDrawColumns = 7;
/// In the column of the pass, where a row keeps everything as it is, or nothing.
constexpr std::int64_t kDropoutOff = -1;
constexpr std::int64_t kDropsAll = -2;

thread_local std::set<int>* watched_layers = nullptr;

std::int64_t pass_column(const MaskDraw& draw) {
  if (draw.dropout_off) return kDropoutOff;
  return draw.drops_all ? kDropsAll : std::int64_t{draw.pass};
}

DropoutAffine affine_of(DropoutForm form, double rate) {
  if (form == DropoutForm::kInverted) {
    return inverted_dropout(rate);
  }
  // alpha' = -lambda alpha of SELU; a and b keep mean 0 and variance 1 (Klambauer, Unterthiner,
  // Mayr, Hochreiter, "Self-normalizing neural networks", NeurIPS 2017, section 3).
  constexpr double kAlpha = 1.7580993408473766;
  if (rate >= 1.0) return {};
  const double a = 1.0 / std::sqrt((kAlpha * kAlpha * rate + 1.0) * (1.0 - rate));
  const double b = kAlpha * a * rate;
  return {static_cast<float>(a), static_cast<float>(b), static_cast<float>(b - kAlpha * a)};
}

struct DropoutLayer {
  double rate;
  int id;
  DropoutForm form;
  MaskSharing sharing;
};

MaskDraw draw_of(const std::int64_t* row) {
  return {.seed = static_cast<std::uint64_t>(row[0]),
          .member = static_cast<int>(row[1]),
          .pass = static_cast<std::uint32_t>(row[2]),
          .dropout_off = row[2] == kDropoutOff,
          .drops_all = row[2] == kDropsAll,
          .window = {static_cast<std::int32_t>(row[3]), static_cast<std::int32_t>(row[4]),
                     static_cast<std::int32_t>(row[5])}};
}

void keep_flags(std::span<const std::uint32_t> words, std::uint64_t threshold, float* keep) {
  for (std::size_t i = 0; i < words.size(); ++i) keep[i] = words[i] >= threshold ? 1.0F : 0.0F;
}

// [rows, channels, 1, …]: 1 where the channel is kept.
at::Tensor channel_keep(const at::Tensor& input, const at::Tensor& draws,
                        const DropoutLayer& layer) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(input.dim()), 1);
  shape[0] = input.size(0);
  shape[1] = input.size(1);
  at::Tensor keep = at::empty(shape, at::kFloat);
  std::vector<std::uint32_t> words(static_cast<std::size_t>(shape[1]));
  for (std::int64_t row = 0; row < shape[0]; ++row) {
    const MaskDraw draw = draw_of(draws.const_data_ptr<std::int64_t>() + row * kDrawColumns);
    MaskStream(draw, layer.id, layer.sharing).fill(0, words);
    keep_flags(words, keep_threshold(layer.rate), keep.data_ptr<float>() + row * shape[1]);
  }
  return keep;
}

at::Tensor element_keep(const at::Tensor& input, const at::Tensor& draws,
                        const at::Tensor& positions, const DropoutLayer& layer) {
  constexpr std::int64_t kChunk = 1 << 14;
  at::Tensor keep = at::empty(input.sizes(), at::kFloat);
  const std::int64_t rows = draws.size(0);
  const std::int64_t row_elements = rows > 0 ? input.numel() / rows : 0;
  const std::uint64_t threshold = keep_threshold(layer.rate);
  const auto* draw_rows = draws.const_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t* columns = draw_rows + row * kDrawColumns;
    const MaskStream stream(draw_of(columns), layer.id, layer.sharing);
    float* row_keep = keep.data_ptr<float>() + row * row_elements;
    if (positions.numel() > 0) {
      const std::span<const std::int64_t> offsets(positions.const_data_ptr<std::int64_t>(),
                                                  static_cast<std::size_t>(positions.numel()));
      std::vector<std::uint32_t> words(offsets.size());
      for (std::int64_t channel = 0; channel < input.size(1); ++channel) {
        stream.gather(static_cast<std::uint64_t>(channel * columns[6]), offsets, words);
        keep_flags(words, threshold, row_keep + channel * positions.numel());
      }
      continue;
    }
    at::parallel_for(0, row_elements, kChunk, [&](std::int64_t begin, std::int64_t end) {
      std::vector<std::uint32_t> words(static_cast<std::size_t>(kChunk));
      for (std::int64_t i = begin; i < end; i += kChunk) {
        const auto count = static_cast<std::size_t>(std::min(kChunk, end - i));
        const std::span<std::uint32_t> part(words.data(), count);
        stream.fill(static_cast<std::uint64_t>(i), part);
        keep_flags(part, threshold, row_keep + i);
      }
    });
  }
  return keep;
}

/// Sets the rows of `factors` whose dropout is off to `value`. Several in a row may belong to one.
void fill_rows_off(at::Tensor& factors, const at::Tensor& draws, double value) {
  const std::int64_t each = draws.size(0) > 0 ? factors.size(0) / draws.size(0) : 0;
  for (std::int64_t row = 0; row < draws.size(0); ++row) {
    const std::int64_t pass = draws.const_data_ptr<std::int64_t>()[row * kDrawColumns + 2];
    if (pass == kDropoutOff) factors.narrow(0, row * each, each).fill_(value);
  }
}

at::Tensor dropout(const at::Tensor& input, const at::Tensor& draws, const at::Tensor& positions,
                   const DropoutLayer& layer) {
  note_dropout(layer.id);
  TORCH_CHECK(layer.sharing != MaskSharing::kChannel || input.dim() == 5, "dropout layer ",
              layer.id, " has an input of rank ", input.dim(),
              "; channel masks need [batch, channel, 3 spatial dimensions], use --scope native");
  TORCH_CHECK(input.dim() >= 2, "dropout layer ", layer.id, " has an input of rank ", input.dim());
  // Attention in windows folds them into the batch, each pass's in a row.
  const bool folded =
      layer.sharing == MaskSharing::kElement && positions.numel() == 0 && draws.size(0) > 0;
  TORCH_CHECK(input.size(0) == draws.size(0) || (folded && input.size(0) % draws.size(0) == 0),
              "dropout layer ", layer.id, " sees a batch of ", input.size(0), " where ",
              draws.size(0), " pass(es) run; use --scope native or element if it drops elements");
  const std::int64_t channels = input.size(0) * input.size(1);
  const std::int64_t voxels = channels > 0 ? input.numel() / channels : 0;
  TORCH_CHECK(positions.numel() == 0 || positions.numel() == voxels, "dropout layer ", layer.id,
              " sees ", voxels, " voxels where ", positions.numel(), " were gathered");
  const DropoutAffine affine = affine_of(layer.form, layer.rate);
  if (input.is_cuda()) {
    const DeviceMasks masks{read_draws(draws), layer.id, layer.rate, layer.sharing};
    return device_dropout(input, masks, positions, tile_voxels_of(draws), affine);
  }
  at::Tensor keep = layer.sharing == MaskSharing::kElement
                        ? element_keep(input, draws, positions, layer)
                        : channel_keep(input, draws, layer);
  at::Tensor scale = keep * affine.scale;
  fill_rows_off(scale, draws, 1.0);
  if (layer.form == DropoutForm::kInverted) {
    return input * scale.to(input.scalar_type());
  }
  at::Tensor offset = keep * (affine.kept_offset - affine.dropped_value) + affine.dropped_value;
  fill_rows_off(offset, draws, 0.0);
  return at::addcmul(offset.to(input.scalar_type()), input, scale.to(input.scalar_type()));
}

void run_operator(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 7);
  at::Tensor output =
      dropout(arguments[0].toTensor(), arguments[1].toTensor(), arguments[2].toTensor(),
              {arguments[3].toDouble(), static_cast<int>(arguments[4].toInt()),
               static_cast<DropoutForm>(arguments[5].toInt()),
               static_cast<MaskSharing>(arguments[6].toInt())});
  torch::jit::drop(stack, 7);
  torch::jit::pack(stack, std::move(output));
}

void run_marker(torch::jit::Stack&) { TORCH_CHECK(false, "a dropout marker was run"); }

}  // namespace

void note_dropout(int layer) {
  if (watched_layers != nullptr) watched_layers->insert(layer);
}

DropoutWatch::DropoutWatch() : outer_(std::exchange(watched_layers, &layers_)) {}

DropoutWatch::~DropoutWatch() { watched_layers = outer_; }

void register_dropout_operators() {
  static const torch::jit::RegisterOperators registered({
      torch::jit::Operator(
          "mcvol::dropout(Tensor input, Tensor draws, Tensor positions, float rate, int layer, "
          "int form, int sharing) -> Tensor",
          run_operator, c10::AliasAnalysisKind::PURE_FUNCTION),
      torch::jit::Operator(
          "mcvol::dropout_marker(Tensor input, float rate, int layer, int form, bool feature) -> "
          "Tensor",
          run_marker, c10::AliasAnalysisKind::CONSERVATIVE),
  });
}

at::Tensor run_dropout(const at::Tensor& input, const at::Tensor& draws,
                       const at::Tensor& positions, double rate, int layer, DropoutForm form,
                       MaskSharing sharing) {
  return dropout(input, draws, positions, {rate, layer, form, sharing});
}

at::Tensor make_draws(const std::vector<MaskDraw>& rows, std::int64_t tile_voxels) {
  at::Tensor draws = at::empty({static_cast<std::int64_t>(rows.size()), kDrawColumns}, at::kLong);
  auto* column = draws.data_ptr<std::int64_t>();
  for (const MaskDraw& row : rows) {
    *column++ = static_cast<std::int64_t>(row.seed);
    *column++ = row.member;
    *column++ = pass_column(row);
    for (const std::int32_t corner : row.window) *column++ = corner;
    *column++ = tile_voxels;
  }
  return draws;
}

std::vector<float> channel_factors(const MaskDraw& draw, int layer, double rate,
                                   MaskSharing sharing, std::int64_t channels) {
  if (draw.dropout_off) return std::vector<float>(static_cast<std::size_t>(channels), 1.0F);
  std::vector<std::uint32_t> words(static_cast<std::size_t>(channels));
  MaskStream(draw, layer, sharing).fill(0, words);
  const float kept = inverted_dropout(rate).scale;
  std::vector<float> factors;
  factors.reserve(words.size());
  for (const std::uint32_t word : words) {
    factors.push_back(word >= keep_threshold(rate) ? kept : 0.0F);
  }
  return factors;
}

std::int64_t tile_voxels_of(const at::Tensor& draws) {
  return draws.const_data_ptr<std::int64_t>()[kDrawColumns - 1];
}

std::vector<MaskDraw> read_draws(const at::Tensor& draws) {
  const auto* rows = draws.const_data_ptr<std::int64_t>();
  std::vector<MaskDraw> read;
  for (std::int64_t n = 0; n < draws.size(0); ++n) read.push_back(draw_of(rows + n * kDrawColumns));
  return read;
}

MaskSharing sharing_under(DropoutScope scope, bool feature) {
  switch (scope) {
    case DropoutScope::kChannel:
      return MaskSharing::kChannel;
    case DropoutScope::kElement:
      return MaskSharing::kElement;
    case DropoutScope::kNative:
      break;
  }
  return feature ? MaskSharing::kWindowChannel : MaskSharing::kElement;
}

}  // namespace mcvol
