#include "flag_meanings.h"

#include <algorithm>
#include <array>

namespace mcvol {

namespace {

struct FlagMeaning {
  const char* flag;
  const char* meaning;
  bool reason_to_look;  ///< at the case; others are about the whole table
};

/// The most telling first.
constexpr std::array kMeanings{
    FlagMeaning{"outside_calibration_range", "larger or smaller than every calibration case", true},
    FlagMeaning{"uncertain", "wider than 19 of 20 intervals of the calibration cases", true},
    FlagMeaning{"low_quality",
                "expected to overlap with a reference less than is usual, or asked for", true},
    FlagMeaning{"passes_disagree", "the passes segment different voxels", true},
    FlagMeaning{"wide_raw_interval", "the raw interval is wider than the volume itself", true},
    FlagMeaning{"scattered", "no piece has half of what is segmented", true},
    FlagMeaning{"mc_tolerance_missed", "Monte Carlo error above the tolerance after all passes",
                true},
    FlagMeaning{"channels_exchanged", "two channels seem to have each other's place", true},
    FlagMeaning{"wrong_orientation", "the head seems to be turned, an axis reversed or exchanged",
                true},
    FlagMeaning{"not_coregistered", "a channel fits the first one better where it does not lie",
                true},
    FlagMeaning{"unlike_calibration", "the scan looks unlike 98 of 100 calibration cases", true},
    FlagMeaning{"no_background", "no background about the head in some channel", true},
    FlagMeaning{"large_brain", "more than 2.5 litres of brain: not skull-stripped?", true},
    FlagMeaning{"small_brain", "less than 0.3 litres of brain: cut off, or of another kind?", true},
    FlagMeaning{"masks_differ", "the brain is not the same in all channels", true},
    FlagMeaning{"tumour_touches_border", "segmented up to the edge of the image: cut off?", true},
    FlagMeaning{"touches_border", "the head reaches the edge of the image", true},
    FlagMeaning{"empty", "nothing segmented", true},
    FlagMeaning{"not_nested", "sticks out of the interval at a higher level", true},
    FlagMeaning{"other_run", "measured with other settings than the rest, not calibrated", true},
    FlagMeaning{"not_found", "measured before; the last run did not find its scan", true},
    FlagMeaning{"other_seed", "calibrated with other dropout masks", false},
    FlagMeaning{"resampled", "put on the network's grid", false},
    FlagMeaning{"simulated_calibration", "calibrated on simulated cases", false},
    FlagMeaning{"uncalibrated", "without a calibration", false},
};

const FlagMeaning* known(const std::string& flag) {
  const auto* found = std::find_if(kMeanings.begin(), kMeanings.end(),
                                   [&](const FlagMeaning& one) { return flag == one.flag; });
  return found == kMeanings.end() ? nullptr : found;
}

}  // namespace

std::string meaning_of(const std::string& flag) {
  const FlagMeaning* found = known(flag);
  return found == nullptr ? flag : found->meaning;
}

bool is_reason_to_look(const std::string& flag) {
  const FlagMeaning* found = known(flag);
  return found == nullptr || found->reason_to_look;
}

std::size_t urgency_of(const std::string& flag) {
  const FlagMeaning* found = known(flag);
  return found == nullptr ? kMeanings.size() : static_cast<std::size_t>(found - kMeanings.data());
}

bool worth_a_look(const VolumeRow& row) {
  return std::any_of(row.flags.begin(), row.flags.end(), is_reason_to_look);
}

}  // namespace mcvol
