#include "mcvol/quality/batch_comparison.h"

#include "mcvol/error/error.h"
#include "mcvol/random/philox.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "leverage.h"
#include "scan_numbers.h"

namespace mcvol {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Ranks = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Eigen::RowVectorXd;
using Eigen::VectorXd;

constexpr std::size_t kMostDifferences = 3;
constexpr PhiloxKey kPermutations{0x42617463u, 0};

/// Ranks from 1, ties their mean.
VectorXd ranks_of(const VectorXd& values) {
  std::vector<Index> order(static_cast<std::size_t>(values.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::sort(order.begin(), order.end(), [&](Index a, Index b) { return values[a] < values[b]; });
  VectorXd ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && !(values[order[first]] < values[order[last + 1]])) ++last;
    const double rank = static_cast<double>(first + last) / 2 + 1;
    for (std::size_t n = first; n <= last; ++n) ranks[order[n]] = rank;
    first = last + 1;
  }
  return ranks;
}

double median_of(VectorXd values) {
  std::sort(values.begin(), values.end());
  const Index half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// [scan, 2 d + 1]: ranks of the numbers, of their distances from the median, and of the leverage.
Ranks ranked(const MatrixXd& numbers) {
  const Index d = numbers.cols();
  Ranks ranks(numbers.rows(), 2 * d + 1);
  for (Index c = 0; c < d; ++c) {
    ranks.col(c) = ranks_of(numbers.col(c));
    const double median = median_of(numbers.col(c));
    ranks.col(d + c) = ranks_of((numbers.col(c).array() - median).abs());
  }
  ranks.col(2 * d) = ranks_of(leverages(numbers));
  return ranks;
}

/// The scans at the first `count` places after the permutation of this number; the zeroth leaves
/// all where they are.
std::vector<Index> picked(Index scans, Index count, std::uint32_t permutation) {
  std::vector<Index> order(static_cast<std::size_t>(scans));
  std::iota(order.begin(), order.end(), Index{0});
  for (Index n = 0; n < count && permutation > 0; ++n) {
    const auto at = static_cast<std::uint64_t>(n);
    const PhiloxCounter words =
        philox4x32_10({static_cast<std::uint32_t>(at / 4), permutation, 0, 0}, kPermutations);
    const auto left = static_cast<std::uint64_t>(scans - n);
    const auto step = static_cast<Index>((words[at % 4] * left) >> 32U);
    std::swap(order[static_cast<std::size_t>(n)], order[static_cast<std::size_t>(n + step)]);
  }
  order.resize(static_cast<std::size_t>(count));
  return order;
}

/// Standardised differences of the mean rank of some scans from that of all.
class RankMeans {
 public:
  RankMeans(const Ranks& ranks, Index count) : ranks_(ranks), means_(ranks.colwise().mean()) {
    const auto all = static_cast<double>(ranks.rows()), some = static_cast<double>(count);
    const RowVectorXd variance =
        (ranks.rowwise() - means_).array().square().colwise().sum() / (all - 1);
    scale_ = (variance.array() * (all - some) / (all * some)).sqrt();
  }

  RowVectorXd z_of(const std::vector<Index>& scans) const {
    RowVectorXd sum = RowVectorXd::Zero(ranks_.cols());
    for (const Index scan : scans) sum += ranks_.row(scan);
    const RowVectorXd apart = sum / static_cast<double>(scans.size()) - means_;
    return (scale_.array() > 0).select(apart.array() / scale_.array(), 0.0);
  }

 private:
  const Ranks& ranks_;
  RowVectorXd means_, scale_;
};

constexpr std::size_t kStatistics = 4;
std::array<double, kStatistics> statistics_of(const RowVectorXd& z) {
  const Index d = (z.size() - 1) / 2;
  return {z.head(d).squaredNorm(), z.head(d).cwiseAbs().maxCoeff(), z.segment(d, d).squaredNorm(),
          std::abs(z[2 * d])};
}

/// Of each value, the share of all that are as large.
std::vector<double> p_values(const std::vector<double>& values) {
  std::vector<double> ascending = values;
  std::sort(ascending.begin(), ascending.end());
  std::vector<double> shares;
  for (const double value : values) {
    const auto first = std::lower_bound(ascending.begin(), ascending.end(), value);
    shares.push_back(static_cast<double>(ascending.end() - first) /
                     static_cast<double>(values.size()));
  }
  return shares;
}

std::vector<BatchComparison::Difference> differences_in(const RowVectorXd& z,
                                                        const std::vector<NumberName>& names) {
  const Index d = (z.size() - 1) / 2;
  std::vector<Index> order(static_cast<std::size_t>(2 * d));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](Index a, Index b) { return std::abs(z[a]) > std::abs(z[b]); });
  std::vector<BatchComparison::Difference> differences;
  std::vector<std::string> quantities;
  for (const Index place : order) {
    const NumberName& name = names[static_cast<std::size_t>(place % d)];
    if (std::count(quantities.begin(), quantities.end(), name.quantity) > 0) continue;
    quantities.push_back(name.quantity);
    differences.push_back(
        {name.quantity + (name.of.empty() ? "" : " (" + name.of + ")"), place >= d, z[place]});
    if (differences.size() == kMostDifferences) break;
  }
  return differences;
}

}  // namespace

BatchComparison compare_batch(std::span<const ImageQuality> calibration,
                              std::span<const ImageQuality> batch,
                              const std::vector<std::string>& channels) {
  if (calibration.empty() || batch.empty())
    throw Error("batches to compare: expected scans in both");
  const bool batch_is_smaller = batch.size() <= calibration.size();
  const auto smaller = batch_is_smaller ? batch : calibration;
  const auto larger = batch_is_smaller ? calibration : batch;
  std::vector<NumberRow> rows;
  for (const auto& scans : {smaller, larger}) {
    for (const ImageQuality& scan : scans) {
      if (scan.channels.size() != channels.size()) {
        throw Error("batches to compare: expected scans of " + std::to_string(channels.size()) +
                    " channels");
      }
      rows.push_back(all_numbers(scan));
    }
  }
  const Ranks ranks = ranked(NumberTable(rows).rows);
  const auto count = static_cast<Index>(smaller.size());
  const RankMeans means(ranks, count);
  std::array<std::vector<double>, kStatistics> values;
  RowVectorXd observed;
  for (std::uint32_t n = 0; n <= kBatchPermutations; ++n) {
    const RowVectorXd z = means.z_of(picked(ranks.rows(), count, n));
    if (n == 0) observed = z;
    const auto statistics = statistics_of(z);
    for (std::size_t k = 0; k < kStatistics; ++k) values[k].push_back(statistics[k]);
  }
  std::vector<double> least(values.front().size(), -1.0);
  for (const std::vector<double>& of_statistic : values) {
    const std::vector<double> shares = p_values(of_statistic);
    // Negative, so that the smallest p-value is the largest number.
    for (std::size_t n = 0; n < least.size(); ++n) least[n] = std::max(least[n], -shares[n]);
  }
  BatchComparison comparison;
  comparison.p_value = p_values(least).front();
  comparison.differences =
      differences_in(batch_is_smaller ? observed : -observed, names_of_numbers(channels));
  return comparison;
}

}  // namespace mcvol
