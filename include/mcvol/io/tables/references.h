#pragma once

#include "mcvol/error/error.h"

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mcvol {

/// Known volumes, by case_id and region, in ml.
using References = std::map<std::pair<std::string, std::string>, double>;

/// References of a table, one of each case and region.
struct ReferenceTable {
  References volumes;
  /// What stands for the readings where the table has several, or how far they scatter; a line for
  /// the user, empty of plain references.
  std::string readings;
};

/// Reads the columns case_id, region and volume_ml of a CSV file; others are passed over but two:
/// - `rater`: a row is that rater's reading. One rater of each case is drawn among those who read
///   most of its regions (atom_uniform() of case_id and the rater), so that cases stay
///   exchangeable; of a region that they did not read another.
/// - `volume_sd_ml`: the standard deviation of readings around volume_ml, from 0. A reading is
/// drawn,
///   volume_ml + volume_sd_ml z, z normal (atom_uniform() of case_id and region), at least 0.
/// Either way what is calibrated on is a reading, and an interval holds a new one
/// (docs/intervals.md).
/// @throws UsageError naming file and line: a column missing, both of these, a number that is none,
/// a
///   rater without a name, a case and region (and rater) given twice, a table of mcvol's own, whose
///   volumes nobody knows. @throws Error when it cannot be read.
ReferenceTable read_reference_table(const std::filesystem::path& path);

/// What the values of a label map stand for.
struct LabelMeaning {
  struct Region {
    std::string name;
    std::set<int> labels;
  };
  std::vector<Region> regions;
  std::map<int, int> remapped;  ///< value in the file -> value of the model
};

/// The label map of a case in a folder: `<case_id>`, `<case_id>_seg` or `<case_id>-seg` with one of
/// kImageEndings, in it or in its folder `<case_id>`. None where there is none.
/// @throws UsageError for several.
std::optional<std::filesystem::path> find_label_map(const std::filesystem::path& folder,
                                                    const std::string& case_id);

struct LabelMapVolumes {
  std::vector<double> regions_ml;   ///< in the order of the meaning
  std::map<int, double> labels_ml;  ///< by label of the model; background left out
  std::set<int> values;             ///< of the file, 0 left out
  /// Dice similarity coefficients 2 |A and B| / (|A| + |B|) of its regions A with segmentations B
  /// of them, 1 where both are empty; none where none were given, or where they cannot be compared.
  std::vector<double> dice;
  std::string why_no_dice;  ///< one line, of segmentations that cannot be compared
};

/// A label map with a value that is neither 0 nor in any region; its message names both.
class UnknownLabelError : public InputError {
 public:
  UnknownLabelError(const std::string& message, int value) : InputError(message), value_(value) {}
  int value() const noexcept { return value_; }  ///< the least of them

 private:
  int value_;
};

/// Volumes of the regions of a label map, on its own grid.
/// @param segmentations of the regions, images of which what is not 0 belongs to it, to compare
///   with where there are any. @throws UnknownLabelError; InputError as read_label_map.
LabelMapVolumes volumes_of_label_map(const std::filesystem::path& path, const LabelMeaning& meaning,
                                     const std::vector<std::filesystem::path>& segmentations = {});

/// What find_label_map() would find label maps under: names of images in the folder without their
/// ending, _seg and -seg, and of folders that hold one of their own name. Sorted.
std::vector<std::string> label_map_case_ids(const std::filesystem::path& folder);

/// "3=4,10=1": the value 3 of label maps stands for 4. @throws UsageError.
std::map<int, int> parse_label_mapping(const std::string& text);

}  // namespace mcvol
