// make_tiny_bundle <folder> [<network> <seed>]: a bundle for the command-line tests to run, of the
// pointwise, skinny, spatial or threshold network with weights of that seed.
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include "network/support/tiny_network.h"

int main(int argc, char** argv) {
  using mcvol::testing::TinyNetwork;
  const std::map<std::string, std::function<TinyNetwork()>> networks{
      {"pointwise", mcvol::testing::pointwise_network},
      {"skinny", mcvol::testing::skinny_network},
      {"spatial", mcvol::testing::spatial_network},
      {"threshold", mcvol::testing::threshold_network}};
  const auto chosen = networks.find(argc > 2 ? argv[2] : "pointwise");
  if ((argc != 2 && argc != 4) || chosen == networks.end()) {
    std::cerr << "usage: make_tiny_bundle FOLDER [pointwise|skinny|spatial|threshold SEED]\n";
    return 2;
  }
  TinyNetwork network = chosen->second();
  if (argc > 3) network.seed = static_cast<unsigned>(std::stoul(argv[3]));
  mcvol::testing::write_tiny_bundle(argv[1], network);
  return 0;
}
