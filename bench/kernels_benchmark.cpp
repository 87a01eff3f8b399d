// The kernels of a measurement on one thread: what each does a second, to be held against what a
// network on the same machine takes (bench/cpu_cost.py).
#include "mcvol/analysis/volume_table.h"
#include "mcvol/calibration/nominal_coverage.h"
#include "mcvol/io/records/calibration_file.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/pipeline/histogram_sink.h"
#include "mcvol/volumetry/logit_histogram.h"
#include "mcvol/volumetry/volume_distribution.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "network/dropout/dropout_mask.h"
#include "network/kernels/cpu/channel_kernels.h"
#include "network/kernels/cpu/region_kernels.h"
#include "network/kernels/cpu/strip_kernels.h"
#include "network/kernels/cpu/winograd_kernels.h"
#include "volumetry/test_voxels.h"
#include <benchmark/benchmark.h>

namespace mcvol {
namespace {

using benchmark::State;

constexpr int kPasses = 20;
constexpr std::int64_t kVoxels = 64 * 64 * 64;

std::vector<float> normal_values(std::int64_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = normal(random);
  return values;
}

void count_items(State& state, std::int64_t items, std::int64_t bytes_each) {
  state.SetItemsProcessed(state.iterations() * items);
  state.SetBytesProcessed(state.iterations() * items * bytes_each);
}

// --- Masks
// ----------------------------------------------------------------------------------------

void fill_words(State& state) {
  const MaskStream stream({.seed = 1, .pass = 3}, 2, MaskSharing::kElement);
  std::vector<std::uint32_t> words(4096);
  std::uint64_t first = 0;
  for (auto _ : state) {
    stream.fill(first, words);
    benchmark::DoNotOptimize(words.data());
    first += words.size();
  }
  count_items(state, std::ssize(words), sizeof(std::uint32_t));
}
BENCHMARK(fill_words);

/// Of voxels of which every n-th is measured.
void gather_words(State& state) {
  const MaskStream stream({.seed = 1, .pass = 3}, 2, MaskSharing::kElement);
  std::vector<std::int64_t> positions(4096);
  for (std::size_t n = 0; n < positions.size(); ++n) {
    positions[n] = static_cast<std::int64_t>(n) * state.range(0);
  }
  std::vector<std::uint32_t> words(positions.size());
  for (auto _ : state) {
    stream.gather(12345, positions, words);
    benchmark::DoNotOptimize(words.data());
  }
  count_items(state, std::ssize(words), sizeof(std::uint32_t));
}
BENCHMARK(gather_words)->ArgName("every")->Arg(1)->Arg(2);

/// What masks of channels cost: a stream for each layer, window and pass, and a word a channel.
void channel_masks(State& state) {
  std::vector<std::uint32_t> words(static_cast<std::size_t>(state.range(0)));
  std::uint32_t pass = 0;
  for (auto _ : state) {
    const MaskStream stream({.seed = 1, .pass = pass++}, 2, MaskSharing::kChannel);
    stream.fill(0, words);
    benchmark::DoNotOptimize(words.data());
  }
  count_items(state, std::ssize(words), sizeof(std::uint32_t));
}
BENCHMARK(channel_masks)->ArgName("channels")->Arg(64);

// --- Activations
// ----------------------------------------------------------------------------------

template <typename T>
std::vector<T> activation(std::int64_t channels) {
  const std::vector<float> values = normal_values(kVoxels * channels);
  std::vector<T> result(values.size());
  for (std::size_t n = 0; n < values.size(); ++n) {
    if constexpr (std::is_same_v<T, float>) {
      result[n] = values[n];
    } else {
      result[n].bits = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(values[n]) >> 16);
    }
  }
  return result;
}

/// Norm, activation and dropout of channels, as after each convolution; read and written once.
template <typename T>
void norm_activation_dropout(State& state) {
  const std::int64_t channels = state.range(0), part = voxels_at_a_time(channels) * channels;
  const std::vector<T> input = activation<T>(channels);
  std::vector<T> output(input.size());
  const std::vector<float> values = normal_values(channels);
  const std::vector<float> slope{0.01F};
  const ChannelTable of_channels(values, channels);
  ChannelSteps<T> steps;
  steps.scale = steps.shift = steps.late = of_channels;
  steps.slope = ChannelTable(slope, channels);
  const std::int64_t count = std::ssize(input);
  for (auto _ : state) {
    for (std::int64_t begin = 0; begin < count; begin += part) {
      apply_steps(input.data() + begin, output.data() + begin, std::min(part, count - begin),
                  channels, steps);
    }
    benchmark::ClobberMemory();
  }
  count_items(state, count, 2 * sizeof(T));
}
BENCHMARK(norm_activation_dropout<float>)->ArgName("channels")->Arg(16)->Arg(25)->Arg(64);
BENCHMARK(norm_activation_dropout<Bfloat16>)->ArgName("channels")->Arg(16)->Arg(25)->Arg(64);

/// What a norm needs of an activation.
template <typename T>
void moments_of_channels(State& state) {
  constexpr std::int64_t kPart = 4096;
  const std::int64_t channels = state.range(0);
  const std::vector<T> input = activation<T>(channels);
  for (auto _ : state) {
    for (std::int64_t begin = 0; begin < kVoxels; begin += kPart) {
      benchmark::DoNotOptimize(
          channel_moments<T>(input.data() + begin * channels, nullptr, kPart, channels));
    }
  }
  count_items(state, std::ssize(input), sizeof(T));
}
BENCHMARK(moments_of_channels<float>)->ArgName("channels")->Arg(16)->Arg(64);
BENCHMARK(moments_of_channels<Bfloat16>)->ArgName("channels")->Arg(16)->Arg(64);

/// 3x3x3 on lines of 128 voxels that stay in cache. Items: multiplications with their additions.
void strip_convolution(State& state) {
  constexpr std::int64_t kLine = 128, kTaps = 27;
  const std::int64_t channels = state.range(0), outputs = state.range(1);
  const std::vector<float> input = normal_values(9 * channels * (kLine + 2) + kStripVoxels);
  std::vector<std::int64_t> offsets;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    for (std::int64_t tap = 0; tap < kTaps; ++tap) {
      offsets.push_back((tap / 3 * channels + channel) * (kLine + 2) + tap % 3);
    }
  }
  const std::vector<float> weights =
      packed_weights(static_cast<std::size_t>(outputs), offsets.size(),
                     [](std::size_t, std::size_t n) { return static_cast<float>(n % 7); });
  std::vector<Strip> results(static_cast<std::size_t>(outputs));
  for (auto _ : state) {
    for (std::int64_t first = 0; first < kLine; first += kStripVoxels) {
      strip_sums(weights, {}, offsets, input.data() + first, std::min(kStripVoxels, kLine - first),
                 results);
      benchmark::ClobberMemory();
    }
  }
  state.SetItemsProcessed(state.iterations() * kLine * outputs * channels * kTaps);
}
BENCHMARK(strip_convolution)->ArgNames({"channels", "outputs"})->Args({4, 4})->Args({32, 4});

