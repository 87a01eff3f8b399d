#pragma once

#include "mcvol/network/bundle/bundle.h"

#include <filesystem>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

namespace mcvol::testing {

/// SHA-256 of the network's bytes in a BundleFolder.
inline constexpr const char* kNetworkSha256 =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A model.json that is accepted and has every field; most are not what they would be left out.
nlohmann::json valid_model();

void write(const std::filesystem::path& path, const std::string& text);

/// A fresh folder with the network and `model_text` as model.json.
class BundleFolder {
 public:
  explicit BundleFolder(const std::string& model_text);
  ~BundleFolder();
  BundleFolder(const BundleFolder&) = delete;
  BundleFolder& operator=(const BundleFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The bundle of a folder with this model.json.
Bundle read(const nlohmann::json& model);

/// The message of the ModelError reading throws; empty where it throws none.
std::string refusal_of(const std::function<void()>& reading);

/// What the refusal of `model` says after the file's name.
std::string complaint_about(const nlohmann::json& model);

}  // namespace mcvol::testing
