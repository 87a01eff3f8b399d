// zoo_run_passes NETWORK.pt INPUT.raw OUTPUT.raw C D0 D1 D2 PASSES SEED SCOPE: the passes of one
// window, for check_mc_dropout.py. INPUT.raw holds float32 [C, D0, D1, D2], OUTPUT.raw then float32
// [passes, channels, voxels].

#include "mcvol/error/error.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "network/dropout/dropout_operator.h"
#include "network/graph/dropout_graph.h"
#include "network/jit/graph_runner.h"
#include "network/passes/pass_runner.h"
#include <ATen/Parallel.h>

namespace mcvol {
namespace {

struct Arguments {
  std::filesystem::path network, input, output;
  std::vector<std::int64_t> shape;  ///< [1, channels, d0, d1, d2]
  int passes = 0;
  std::uint64_t seed = 0;
  DropoutScope scope = DropoutScope::kNative;
};

template <class Integer>
Integer number(std::string_view text, Integer smallest) {
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < smallest) {
    throw UsageError("'" + std::string(text) + "': expected a whole number of at least " +
                     std::to_string(smallest));
  }
  return value;
}

Arguments read_arguments(const std::vector<std::string>& words) {
  if (words.size() != 10) {
    throw UsageError("expected NETWORK.pt INPUT.raw OUTPUT.raw C D0 D1 D2 PASSES SEED SCOPE");
  }
  Arguments arguments{.network = words[0], .input = words[1], .output = words[2], .shape = {1}};
  for (std::size_t n = 3; n < 7; ++n) arguments.shape.push_back(number<std::int64_t>(words[n], 1));
  arguments.passes = number<int>(words[7], 1);
  arguments.seed = number<std::uint64_t>(words[8], 0);
  arguments.scope = dropout_scope_from(words[9]);
  return arguments;
}

at::Tensor read_window(const std::filesystem::path& path, const std::vector<std::int64_t>& shape) {
  at::Tensor window = at::empty(shape, at::kFloat);
  const auto expected = static_cast<std::uintmax_t>(window.nbytes());
  std::error_code unreadable;
  const std::uintmax_t found = std::filesystem::file_size(path, unreadable);
  std::ifstream file(path, std::ios::binary);
  if (unreadable || !file) throw Error(path.string() + ": cannot be read");
  if (found != expected) {
    throw Error(path.string() + ": expected " + std::to_string(expected) + " bytes, found " +
                std::to_string(found));
  }
  file.read(static_cast<char*>(window.data_ptr()), static_cast<std::streamsize>(expected));
  if (!file) throw Error(path.string() + ": cannot be read");
  return window;
}

void write_raw(const std::filesystem::path& path, const at::Tensor& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(static_cast<const char*>(values.const_data_ptr()),
             static_cast<std::streamsize>(values.nbytes()));
  file.close();
  if (!file) throw Error(path.string() + ": cannot be written");
}

/// [1, channels, d0, d1, d2] of what the network gives for `window`.
std::vector<std::int64_t> output_shape(const DropoutGraph& network, const at::Tensor& window,
                                       const std::string& file) {
  const c10::InferenceMode inference;
  std::vector<std::int64_t> shape;
  try {
    shape = GraphRunner(network.whole)
                .run({window.clone(), make_draws({MaskDraw{}}, 0), at::empty({0}, at::kLong)})
                .front()
                .sizes()
                .vec();
  } catch (const std::exception& error) {
    throw ModelError(file + ": the network does not run on this input: " + reason_of(error));
  }
  if (shape.size() == 5 && shape[0] == 1) return shape;
  throw ModelError(file + ": expected an output [1, channels, d0, d1, d2], found rank " +
                   std::to_string(shape.size()));
}

/// What a PassRunner reads of a bundle.
Bundle bundle_for(const std::vector<std::int64_t>& in, const std::vector<std::int64_t>& out) {
  Bundle bundle;
  bundle.channels.resize(static_cast<std::size_t>(in[1]));
  bundle.output.channels = static_cast<int>(out[1]);
  for (std::size_t d = 0; d < 3; ++d) {
    bundle.window.input[d] = in[d + 2];
    bundle.window.output[d] = out[d + 2];
  }
  return bundle;
}

/// [passes, channels, voxels].
at::Tensor run_passes(const Arguments& arguments, const at::Tensor& window) {
  const std::string file = arguments.network.filename().string();
  const DropoutGraph network = load_dropout_graph(arguments.network, file, arguments.scope);
  const std::vector<std::int64_t> shape = output_shape(network, window, file);
  const Bundle bundle = bundle_for(arguments.shape, shape);
  PassRunner runner(network, file, {.batch_bytes = std::int64_t{1} << 30});
  runner.probe(bundle, bundle.window);
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(shape[2] * shape[3] * shape[4]));
  std::iota(offsets.begin(), offsets.end(), 0);
  std::vector<int> passes(static_cast<std::size_t>(arguments.passes));
  std::iota(passes.begin(), passes.end(), 0);
  constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
  at::Tensor all = at::full({arguments.passes, shape[1], static_cast<std::int64_t>(offsets.size())},
                            kMissing, at::kFloat);
  const auto take = [&](const PassRunner::Outputs& outputs) {
    for (std::size_t row = 0; row < outputs.passes.size(); ++row) {
      all.select(0, outputs.passes[row])
          .narrow(1, outputs.begin, outputs.values.size(2))
          .copy_(outputs.values.select(0, static_cast<std::int64_t>(row)));
    }
  };
  const PassRunner::Job job{.image = window,
                            .tile_offsets = at::tensor(offsets, at::kLong),
                            .passes = passes,
                            .seed = arguments.seed};
  StageTimings timings;
  runner.run(
      job, take, [](double) { return true; }, timings);
  if (all.isnan().any().item<bool>()) throw Error(file + ": the passes hold NaN");
  return all;
}

}  // namespace
}  // namespace mcvol

int main(int argc, char** argv) {
  try {
    at::set_num_threads(1);
    const mcvol::Arguments arguments = mcvol::read_arguments({argv + 1, argv + argc});
    const at::Tensor window = mcvol::read_window(arguments.input, arguments.shape);
    mcvol::write_raw(arguments.output, mcvol::run_passes(arguments, window));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "zoo_run_passes: " << error.what() << '\n';
    return 1;
  }
}
