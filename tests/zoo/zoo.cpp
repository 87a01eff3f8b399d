#include "zoo/zoo.h"

#include <fstream>

#include "support/npz.h"
#include <nlohmann/json.hpp>

namespace mcvol::testing {
namespace {

using nlohmann::json;

std::array<std::int64_t, 4> shape_of(const json& value) {
  return value.get<std::array<std::int64_t, 4>>();
}

ZooNetwork network_of(const json& value) {
  ZooNetwork network;
  network.name = value.at("name");
  network.describes = value.at("describes");
  network.family = value.at("family");
  network.input = shape_of(value.at("input"));
  network.refused = value.value("refused", "");
  for (const json& form : value.at("forms")) {
    network.forms.push_back(
        {form.at("form"), form.at("mode"), form.value("file", ""), form.value("error", "")});
  }
  if (!network.refused.empty()) {
    network.output = network.input;
    return network;
  }
  network.output = shape_of(value.at("output"));
  network.values = value.at("values") == "logits" ? Bundle::Output::Values::kLogits
                                                  : Bundle::Output::Values::kProbabilities;
  network.activation = value.at("activation") == "softmax" ? Bundle::Output::Activation::kSoftmax
                                                           : Bundle::Output::Activation::kSigmoid;
  for (const json& layer : value.at("dropout")) {
    network.dropout.emplace_back(layer.at("kind"), layer.at("rate"));
  }
  for (const json& scope : value.at("scopes")) {
    network.scopes.push_back(dropout_scope_from(scope));
  }
  network.stride = value.at("stride");
  network.references = value.at("references").get<std::map<std::string, std::string>>();
  return network;
}

}  // namespace

std::filesystem::path zoo_file(const std::string& name) {
  return std::filesystem::path(MCVOL_ZOO_FIXTURES) / name;
}

const Zoo& zoo() {
  static const Zoo read = [] {
    std::ifstream file(zoo_file("zoo.json"));
    const json whole = json::parse(file);
    Zoo zoo;
    zoo.seed = whole.at("seed");
    zoo.passes = whole.at("passes").get<std::vector<int>>();
    zoo.window = whole.at("window").get<Index3>();
    for (const json& network : whole.at("networks")) zoo.networks.push_back(network_of(network));
    zoo.sliding_windows = whole.value("sliding_windows", json::array());
    return zoo;
  }();
  return read;
}

const std::vector<double>& zoo_array(const std::string& archive, const std::string& key) {
  static std::map<std::string, std::map<std::string, NpzArray>> archives;
  auto found = archives.find(archive);
  if (found == archives.end()) {
    found = archives.emplace(archive, read_npz(zoo_file(archive))).first;
  }
  return found->second.at(key).values;
}

at::Tensor zoo_image(const std::vector<std::int64_t>& shape) {
  at::Tensor image = at::empty(shape, at::kFloat);
  std::vector<std::uint32_t> words(static_cast<std::size_t>(image.numel()));
  MaskStream({.seed = 20181126}, 65535, MaskSharing::kChannel).fill(0, words);
  float* value = image.data_ptr<float>();
  for (const std::uint32_t word : words) {
    *value++ = static_cast<float>(word >> 8) / 8388608.0F - 1.0F;
  }
  return image;
}

Bundle ZooNetwork::bundle() const {
  Bundle bundle;
  bundle.folder = zoo_file("");
  bundle.channels.resize(static_cast<std::size_t>(input[0]));
  for (std::size_t d = 0; d < 3; ++d) {
    bundle.window.input[d] = input[d + 1];
    bundle.window.output[d] = output[d + 1];
  }
  bundle.output.channels = static_cast<int>(output[0]);
  bundle.output.values = values;
  bundle.output.activation = activation;
  for (int channel = 0; channel < bundle.output.channels; ++channel) {
    bundle.output.labels.emplace_back(channel);
    const bool alone = activation == Bundle::Output::Activation::kSigmoid;
    if (alone || channel > 0) bundle.regions.push_back({"r" + std::to_string(channel), {channel}});
  }
  return bundle;
}

}  // namespace mcvol::testing
