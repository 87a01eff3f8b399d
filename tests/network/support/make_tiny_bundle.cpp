// make_tiny_bundle <folder> [<network> <seed>]: a bundle for the command-line tests to run, of the
// pointwise, skinny or spatial network with weights of that seed.
#include <iostream>
#include <string>

#include "network/support/tiny_network.h"

int main(int argc, char** argv) {
  using mcvol::testing::TinyNetwork;
  const std::string name = argc > 2 ? argv[2] : "pointwise";
  if ((argc != 2 && argc != 4) || (name != "pointwise" && name != "skinny" && name != "spatial")) {
    std::cerr << "usage: make_tiny_bundle FOLDER [pointwise|skinny|spatial SEED]\n";
    return 2;
  }
  TinyNetwork network = name == "pointwise" ? mcvol::testing::pointwise_network()
                        : name == "skinny"  ? mcvol::testing::skinny_network()
                                            : mcvol::testing::spatial_network();
  if (argc > 3) network.seed = static_cast<unsigned>(std::stoul(argv[3]));
  mcvol::testing::write_tiny_bundle(argv[1], network);
  return 0;
}
