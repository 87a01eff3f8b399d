#include "load_runners.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "network/graph/dropout_graph.h"
#include "network/jit/graph_runner.h"
#include "network/rewrites/device_constants.h"

namespace mcvol {
namespace {

// Of a GPU's free memory, for a batch of passes.
constexpr std::int64_t kDeviceBatchShare = 4;

}  // namespace

std::vector<PassRunner> load_runners(const Bundle& bundle, DropoutScope scope,
                                     PassRunner::Options options, std::int64_t free_bytes) {
  const bool on_cpu = options.device.is_cpu();
  std::vector<DropoutGraph> graphs;
  std::int64_t weight_bytes = 0;
  for (const Bundle::Network& network : bundle.networks) {
    graphs.push_back(
        load_dropout_graph(bundle.folder / network.file, network.file, scope, bundle.output.index));
    weight_bytes += constant_bytes(*graphs.back().whole, options.precision);
  }
  if (!on_cpu) {
    options.batch_bytes = std::max<std::int64_t>(free_bytes - weight_bytes, 0) / kDeviceBatchShare;
  }
  std::vector<PassRunner> runners;
  for (std::size_t n = 0; n < graphs.size(); ++n) {
    const std::string& file = bundle.networks[n].file;
    options.member = static_cast<int>(n);
    try {
      runners.emplace_back(std::exchange(graphs[n], {}), file, options);
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      if (const auto failure = device_failure(error)) throw Error(*failure);
      if (on_cpu || !is_out_of_memory(error)) throw;
      throw ModelError(file +
                       ": not enough memory on the GPU for its weights; use another GPU or " +
                       "--device cpu");
    }
  }
  return runners;
}

}  // namespace mcvol
