#include "mcvol/analysis/calibration_use.h"
#include "mcvol/analysis/run_identity.h"
#include "mcvol/calibration/nominal_coverage.h"
#include "mcvol/cli/config_file.h"
#include "mcvol/cli/option_values.h"
#include "mcvol/cli/predict_command.h"
#include "mcvol/error/error.h"
#include "mcvol/files/csv.h"
#include "mcvol/files/sha256.h"
#include "mcvol/io/images/image_source.h"
#include "mcvol/io/maps/map_choice.h"
#include "mcvol/io/scans/manifest.h"
#include "mcvol/io/tables/change_table.h"
#include "mcvol/io/tables/pairs.h"
#include "mcvol/io/tables/references.h"
#include "mcvol/network/bundle/bundle.h"
#include "mcvol/pipeline/predict_plan.h"
#include "mcvol/pipeline/shard.h"

#include <cmath>
#include <string>
#include <vector>

#include "targets.h"
#include <CLI/CLI.hpp>

namespace mcvol::fuzz {
namespace {

namespace fs = std::filesystem;

/// What every network of a bundle is: the corpus has its sha256.
constexpr std::string_view kNetwork = "a network";

fs::path put_table(std::string_view bytes, const fs::path& folder) {
  put_file(folder / "table.csv", bytes);
  return folder / "table.csv";
}

/// As if a word of the command line. @returns whether it was taken.
template <typename Read>
bool takes(Read read) {
  try {
    read();
  } catch (const UsageError&) {
    return false;
  }
  return true;
}

}  // namespace

void read_a_bundle(std::string_view bytes, const fs::path& folder) {
  put_file(folder / "network.pt", kNetwork);
  put_file(folder / "model.json", bytes);
  const Bundle bundle = read_bundle(folder);
  use([&] {
    for (const std::int64_t step : bundle.window.step()) require(step >= 1, "windows move on");
    const std::int64_t most = bundle.window.most_over_a_voxel();
    require(most >= 1 && most <= Bundle::Window::kMostBlended,
            "outputs over a voxel can be summed");
    preparation_of(bundle);
    channel_patterns(bundle);
    region_names(bundle);
    IdentityOptions options;
    options.scope = bundle.scope;
    sha256_of_identity(run_identity_of(bundle, options));
  });
}

void read_a_configuration(std::string_view bytes, const fs::path& folder) {
  put_file(folder / "mcvol.toml", bytes);
  const std::vector<ConfigEntry> entries = parse_config(std::string(bytes), "mcvol.toml");
  for (const ConfigEntry& entry : entries) {
    require(entry.values.size() == entry.kinds.size() && entry.line > 0, "entries are whole");
  }
  CLI::App program;
  PredictCommand predict;
  predict.setup(program);
  try {
    apply_config(folder / "mcvol.toml", *program.get_subcommand("predict"));
  } catch (const CLI::Error&) {
    // What command_line.cpp reports as a value that does not fit.
  }
}

void read_references(std::string_view bytes, const fs::path& folder) {
  for (const auto& [key, volume_ml] : read_reference_table(put_table(bytes, folder)).volumes) {
    require(volume_ml >= 0 && std::isfinite(volume_ml), "reference volumes are numbers from 0");
  }
}

void read_scan_pairs(std::string_view bytes, const fs::path& folder) {
  require(!read_pairs(put_table(bytes, folder)).empty(), "no pair is refused");
}

void read_a_change_table(std::string_view bytes, const fs::path& folder) {
  const std::vector<ChangeRow> rows = read_change_table(put_table(bytes, folder));
  use([&] {
    const std::string text = change_csv(rows);
    require(read_change_table(put_table(text, folder)).size() == rows.size(),
            "a table of changes is read as it was written");
  });
}

void read_scans_of_a_manifest(std::string_view bytes, const fs::path& folder) {
  const std::vector<ChannelPattern> channels{{"t1", {"t1"}, {}}, {"flair", {"flair"}, {}}};
  put_file(folder / "a_t1.nii.gz", "t1");
  put_file(folder / "a_flair.nii", "flair");
  const Manifest manifest = read_manifest(put_table(bytes, folder), channels);
  for (const ScanCase& scan : manifest.cases) {
    require(scan.error.empty() == (scan.channel_files.size() == 2), "a case is whole or says why");
  }
}

void read_words_of_options(std::string_view bytes, const fs::path&) {
  const std::string word(bytes);
  takes([&] { Shard::parse(word); });
  shard_from_folder_name(word);
  takes([&] { MapChoice::parse({word}); });
  takes([&] { CalibrationChoice::parse(word); });
  takes([&] { parse_levels({word}); });
  takes([&] { parse_label_mapping(word); });
  takes([&] { whole_number_from<std::uint64_t>("--seed", word, 0, UINT64_MAX); });
  takes([&] { number_from("--x", word, 0.0, 1.0); });
  takes([&] { threads_from(word); });
  image_source_from(word);
  is_valid_case_id(word);
  const CsvTable table = parse_csv("a,b\n" + csv_field(word) + ",2\n", "table");
  require(table.records.size() == 1, "a field is read back from its own text");
}

}  // namespace mcvol::fuzz
