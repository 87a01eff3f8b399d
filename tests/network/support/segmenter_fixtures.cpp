#include "network/support/segmenter_fixtures.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

#include "network/dropout/dropout_operator.h"
#include "network/graph/dropout_graph.h"
#include "network/jit/graph_runner.h"
#include "network/run/torchscript_segmenter.h"
#include "network/support/rewritten_network.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace mcvol::testing {
namespace {

/// The voxels of a window [d0, d1, d2] = [x, y, z] that lie in the scan, 0 elsewhere.
at::Tensor input_at(const PreparedScan& scan, const Index3& corner, const Index3& size) {
  at::Tensor input = at::zeros({1, 2, size[0], size[1], size[2]});
  auto access = input.accessor<float, 5>();
  for (std::size_t channel = 0; channel < 2; ++channel)
    for (std::int64_t i = 0; i < std::min(size[0], scan.grid.size[0] - corner[0]); ++i)
      for (std::int64_t j = 0; j < std::min(size[1], scan.grid.size[1] - corner[1]); ++j)
        for (std::int64_t k = 0; k < std::min(size[2], scan.grid.size[2] - corner[2]); ++k)
          access[0][static_cast<std::int64_t>(channel)][i][j][k] =
              scan.channels[channel].at(corner[0] + i, corner[1] + j, corner[2] + k);
  return input;
}

MaskDraw draw_at(const PassRequest& request, int member, int pass, const Index3& corner) {
  MaskDraw draw{.seed = request.seed, .member = member, .pass = static_cast<std::uint32_t>(pass)};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    draw.window[axis] = static_cast<std::int32_t>(corner[axis]);
  }
  return draw;
}

double larger(double largest, double difference) {
  return std::isnan(difference) ? INFINITY : std::max(largest, std::abs(difference));
}

/// Regions [1, 2] and [2] of three outputs under softmax.
double difference_in_window(const std::vector<std::vector<float>>& of_pass,
                            const at::Tensor& output, const PreparedScan& scan,
                            const Index3& corner) {
  const at::Tensor probability = at::softmax(output.to(at::kDouble), 1);
  const auto p = probability.accessor<double, 5>();
  double largest = 0.0;
  std::size_t voxel = 0;
  for (std::int64_t k = 0; k < scan.grid.size[2]; ++k) {
    for (std::int64_t j = 0; j < scan.grid.size[1]; ++j) {
      for (std::int64_t i = 0; i < scan.grid.size[0]; ++i) {
        if (scan.measured.at(i, j, k) == 0) continue;
        const std::size_t n = voxel++;
        const Index3 at = {i - corner[0], j - corner[1], k - corner[2]};
        bool inside = true;
        for (std::size_t d = 0; d < 3; ++d) {
          inside = inside && at[d] >= 0 && at[d] < output.size(static_cast<std::int64_t>(d) + 2);
        }
        if (!inside) continue;
        const double none = p[0][0][at[0]][at[1]][at[2]];
        const double one = p[0][1][at[0]][at[1]][at[2]];
        const double two = p[0][2][at[0]][at[1]][at[2]];
        largest = larger(largest, of_pass[0][n] - std::log((one + two) / none));
        largest = larger(largest, of_pass[1][n] - std::log(two / (none + one)));
      }
    }
  }
  return largest;
}

}  // namespace

Bundle tiny_bundle(const std::vector<TinyNetwork>& networks) {
  const auto folder = folder_of_test();
  write_tiny_bundle(folder, networks.front());
  Bundle bundle = read_bundle(folder);
  if (networks.size() == 1) return bundle;
  bundle.networks.clear();
  for (std::size_t n = 0; n < networks.size(); ++n) {
    TinyNetwork network = networks[n];
    network.seed += static_cast<unsigned>(n);
    bundle.networks.push_back({"network_" + std::to_string(n) + ".pt", ""});
    save_network(network, folder / bundle.networks.back().file);
  }
  return bundle;
}

PreparedScan random_scan(const Index3& size, unsigned seed) {
  PreparedScan scan;
  scan.grid.size = size;
  std::mt19937 generator(seed);
  std::normal_distribution<float> intensity;
  scan.brain = Image<std::uint8_t>(scan.grid);
  for (int channel = 0; channel < 2; ++channel) scan.channels.emplace_back(scan.grid);
  for (std::size_t i = 0; i < scan.brain.values.size(); ++i) {
    scan.brain.values[i] = generator() % 3 != 0 ? 1 : 0;
    for (auto& channel : scan.channels) {
      channel.values[i] = scan.brain.values[i] != 0 ? intensity(generator) : 0.0F;
    }
  }
  scan.measured = scan.brain;
  return scan;
}

