#pragma once

#include "mcvol/image/image_quality.h"

#include <string>
#include <vector>

#include <Eigen/Core>

namespace mcvol {

/// A scan's numbers in one row, NaN where it has none; all finite otherwise, whatever a file says:
/// what is above 0 and spread over orders of magnitude as logarithms, what has no bound by its
/// inverse hyperbolic sine.
using NumberRow = std::vector<double>;
using Numbers = NumberRow (*)(const ImageQuality&);

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

std::vector<NumberRow> number_rows(const std::vector<ImageQuality>& scans, Numbers numbers);

/// Rows of numbers of several scans, about the mean of each column. What is missing lies at it.
struct NumberTable {
  Eigen::MatrixXd rows;
  Eigen::RowVectorXd centre;
  bool complete = true;  ///< nothing is missing

  /// @param of_scans at least one, all of as many numbers.
  explicit NumberTable(const std::vector<NumberRow>& of_scans);
  /// Another scan's numbers about the same centre; none of them may be missing.
  Eigen::RowVectorXd centred(const NumberRow& row) const;
};

bool is_complete(const NumberRow& row);

/// The rows with another one before them.
std::vector<NumberRow> with_first(const NumberRow& row, const std::vector<NumberRow>& rows);

}  // namespace mcvol
