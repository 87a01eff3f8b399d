#include "network/bundle/bundle_fixture.h"

#include "mcvol/error/error.h"

#include <fstream>

#include <gtest/gtest.h>

namespace mcvol::testing {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// read_bundle() does not load the network, only weighs its bytes. SHA-256 of "abc" is the first
// test vector of FIPS 180-2.
constexpr const char* kNetworkBytes = "abc";

}  // namespace

json valid_model() {
  json model = json::parse(R"({
    "format": 1, "name": "tiny",
    "networks": [{"file": "network.pt", "sha256": "?"}],
    "channels": [
      {"name": "t1", "suffixes": ["t1", "T1w"],
       "intensity": {"method": "zscore", "mask": "nonzero", "clip_sd": 3}},
      {"name": "flair", "suffixes": ["flair", "FLAIR"],
       "intensity": {"method": "fixed", "mean": 100, "sd": 25.5, "clip_values": [0, 1000]}}],
    "requires": ["skull_stripped"],
    "grid": {"orientation": "RAS", "axes": "zyx", "spacing_mm": [1, 1.5, 2],
             "interpolation": "bspline"},
    "measure": "all",
    "window": {"input": [30, 32, 34], "output": [10, 12, 34], "overlap": 0, "blend": "none",
               "padding": "replicate", "anchor": "image_corner", "flexible": false},
    "output": {"channels": 5, "values": "logits", "activation": "softmax",
               "labels": [0, 1, 2, null, 4]},
    "regions": [{"name": "whole_tumour", "outputs": [1, 2, 4]},
                {"name": "core", "outputs": [1]}],
    "dropout": {"scope": "native"},
    "licence": "MIT", "provenance": "made up", "warning": "not for patients"
  })");
  model["networks"][0]["sha256"] = kNetworkSha256;
  return model;
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

BundleFolder::BundleFolder(const std::string& model_text) {
  static int count = 0;
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  path_ = fs::path(::testing::TempDir()) /
          ("mcvol_bundle_" + std::string(test->name()) + "_" + std::to_string(++count));
  fs::remove_all(path_);
  fs::create_directories(path_);
  write(path_ / "network.pt", kNetworkBytes);
  write(path_ / "model.json", model_text);
}

BundleFolder::~BundleFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Bundle read(const json& model) { return read_bundle(BundleFolder(model.dump()).path()); }

std::string refusal_of(const std::function<void()>& reading) {
  try {
    reading();
  } catch (const ModelError& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::kUsage);
    return error.what();
  }
  return "";
}

std::string complaint_about(const json& model) {
  const BundleFolder folder(model.dump());
  const std::string message = refusal_of([&] { read_bundle(folder.path()); });
  const std::string file = (folder.path() / "model.json").string() + ": ";
  return message.rfind(file, 0) == 0 ? message.substr(file.size()) : message;
}

}  // namespace mcvol::testing
