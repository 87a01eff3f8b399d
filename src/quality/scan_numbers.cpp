#include "scan_numbers.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mcvol {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kSmallest = 1e-3;  ///< added before logarithms: shares of an SD, ml, mm, nats
constexpr std::array<const char*, 3> kAxes{"x", "y", "z"};

double value(const std::optional<double>& number) { return number.value_or(kNone); }
double tamed(const std::optional<double>& number) { return number ? std::asinh(*number) : kNone; }
double log_of(const std::optional<double>& number) {
  return number ? std::log(*number + kSmallest) : kNone;
}

/// How much more the first channel tells of this one where it does not lie, as a log ratio.
double misalignment(const MutualInformation& information) {
  double best = kNone;
  for (const auto& axes : information.shifted) {
    for (const auto& sides : axes) {
      for (const auto& shifted : sides) {
        if (shifted && !(*shifted <= best)) best = *shifted;
      }
    }
  }
  if (!information.unshifted || std::isnan(best)) return kNone;
  return std::log(best + kSmallest) - std::log(*information.unshifted + kSmallest);
}

void add_axes(const AxisNumbers& numbers, NumberRow& row) {
  for (const auto& number : numbers) row.push_back(value(number));
}

void add_brain(const BrainShape& brain, NumberRow& row) {
  for (const double mm : brain.spread_mm) row.push_back(std::log(mm + kSmallest));
  add_axes(brain.coordinate_correlation, row);
  for (const AxisNumbers& numbers : brain.coskewness) {
    for (const auto& number : numbers) row.push_back(tamed(number));
  }
  row.insert(row.end(), brain.mirror_overlap.begin(), brain.mirror_overlap.end());
  add_axes(brain.mirror_correlation, row);
}

void add_quantiles(const ChannelQuality& channel, NumberRow& row) {
  for (const double intensity : channel.quantiles) row.push_back(std::asinh(intensity));
}

void add_pairs(const ChannelQuality& channel, NumberRow& row) {
  for (const auto& number : channel.correlations) row.push_back(value(number));
  for (const auto& number : channel.difference_asymmetry) row.push_back(value(number));
}

}  // namespace

NumberRow all_numbers(const ImageQuality& quality) {
  NumberRow row{std::log(quality.brain_ml + kSmallest)};
  add_brain(quality.brain, row);
  for (const ChannelQuality& channel : quality.channels) {
    add_quantiles(channel, row);
    row.push_back(log_of(channel.noise));
    for (const auto& number : channel.sharpness) row.push_back(log_of(number));
    add_axes(channel.axis_correlation, row);
    add_pairs(channel, row);
    if (!channel.mutual_information) continue;
    row.push_back(tamed(channel.mutual_information->unshifted));
    row.push_back(misalignment(*channel.mutual_information));
  }
  return row;
}

std::vector<NumberName> names_of_numbers(const std::vector<std::string>& channels) {
  std::vector<NumberName> names{{"brain volume", ""}};
  const auto add_of_axes = [&](const std::string& quantity, const std::string& of) {
    for (const char* axis : kAxes) names.push_back({quantity, of + "along " + axis});
  };
  add_of_axes("brain size", "");
  for (const char* pair : {"x and y", "x and z", "y and z"}) names.push_back({"brain tilt", pair});
  for (const char* axis : kAxes) {
    for (const char* with : kAxes) {
      names.push_back({"brain shape", std::string(axis) + " with " + with});
    }
  }
  add_of_axes("symmetry of the brain", "");
  add_of_axes("symmetry of intensities", "");
  for (std::size_t n = 0; n < channels.size(); ++n) {
    for (const double share : kQualityQuantiles) {
      names.push_back(
          {"intensities", channels[n] + " at " + std::to_string(std::lround(100 * share)) + " %"});
    }
    names.push_back({"noise", channels[n]});
    add_of_axes("sharpness", channels[n] + " ");
    add_of_axes("trend of intensities", channels[n] + " ");
    for (std::size_t before = 0; before < n; ++before) {
      names.push_back({"correlation", channels[before] + " and " + channels[n]});
    }
    for (std::size_t before = 0; before < n; ++before) {
      names.push_back({"bright spots", channels[n] + " beyond " + channels[before]});
    }
    if (n == 0) continue;
    names.push_back({"mutual information", channels[0] + " and " + channels[n]});
    names.push_back({"misalignment", channels[0] + " and " + channels[n]});
  }
  return names;
}

NumberRow channel_numbers(const ImageQuality& quality) {
  NumberRow row;
  for (const ChannelQuality& channel : quality.channels) {
    add_quantiles(channel, row);
    add_pairs(channel, row);
  }
  return row;
}

NumberRow orientation_numbers(const ImageQuality& quality) {
  NumberRow row;
  add_brain(quality.brain, row);
  for (const ChannelQuality& channel : quality.channels) add_axes(channel.axis_correlation, row);
  return row;
}

std::vector<NumberRow> number_rows(const std::vector<ImageQuality>& scans, Numbers numbers) {
  std::vector<NumberRow> rows;
  rows.reserve(scans.size());
  for (const ImageQuality& scan : scans) rows.push_back(numbers(scan));
  return rows;
}

NumberTable::NumberTable(const std::vector<NumberRow>& of_scans)
    : rows(static_cast<Eigen::Index>(of_scans.size()),
           static_cast<Eigen::Index>(of_scans.front().size())),
      centre(rows.cols()) {
  for (Eigen::Index r = 0; r < rows.rows(); ++r) {
    const NumberRow& row = of_scans[static_cast<std::size_t>(r)];
    complete = complete && is_complete(row);
    for (Eigen::Index c = 0; c < rows.cols(); ++c) rows(r, c) = row[static_cast<std::size_t>(c)];
  }
  for (Eigen::Index c = 0; c < rows.cols(); ++c) {
    double sum = 0, count = 0;
    for (Eigen::Index r = 0; r < rows.rows(); ++r) {
      if (std::isnan(rows(r, c))) continue;
      sum += rows(r, c);
      ++count;
    }
    centre[c] = count > 0 ? sum / count : 0.0;
    for (Eigen::Index r = 0; r < rows.rows(); ++r) {
      rows(r, c) = std::isnan(rows(r, c)) ? 0.0 : rows(r, c) - centre[c];
    }
  }
}

Eigen::RowVectorXd NumberTable::centred(const NumberRow& row) const {
  return Eigen::Map<const Eigen::RowVectorXd>(row.data(), centre.size()) - centre;
}

bool is_complete(const NumberRow& row) {
  return std::none_of(row.begin(), row.end(), [](double number) { return std::isnan(number); });
}

std::vector<NumberRow> with_first(const NumberRow& row, const std::vector<NumberRow>& rows) {
  std::vector<NumberRow> all{row};
  all.insert(all.end(), rows.begin(), rows.end());
  return all;
}

}  // namespace mcvol
