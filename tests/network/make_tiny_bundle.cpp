// make_tiny_bundle <folder>: the bundle the command-line tests run.
#include <iostream>

#include "network/tiny_network.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_tiny_bundle FOLDER\n";
    return 2;
  }
  mcvol::testing::write_tiny_bundle(argv[1]);
  return 0;
}
