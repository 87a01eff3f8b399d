#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <vector>

#include "network/passes/pass_runner.h"

namespace mcvol {

/// What loading the networks of a bundle found, before any of them runs.
/// @throws ModelError where one alone has no active dropout.
void describe_networks(const std::vector<PassRunner>& networks, NetworkSummary& summary);

/// What its trial found about a network's dropout: layers in branches that are not taken are named;
/// one whose passes would all be equal is refused where it is `alone`, noted in an ensemble.
/// @pre the network has been probed. @throws ModelError
void judge_dropout(const PassRunner& network, bool alone, NetworkSummary& summary);

}  // namespace mcvol