/// 3x3x3 on planes of 60x60 voxels, as inside a DeepMedic. Items: multiplications, with their
/// additions, of sums made one by one.
void winograd_convolution(State& state) {
  const WinogradShape shape{.channels = state.range(0),
                            .outputs = state.range(1),
                            .input = {6, 60, 60},
                            .kernel = {3, 3, 3},
                            .padding = {0, 0, 0}};
  const std::int64_t taps = 27, voxels = 6 * 60 * 60, outputs = 4 * 58 * 58;
  const std::vector<float> input = normal_values(voxels * shape.channels);
  const std::vector<float> weights = normal_values(shape.outputs * taps * shape.channels);
  std::vector<float> transformed(winograd_weight_floats(shape));
  const auto group = static_cast<std::int64_t>(kStripGroup);
  for (std::int64_t n = 0; n * group < shape.outputs; ++n) {
    winograd_weights(weights.data(), shape, n, transformed);
  }
  const WinogradPart all{0, shape.output_size(0), 0, shape.output_size(1)};
  std::vector<float> working(winograd_working_floats(shape, all.end_line));
  std::vector<float> result(static_cast<std::size_t>(outputs * shape.outputs));
  for (auto _ : state) {
    winograd_part(shape, transformed, {}, input.data(), all, result.data(), working);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * outputs * shape.outputs * shape.channels * taps);
}
BENCHMARK(winograd_convolution)
    ->ArgNames({"channels", "outputs"})
    ->Args({4, 10})
    ->Args({16, 16})
    ->Args({64, 64});

/// Three regions of four outputs. Items: voxels.
void region_logits(State& state) {
  constexpr std::int64_t kChannels = 4;
  constexpr std::uint32_t kRegions[] = {0b1110, 0b1010, 0b1000};
  const bool channels_last = state.range(0) != 0;
  const std::vector<float> values = normal_values(kVoxels * kChannels);
  std::vector<float> logits(static_cast<std::size_t>(3 * kVoxels));
  for (auto _ : state) {
    softmax_region_logits(values.data(), kVoxels, channels_last ? kChannels : 1,
                          channels_last ? 1 : kVoxels, kChannels, kRegions, logits.data(), kVoxels);
    benchmark::ClobberMemory();
  }
  count_items(state, kVoxels, (kChannels + 3) * sizeof(float));
}
BENCHMARK(region_logits)->ArgName("channels_last")->Arg(0)->Arg(1);

