#include "network_description.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <string>

#include "network/graph/dropout_graph.h"

namespace mcvol {
namespace {

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

/// The first ones, where there are many.
std::string named(const std::vector<DropoutLayer>& layers) {
  constexpr std::size_t kNamed = 4;
  std::string names;
  for (std::size_t n = 0; n < std::min(layers.size(), kNamed); ++n) {
    names += (n == 0 ? "" : ", ") + layers[n].kind + " '" + layers[n].where + "'";
  }
  if (layers.size() > kNamed) names += " and " + std::to_string(layers.size() - kNamed) + " more";
  return names;
}

}  // namespace

void describe_networks(const std::vector<PassRunner>& networks, NetworkSummary& summary) {
  const bool alone = networks.size() == 1;
  bool any_dropout = false;
  for (const PassRunner& network : networks) {
    const DropoutGraph& graph = network.graph();
    if (alone) require_active_dropout(graph, network.file());
    any_dropout = any_dropout || graph.suffix != nullptr;
    const std::string prefix = alone ? "" : network.file() + ": ";
    for (DropoutLayer layer : graph.layers) {
      layer.where = prefix + layer.where;
      summary.dropout.push_back(layer);
    }
    if (!graph.split_at.empty()) {
      summary.split_at += (summary.split_at.empty() ? "" : ", ") + prefix + graph.split_at;
    }
    for (const std::string& note : graph.notes) summary.notes.push_back(prefix + note);
    summary.prefix_operators += graph.prefix_operators;
    summary.suffix_operators += graph.suffix_operators;
  }
  if (!any_dropout) {
    summary.notes.push_back(
        "No network of the ensemble has active dropout: passes beyond the first " +
        std::to_string(networks.size()) + " repeat them.");
  }
}

void judge_dropout(const PassRunner& network, bool alone, NetworkSummary& summary) {
  if (!network.graph().suffix) return;
  const std::string prefix = alone ? "" : network.file() + ": ";
  std::vector<DropoutLayer> run, not_run;
  for (const DropoutLayer& layer : network.graph().layers) {
    if (layer.id < 0) continue;
    const bool came_by = network.cost().layers_run.contains(layer.id);
    (came_by ? run : not_run).push_back(layer);
  }
  std::string reason;
  if (run.empty()) {
    reason = "no dropout layer runs on a window of noise (in branches that are not taken: " +
             named(not_run) + ")";
  } else if (!network.cost().dropout_matters) {
    reason = "its output is the same whether nothing or everything is dropped (" + named(run) + ")";
  }
  const bool drops_all = !run.empty() && std::all_of(run.begin(), run.end(), [](const auto& layer) {
    return layer.rate >= 1.0;
  });
  if (drops_all) reason = "all of its dropout has rate 1 (" + named(run) + ")";
  if (!reason.empty() && alone) {
    throw ModelError(network.file() + ": " + reason + ", so its passes would all be equal; " +
                     (run.empty()
                          ? "export the network so that its dropout runs (trace it in train "
                            "mode)"
                          : "export it with dropout that its output depends on"));
  }
  if (!reason.empty()) {
    summary.notes.push_back(prefix + "Its passes are all equal: " + reason + ".");
  } else if (!not_run.empty()) {
    summary.notes.push_back(
        prefix + "On a window of noise these dropout layers do not run: " + named(not_run) + ".");
  }
  for (const DropoutLayer& layer : not_run) {
    for (DropoutLayer& shown : summary.dropout) {
      if (shown.id == layer.id && shown.where == prefix + layer.where) {
        shown.fate = "in a branch that is not taken on a window of noise";
      }
    }
  }
}

}  // namespace mcvol
