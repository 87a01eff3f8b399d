#pragma once

#include "mcvol/analysis/referenced_results.h"
#include "mcvol/io/records/case_record.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mcvol {

/// Reference volumes of one case by region, from a table or its label map.
class ReferenceReader {
 public:
  struct OfCase {
    std::map<std::string, double> regions_ml;
    LabelMapVolumes labels;  ///< of its label map
  };

  /// @param model of run.json. @throws UsageError.
  ReferenceReader(const ReferenceSource& source, const nlohmann::json& model);

  /// @param folder that the record is in, and its saved segmentations where there are some.
  OfCase volumes_of(const CaseRecord& record, const std::filesystem::path& folder) const;
  bool is_table() const { return is_table_; }
  bool has_label_maps() const { return meaning_.has_value(); }
  bool knows(const std::string& case_id) const { return ids_.contains(case_id); }
  /// Cases of the table or folder.
  const std::set<std::string>& case_ids() const { return ids_; }
  /// Of the table, and how many rows each has.
  std::map<std::string, int> regions() const;
  /// ReferenceTable::readings.
  const std::string& readings() const { return readings_; }
  /// What is to be said of values and labels that no label map holds.
  std::vector<std::string> notes_of_labels(const std::vector<ReferencedCase>& cases) const;

 private:
  const ReferenceSource& source_;
  /// Fills in what the case's label map says, and of references that are no table its volumes.
  /// @throws InputError for one that cannot be read, but not beside a table, where that costs the
  ///   Dice alone.
  void read_labels(const CaseRecord& record, const std::filesystem::path& folder,
                   OfCase& of_case) const;

  bool is_table_ = false;
  std::filesystem::path label_maps_;     ///< the folder of them, where there is one
  std::optional<LabelMeaning> meaning_;  ///< of label maps
  References table_;
  std::string readings_;
  std::set<std::string> ids_;
};

/// What is to be said of names on two sides that match nothing on the other: an example of each,
/// of two that differ only by zeros, blanks, capitals or an ending where there are such.
/// @param expected names that lack a match. @param found names of the references that do.
std::string describe_mismatch(const std::set<std::string>& expected,
                              const std::set<std::string>& found);

}  // namespace mcvol
