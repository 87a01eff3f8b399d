#pragma once

#include "mcvol/image/image_quality.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <Eigen/Core>

namespace mcvol {

/// A scan's numbers in one row, NaN where it has none. Those that are above 0 and spread over
/// orders of magnitude as logarithms.
using NumberRow = std::vector<double>;

/// All of them.
NumberRow all_numbers(const ImageQuality& quality);
/// In the order of all_numbers(): quantity and what it is of, as {"noise", "flair"}.
struct NumberName {
  std::string quantity, of;
};
std::vector<NumberName> names_of_numbers(const std::vector<std::string>& channels);

/// Those that tell which channel is which.
NumberRow channel_numbers(const ImageQuality& quality);
/// Those that tell which axis is which, and which way it runs.
NumberRow orientation_numbers(const ImageQuality& quality);

/// Rows of numbers of several scans, about the mean of each column. What is missing lies at it.
struct NumberTable {
  Eigen::MatrixXd rows;
  Eigen::RowVectorXd centre;

  /// @param rows at least one, all of as many numbers.
  explicit NumberTable(const std::vector<NumberRow>& rows);
  /// Another scan's numbers about the same centre.
  Eigen::RowVectorXd centred(const NumberRow& row) const;
};

}  // namespace mcvol
