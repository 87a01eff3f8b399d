#pragma once

#include <array>
#include <optional>
#include <string>

namespace mcvol {

/// How intervals are made. All but kLevelSets are fitted to scans of known volume; the last four
/// are comparisons for `evaluate`.
enum class IntervalMethod {
  kRegression,           ///< conformal regression on numbers of the record, with a fitted scale
  kScaled,               ///< errors of V^(1/3) over its spread across passes and z
  kConformal,            ///< ranks of the truth in the Monte Carlo distribution
  kQuantile,             ///< empirical quantiles of the same ranks (Eaton-Rosen et al. 2018)
  kRegressionNoDropout,  ///< as kRegression, of the pass without dropout alone
  kSizeOnly,             ///< errors of V^(1/3), blind to what the passes say of them
  kNoDropout,            ///< as kConformal, of one pass without dropout
  kLevelSets,            ///< the raw columns of volumes.csv
};
inline constexpr std::array kIntervalMethods{
    IntervalMethod::kRegression,          IntervalMethod::kScaled,
    IntervalMethod::kConformal,           IntervalMethod::kQuantile,
    IntervalMethod::kRegressionNoDropout, IntervalMethod::kSizeOnly,
    IntervalMethod::kNoDropout,           IntervalMethod::kLevelSets};
/// Those that a calibration may be made with.
inline constexpr std::array kCalibrationMethods{IntervalMethod::kRegression,
                                                IntervalMethod::kScaled, IntervalMethod::kConformal,
                                                IntervalMethod::kQuantile};
/// Fixed beforehand, for any number of scans (docs/method.md, "Regression").
inline constexpr IntervalMethod kDefaultMethod = IntervalMethod::kRegression;
/// Where records lack what kRegression takes: the best of those that need less.
inline constexpr IntervalMethod kEarlierMethod = IntervalMethod::kScaled;

std::string to_string(IntervalMethod method);
/// @throws UsageError for a word that names none.
IntervalMethod interval_method_from(const std::string& word);
/// kRegression and its comparison, which take numbers of the records instead of scores.
bool is_regression(IntervalMethod method);

/// What a conformity score is made of. Each has the name of the method that cuts it.
enum class ScoreKind {
  kScaled,     ///< (v^(1/3) - E[V^(1/3)]) / SD[V^(1/3)], the SD held to kLeastSd to kMostSd
  kConformal,  ///< probit(F(v)), F the predictive distribution function
  kSizeOnly,   ///< v^(1/3) - median^(1/3): blind to how sure the network is
  kNoDropout,  ///< as kConformal, F that of one pass without dropout
};
inline constexpr std::array kScoreKinds{ScoreKind::kConformal, ScoreKind::kScaled,
                                        ScoreKind::kSizeOnly, ScoreKind::kNoDropout};
std::string to_string(ScoreKind kind);
/// Whose scores a method cuts; kQuantile those of kConformal, elsewhere. None of the regressions
/// and of kLevelSets.
std::optional<ScoreKind> score_kind_of(IntervalMethod method);

}  // namespace mcvol
