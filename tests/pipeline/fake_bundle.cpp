#include "pipeline/fake_bundle.h"

#include "mcvol/files/sha256.h"
#include "mcvol/files/text_file.h"
#include "mcvol/image/image.h"
#include "mcvol/io/images/image_file.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace mcvol::testing {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kSize = 12;
constexpr double kSpacing_mm = 2.0;

nlohmann::json channel(const std::string& name) {
  return {{"name", name},
          {"suffixes", {name}},
          {"intensity", {{"method", "zscore"}, {"mask", "nonzero"}}}};
}

}  // namespace

fs::path fresh_folder(const std::string& name) {
  const auto* tests = ::testing::UnitTest::GetInstance();
  std::string of = tests->current_test_suite()->name();
  if (tests->current_test_info() != nullptr)
    of += std::string("_") + tests->current_test_info()->name();
  const fs::path folder = fs::path(::testing::TempDir()) /
                          ("mcvol_" + std::to_string(getpid()) + "_" + of + "_" + name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

void write_fake_bundle(const fs::path& folder,
                       const std::function<void(nlohmann::json& model)>& change) {
  const std::string network = "no network, but bytes with a hash";
  write_file_atomically(folder / "network.pt", network);
  nlohmann::json model;
  model["format"] = 1;
  model["name"] = "fake";
  model["networks"] = {{{"file", "network.pt"}, {"sha256", sha256_of_bytes(network)}}};
  model["channels"] = {channel("t1"), channel("flair")};
  model["requires"] = {"skull_stripped"};
  model["grid"] = {{"orientation", "LPS"},
                   {"axes", "xyz"},
                   {"spacing_mm", nullptr},
                   {"interpolation", "linear"}};
  model["measure"] = "mask";
  model["window"] = {{"input", {8, 8, 8}}, {"output", {8, 8, 8}}, {"overlap", 0},
                     {"blend", "none"},    {"padding", "zero"},   {"anchor", "mask_corner"},
                     {"flexible", false}};
  model["output"] = {
      {"channels", 3}, {"values", "logits"}, {"activation", "softmax"}, {"labels", {0, 1, 2}}};
  model["regions"] = {{{"name", "whole"}, {"outputs", {1, 2}}},
                      {{"name", "core"}, {"outputs", {2}}}};
  model["dropout"] = {{"scope", "channel"}};
  model["licence"] = "none";
  model["provenance"] = "made by a test";
  model["warning"] = "";
  if (change) change(model);
  write_file_atomically(folder / "model.json", model.dump(2));
}

void make_fake_ensemble(const fs::path& folder, int count, nlohmann::json& model) {
  model["networks"] = nlohmann::json::array();
  for (int n = 0; n < count; ++n) {
    const std::string file = "network_" + std::to_string(n) + ".pt";
    write_file_atomically(folder / file, file);
    model["networks"].push_back({{"file", file}, {"sha256", sha256_of_bytes(file)}});
  }
}

void write_fake_scan(const fs::path& folder, const std::string& case_id, int variant, double radius,
                     const std::vector<std::string>& channels) {
  Grid grid;
  grid.size = {kSize, kSize, kSize};
  grid.spacing_mm = Eigen::Vector3d::Constant(kSpacing_mm);
  const double centre = (kSize - 1) / 2.0;
  for (std::size_t n = 0; n < channels.size(); ++n) {
    Image<float> image(grid);
    for (std::int64_t k = 0; k < kSize; ++k) {
      for (std::int64_t j = 0; j < kSize; ++j) {
        for (std::int64_t i = 0; i < kSize; ++i) {
          const double x = i - centre, y = j - centre, z = k - centre;
          if (x * x + y * y + z * z > radius * radius) continue;
          const auto pattern = (i * 7 + j * 3 + k * 5 + variant * 11 + static_cast<int>(n)) % 17;
          image.at(i, j, k) = static_cast<float>(100 + pattern);
        }
      }
    }
    fs::create_directories(folder / case_id);
    write_image(folder / case_id / (case_id + "_" + channels[n] + ".nii.gz"), image);
  }
}

}  // namespace mcvol::testing
