#pragma once

#include "mcvol/network/bundle/bundle.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace mcvol {

/// What a run was asked for that decides on its numbers, besides the bundle.
struct IdentityOptions {
  DropoutScope scope = DropoutScope::kChannel;  ///< as resolved
  std::uint64_t seed = 0;
  int passes = 20;
  std::optional<double> mc_tolerance;                 ///< in place of a number of passes
  std::string precision = "fp32";                     ///< as resolved: never "auto"
  std::int64_t memory_bytes = std::int64_t{4} << 30;  ///< counts where the window is flexible
  int numerics = 1;                                   ///< numerics_of() the precision, from 1
};

/// The run identity: everything that decides on the numbers of a record but the scan itself
/// (network sha256s, model.json less its texts, scope, seed, passes or their tolerance, precision,
/// window). Records of one result folder share it. Level, calibration, threads, batch and device
/// are no part of it; the memory allowed is where it decides on the window, which is where the
/// bundle's is flexible.
///
/// Goes into RunFile::identity as it is. Numbers are written in one way (3.0 as 3), so that equal
/// identities have equal bytes.
nlohmann::json run_identity_of(const Bundle& bundle, const IdentityOptions& options);

/// SHA-256 of an identity: CaseRecord::run_identity.
std::string sha256_of_identity(const nlohmann::json& identity);

/// The first field, in the order a user would look, in which two identities differ.
struct IdentityDifference {
  std::string field;  ///< "passes", "model.channels[0].name"
  std::string first;  ///< its value in either, as JSON; "nothing" where it is missing
  std::string second;
};

/// None where the identities are the same.
std::optional<IdentityDifference> difference(const nlohmann::json& first,
                                             const nlohmann::json& second);

/// To be asked before a run goes on in a folder that holds results.
/// @throws UsageError naming the folder, the field and both values, unless they are the same.
void require_same_identity(const std::filesystem::path& folder, const nlohmann::json& recorded,
                           const nlohmann::json& now);

}  // namespace mcvol
