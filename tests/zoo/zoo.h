#pragma once

#include "mcvol/network/bundle/bundle.h"

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "network/dropout/dropout_mask.h"
#include <ATen/ATen.h>

// The networks that tests/zoo/make_zoo.py made with PyTorch and MONAI, and what PyTorch gave for
// them (tests/zoo/README.md).

namespace mcvol::testing {

/// One TorchScript export of a network.
struct ZooForm {
  std::string form, mode;  ///< scripted or traced; eval or train
  std::string file;        ///< in fixtures/; empty where PyTorch refused
  std::string error;       ///< why it did
};

struct ZooNetwork {
  std::string name, describes, family;
  std::array<std::int64_t, 4> input{}, output{};  ///< channels, d0, d1, d2
  Bundle::Output::Values values = Bundle::Output::Values::kLogits;
  Bundle::Output::Activation activation = Bundle::Output::Activation::kSoftmax;
  std::vector<std::pair<std::string, double>> dropout;  ///< active layers: operator, rate
  std::vector<DropoutScope> scopes;                     ///< that it can run under
  std::int64_t stride = 1;                              ///< of the values kept
  std::map<std::string, std::string> references;        ///< "identity" or a scope -> array
  std::string refused;                                  ///< what its refusal must say
  std::vector<ZooForm> forms;

  /// A bundle with what a PassRunner reads of it.
  Bundle bundle() const;
};

struct Zoo {
  std::uint64_t seed = 0;
  std::vector<int> passes;
  Index3 window{0, 0, 0};
  std::vector<ZooNetwork> networks;
  nlohmann::json sliding_windows;
};

/// fixtures/zoo.json, read once.
const Zoo& zoo();
std::filesystem::path zoo_file(const std::string& name);
/// An array of a fixture archive, in C order.
const std::vector<double>& zoo_array(const std::string& archive, const std::string& key);
/// The fixed pseudo-random image of a shape [1, channels, d0, d1, d2].
at::Tensor zoo_image(const std::vector<std::int64_t>& shape);

}  // namespace mcvol::testing
