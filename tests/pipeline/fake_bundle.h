#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace mcvol::testing {

/// A folder of its own for the running test, or in SetUpTestSuite() for the suite, empty.
std::filesystem::path fresh_folder(const std::string& name);

/// A bundle with channels t1 and flair (suffixes of the same names) and regions "whole" and
/// "core", whose network is no network: good for everything that loads none.
/// @param change last words on its model.json.
void write_fake_bundle(const std::filesystem::path& folder,
                       const std::function<void(nlohmann::json& model)>& change = {});

/// For `change`: an ensemble of `count` networks, whose files are written to `folder`.
void make_fake_ensemble(const std::filesystem::path& folder, int count, nlohmann::json& model);

/// Writes `<folder>/<id>/<id>_<channel>.nii.gz` for each channel: a ball of `radius` voxels with
/// intensities that depend on `variant`, 0 around it, on a 12x12x12 grid of 2 mm.
void write_fake_scan(const std::filesystem::path& folder, const std::string& case_id,
                     int variant = 0, double radius = 4.0,
                     const std::vector<std::string>& channels = {"t1", "flair"});

}  // namespace mcvol::testing
