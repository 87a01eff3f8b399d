#include "reference_reader.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"
#include "mcvol/io/images/image_endings.h"
#include "mcvol/io/maps/saved_segmentations.h"

#include <algorithm>
#include <system_error>

namespace mcvol {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Which label values each region of the model is made of.
LabelMeaning label_meaning_of(const json& model, const std::map<int, int>& remapped) {
  if (model.at("output").value("activation", "") == "sigmoid") {
    // Its regions overlap, so that a label does not say which of them a voxel belongs to.
    throw UsageError(
        "the model's regions overlap (activation sigmoid), and label maps do not say which labels "
        "make up each; give their volumes as a table (case_id, region, volume_ml) and no label "
        "maps");
  }
  const json& labels = model.at("output").at("labels");
  LabelMeaning meaning;
  meaning.remapped = remapped;
  for (const json& region : model.at("regions")) {
    LabelMeaning::Region of_region;
    of_region.name = region.at("name");
    for (const json& output : region.at("outputs")) {
      const json& label = labels.at(output.get<std::size_t>());
      if (!label.is_null()) of_region.labels.insert(label.get<int>());
    }
    meaning.regions.push_back(std::move(of_region));
  }
  return meaning;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// What stays of a name when spreadsheets and file systems have had their way with it: without
/// zeros that begin a number, blanks, capitals and the ending of an image.
std::string essence_of(const std::string& name) {
  const std::string stem = image_stem(name);
  std::string kept;
  for (const char c : lower_case(stem.empty() ? name : stem)) {
    if (c == ' ' || c == '\t') continue;
    kept += c;
  }
  std::string essence;
  for (std::size_t n = 0; n < kept.size(); ++n) {
    const bool begins = n == 0 || !is_digit(kept[n - 1]);
    const bool goes_on = n + 1 < kept.size() && is_digit(kept[n + 1]);
    if (begins && kept[n] == '0' && goes_on) {
      kept.erase(n, 1);
      --n;
      continue;
    }
    essence += kept[n];
  }
  return essence;
}

}  // namespace

ReferenceReader::ReferenceReader(const ReferenceSource& source, const json& model)
    : source_(source) {
  std::error_code error;
  if (fs::is_directory(source.path, error)) {
    if (!source.segmentations.empty()) {
      throw UsageError("--segmentations goes with a table of references; " + source.path.string() +
                       " is a folder of label maps, which know the Dice by themselves");
    }
    label_maps_ = source.path;
    meaning_ = label_meaning_of(model, source.label_map);
    const std::vector<std::string> ids = label_map_case_ids(source.path);
    ids_.insert(ids.begin(), ids.end());
    return;
  }
  if (!fs::exists(source.path, error)) {
    throw UsageError(source.path.string() + ": no such file or folder of references");
  }
  if (!source.segmentations.empty()) {
    if (!fs::is_directory(source.segmentations, error)) {
      throw UsageError(source.segmentations.string() + ": no such folder of label maps");
    }
    label_maps_ = source.segmentations;
    meaning_ = label_meaning_of(model, source.label_map);
  } else if (!source.label_map.empty()) {
    throw UsageError("--label-map goes with label maps; " + source.path.string() + " is a table");
  }
  is_table_ = true;
  ReferenceTable table = read_reference_table(source.path);
  table_ = std::move(table.volumes);
  readings_ = std::move(table.readings);
  for (const auto& [key, volume] : table_) ids_.insert(key.first);
}

ReferenceReader::OfCase ReferenceReader::volumes_of(const CaseRecord& record,
                                                    const fs::path& folder) const {
  OfCase of_case;
  if (meaning_ && (!is_table() || knows(record.case_id))) read_labels(record, folder, of_case);
  for (auto entry = table_.lower_bound({record.case_id, ""});
       entry != table_.end() && entry->first.first == record.case_id; ++entry) {
    of_case.regions_ml[entry->first.second] = entry->second;
  }
  return of_case;
}

void ReferenceReader::read_labels(const CaseRecord& record, const fs::path& folder,
                                  OfCase& of_case) const {
  const auto path = find_label_map(label_maps_, record.case_id);
  if (!path) {
    of_case.labels.why_no_dice = label_maps_.string() + ": no label map of " + record.case_id;
    return;
  }
  // Records and labels have the regions of the model in its order.
  const auto segmentations = source_.dice ? saved_segmentations(folder, record) : std::nullopt;
  const bool comparable = segmentations && segmentations->size() == meaning_->regions.size();
  try {
    of_case.labels = volumes_of_label_map(*path, *meaning_,
                                          comparable ? *segmentations : std::vector<fs::path>{});
  } catch (const InputError& error) {
    if (!is_table()) throw;
    of_case.labels.why_no_dice = error.what();
  }
  if (is_table()) return;
  for (std::size_t r = 0; r < meaning_->regions.size(); ++r) {
    of_case.regions_ml[meaning_->regions[r].name] = of_case.labels.regions_ml[r];
  }
}

std::map<std::string, int> ReferenceReader::regions() const {
  std::map<std::string, int> rows;
  for (const auto& [key, volume] : table_) ++rows[key.second];
  return rows;
}

std::vector<std::string> ReferenceReader::notes_of_labels(
    const std::vector<ReferencedCase>& cases) const {
  std::vector<std::string> notes;
  if (!meaning_ || cases.empty()) return notes;
  std::set<int> values, labels;
  for (const ReferencedCase& one : cases) {
    values.insert(one.values.begin(), one.values.end());
    for (const auto& [label, volume_ml] : one.labels_ml) labels.insert(label);
  }
  // Beside a table there may be none of any case.
  if (is_table() && values.empty()) return notes;
  const std::string none = label_maps_.string() + ": no label map holds ";
  for (const auto& [value, label] : meaning_->remapped) {
    if (values.contains(value)) continue;
    notes.push_back(none + "the value " + std::to_string(value) + " of --label-map " +
                    std::to_string(value) + "=" + std::to_string(label));
  }
  for (const LabelMeaning::Region& region : meaning_->regions) {
    std::vector<std::string> of_region;
    for (const int label : region.labels) of_region.push_back(std::to_string(label));
    const bool held = std::any_of(region.labels.begin(), region.labels.end(),
                                  [&](int label) { return labels.contains(label); });
    if (held) continue;
    notes.push_back(none + "a label of " + region.name + " (" + joined(of_region) + "), so that " +
                    (is_table() ? "none overlaps with it" : "its references are all 0 ml") +
                    "; --label-map says what other values stand for");
  }
  return notes;
}

std::string describe_mismatch(const std::set<std::string>& expected,
                              const std::set<std::string>& found) {
  std::map<std::string, std::string> by_essence;
  for (const std::string& name : expected) by_essence.emplace(essence_of(name), name);
  for (const std::string& name : found) {
    const auto alike = by_essence.find(essence_of(name));
    if (alike == by_essence.end()) continue;
    return "\"" + name + "\" there is \"" + alike->second +
           "\" here but for zeros, blanks, capitals or an ending; write them alike";
  }
  return "such as \"" + *found.begin() + "\" there and \"" + *expected.begin() +
         "\" here; write them alike";
}

}  // namespace mcvol
