#pragma once

#include "mcvol/image/image_quality.h"

#include <cmath>
#include <random>
#include <vector>

namespace mcvol::testing_support {

/// How scans are drawn; all numbers around those of a head.
struct ScanKind {
  double noise = 0.1;  ///< median of its log-normal
  double scatter = 1;  ///< of all numbers, about their centres
  bool heavy = false;  ///< tails of Student's t with three degrees of freedom
  double missing = 0;  ///< share of scans whose last channel does not vary
};

/// Numbers of a scan of three channels, correlated among each other.
inline ImageQuality drawn_scan(std::mt19937_64& generator, const ScanKind& kind = {}) {
  std::normal_distribution<double> normal;
  std::student_t_distribution<double> student(3);
  const double common = normal(generator);
  const auto around = [&](double centre, double sd) {
    const double own = kind.heavy ? student(generator) : normal(generator);
    return centre + kind.scatter * sd * (0.6 * common + 0.8 * own);
  };
  const auto correlation = [&](double centre) { return std::tanh(around(centre, 0.1)); };
  ImageQuality scan;
  scan.brain_ml = 1200 * std::exp(around(0, 0.1));
  constexpr std::array<double, 3> kSpreads{27, 33, 28}, kOverlaps{0.92, 0.84, 0.87};
  constexpr std::array<double, 3> kTilts{0, 0, -0.1}, kSkews{0, -0.2, -0.1};
  for (std::size_t a = 0; a < 3; ++a) {
    scan.brain.spread_mm[a] = kSpreads[a] * std::exp(around(0, 0.03));
    scan.brain.mirror_overlap[a] = 0.5 + 0.5 * std::tanh(around(2 * kOverlaps[a] - 1, 0.02));
    scan.brain.mirror_correlation[a] = correlation(a == 0 ? 0.4 : 0.1);
    scan.brain.coordinate_correlation[a] = correlation(kTilts[a]);
    for (std::size_t b = 0; b < 3; ++b) scan.brain.coskewness[a][b] = around(kSkews[a], 0.03);
  }
  scan.shifts_voxels = {{{1, 1, 1}, {2, 2, 2}}};
  for (std::size_t n = 0; n < 3; ++n) {
    ChannelQuality channel;
    // Of the third channel bright is rare.
    double at = -2;
    for (std::size_t q = 0; q < channel.quantiles.size(); ++q) {
      channel.quantiles[q] = at;
      at += std::exp(around(n == 2 && q > 3 ? 0.3 : -0.4, 0.1));
    }
    channel.noise = kind.noise * std::exp(around(0, 0.4));
    for (auto& number : channel.sharpness) number = 0.4 * std::exp(around(0, 0.1));
    for (std::size_t a = 0; a < 3; ++a) channel.axis_correlation[a] = correlation(a == 2 ? 0.2 : 0);
    for (std::size_t before = 0; before < n; ++before) {
      channel.correlations.push_back(correlation(n == 2 ? -0.5 : 0.5));
      channel.difference_asymmetry.push_back(correlation(0.2));
    }
    if (n > 0) {
      channel.mutual_information.emplace();
      channel.mutual_information->unshifted = 0.3 * std::exp(around(0, 0.1));
      for (auto& axes : channel.mutual_information->shifted) {
        for (auto& sides : axes) sides = {0.2 * std::exp(around(0, 0.1)), 0.2};
      }
    }
    scan.channels.push_back(channel);
  }
  if (std::uniform_real_distribution<double>()(generator) < kind.missing) {
    ChannelQuality& last = scan.channels.back();
    last.noise.reset();
    last.sharpness = last.axis_correlation = {};
    last.correlations.assign(2, std::nullopt);
    last.difference_asymmetry.assign(2, std::nullopt);
    last.mutual_information = MutualInformation{};
  }
  return scan;
}

inline std::vector<ImageQuality> drawn_scans(std::mt19937_64& generator, std::size_t count,
                                             const ScanKind& kind = {}) {
  std::vector<ImageQuality> scans;
  for (std::size_t n = 0; n < count; ++n) scans.push_back(drawn_scan(generator, kind));
  return scans;
}

}  // namespace mcvol::testing_support