KeepingSink::KeepingSink(int passes, std::size_t regions, std::size_t voxels)
    : values_(static_cast<std::size_t>(passes),
              std::vector<std::vector<float>>(regions, std::vector<float>(voxels, NAN))) {}

void KeepingSink::accept(const LogitBlock& block) {
  const std::lock_guard lock(mutex_);
  std::size_t next = 0;
  for (int pass = 0; pass < block.pass_count; ++pass) {
    for (int region = 0; region < block.region_count; ++region) {
      for (const std::int64_t voxel : block.voxels) {
        auto& value = values_.at(static_cast<std::size_t>(block.first_pass + pass))
                          .at(static_cast<std::size_t>(region))
                          .at(static_cast<std::size_t>(voxel));
        EXPECT_TRUE(std::isnan(value)) << "given twice";
        value = block.logits[next++];
      }
    }
  }
}

Logits logits_of(Segmenter& segmenter, const Bundle& bundle, const PreparedScan& scan,
                 const PassRequest& request) {
  return logits_in_parts(segmenter, bundle, scan, {request});
}

Logits logits_in_parts(Segmenter& segmenter, const Bundle& bundle, const PreparedScan& scan,
                       const std::vector<PassRequest>& requests) {
  const auto voxels = static_cast<std::size_t>(
      std::count(scan.measured.values.begin(), scan.measured.values.end(), 1));
  const PassRequest& last = requests.back();
  const int more = last.without_dropout ? static_cast<int>(bundle.networks.size()) : 0;
  KeepingSink sink(last.end() + more, bundle.regions.size(), voxels);
  StageTimings timings;
  for (const PassRequest& request : requests) {
    EXPECT_TRUE(segmenter.run(
        scan, request, sink, [](double) { return true; }, timings));
  }
  return sink.values();
}

Logits logits_of(const Bundle& bundle, const PreparedScan& scan, const PassRequest& request,
                 int threads, DropoutScope scope) {
  const auto segmenter =
      load_torchscript_segmenter(bundle, {.device = "cpu", .threads = threads, .scope = scope});
  return logits_of(*segmenter, bundle, scan, request);
}

std::size_t differing_values(const Logits& ours, const Logits& others) {
  std::size_t differing = ours.size() == others.size() ? 0 : 1;
  for (std::size_t pass = 0; pass < std::min(ours.size(), others.size()); ++pass) {
    for (std::size_t region = 0; region < ours[pass].size(); ++region) {
      const auto& a = ours[pass][region];
      const auto& b = others[pass].at(region);
      for (std::size_t voxel = 0; voxel < a.size(); ++voxel) {
        const bool same =
            std::bit_cast<std::uint32_t>(a[voxel]) == std::bit_cast<std::uint32_t>(b.at(voxel));
        differing += same && !std::isnan(a[voxel]) ? 0 : 1;
      }
    }
  }
  return differing;
}

double largest_difference_from_whole_graphs(const Logits& logits, const Bundle& bundle,
                                            const PreparedScan& scan, const PassRequest& request,
                                            DropoutScope scope) {
  const auto members = static_cast<int>(bundle.networks.size());
  const Index3 size = bundle.window.output;
  std::vector<DropoutGraph> graphs;
  for (const Bundle::Network& network : bundle.networks) {
    graphs.push_back(load_dropout_graph(bundle.folder / network.file, network.file, scope));
  }
  double largest = 0.0;
  for (std::int64_t z = 0; z < scan.grid.size[2]; z += size[2]) {
    for (std::int64_t y = 0; y < scan.grid.size[1]; y += size[1]) {
      for (std::int64_t x = 0; x < scan.grid.size[0]; x += size[0]) {
        for (int pass = 0; pass < request.passes; ++pass) {
          const int member = pass % members;
          const Index3 corner = {x, y, z};
          const GraphRunner whole(graphs[static_cast<std::size_t>(member)].whole);
          const at::Tensor output =
              whole
                  .run({input_at(scan, corner, size),
                        make_draws({draw_at(request, member, pass, corner)}, 0),
                        at::empty({0}, at::kLong)})
                  .front();
          largest = std::max(largest, difference_in_window(logits[static_cast<std::size_t>(pass)],
                                                           output, scan, corner));
        }
      }
    }
  }
  return largest;
}

}  // namespace mcvol::testing