// --- Histograms
// -----------------------------------------------------------------------------------

void histogram_add(State& state) {
  const std::vector<float> logits = scan_logits(200'000, 56'000, 1.0);
  LogitHistogram histogram;
  for (auto _ : state) {
    histogram.add(logits);
    benchmark::DoNotOptimize(histogram);
  }
  count_items(state, std::ssize(logits), sizeof(float));
}
BENCHMARK(histogram_add);

/// A scan of three regions in blocks of 4,096 voxels and 20 passes. Items: logits.
void histogram_sink(State& state) {
  constexpr std::int64_t kBlock = 4096, kBlocks = 16;
  const std::vector<float> logits = normal_values(kPasses * 3 * kBlock);
  std::vector<std::int64_t> voxels(kBlock);
  for (auto _ : state) {
    HistogramSink sink({"a", "b", "c"}, kBlock * kBlocks, kPasses, 0);
    for (std::int64_t block = 0; block < kBlocks; ++block) {
      std::iota(voxels.begin(), voxels.end(), block * kBlock);
      sink.accept({voxels, 0, kPasses, 3, logits});
    }
    benchmark::DoNotOptimize(sink.finish());
  }
  count_items(state, kBlocks * std::ssize(logits), sizeof(float));
}
BENCHMARK(histogram_sink)->Unit(benchmark::kMillisecond);

// --- From histograms to volumes
// -------------------------------------------------------------------

std::vector<LogitHistogram> made_up_passes() {
  std::vector<LogitHistogram> passes;
  for (int pass = 0; pass < kPasses; ++pass) {
    passes.push_back(histogram_of(scan_logits(150'000, 10'000, 0.8 + 0.02 * pass)));
  }
  return passes;
}

/// Median and bounds of 20 passes. Items: distributions.
void quantiles(State& state, SamplerOptions options) {
  const std::vector<LogitHistogram> passes = made_up_passes();
  for (auto _ : state) {
    const VolumeDistribution distribution(passes, 0.001, options);
    for (const double p : {0.05, 0.5, 0.95}) benchmark::DoNotOptimize(distribution.quantile(p));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(quantiles, level_set, {Sampler::kLevelSet, 1.0})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(quantiles, copula, {Sampler::kCopula, 0.35})->Unit(benchmark::kMicrosecond);

/// A record's file with the regions of the bundled network; removed at the end.
class RecordFile {
 public:
  RecordFile() {
    record_.case_id = "scan";
    record_.run_identity = std::string(64, 'a');
    record_.model = std::string(64, 'b');
    record_.grid.size = {80, 96, 80};
    record_.grid.spacing_mm = {2, 2, 2};
    record_.passes = kPasses;
    const std::vector<LogitHistogram> passes = made_up_passes();
    for (const char* region : {"whole_tumour", "tumour_core", "enhancing_tumour"}) {
      record_.regions.push_back({region, passes, passes.front(), {passes.front()}});
    }
    write_case_record(record_, path_);
  }
  ~RecordFile() { std::filesystem::remove(path_); }
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const CaseRecord& record() const { return record_; }

 private:
  CaseRecord record_;
  std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                ("mcvol_bench_" + std::to_string(std::random_device{}()) + ".json");
};

void read_record(State& state) {
  const RecordFile file;
  for (auto _ : state) benchmark::DoNotOptimize(read_case_record(file.path()));
  count_items(state, 1, static_cast<std::int64_t>(std::filesystem::file_size(file.path())));
}
BENCHMARK(read_record)->Unit(benchmark::kMicrosecond);

/// The rows of a record that was read: `interval`, without a calibration and with one.
void rows_of_record(State& state, bool calibrated) {
  const RecordFile file;
  const std::vector<NominalCoverage> levels = parse_levels({"0.9"});
  AppliedCalibration calibration;
  if (calibrated)
    calibration = {read_calibration_file(MCVOL_CALIBRATION), file.record().run_identity};
  for (auto _ : state) {
    benchmark::DoNotOptimize(rows_of(file.record(), levels, calibrated ? &calibration : nullptr));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(rows_of_record, raw, false)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(rows_of_record, calibrated, true)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace mcvol
