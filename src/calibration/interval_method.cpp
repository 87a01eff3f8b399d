#include "mcvol/calibration/interval_method.h"

#include "mcvol/error/error.h"

namespace mcvol {

std::string to_string(IntervalMethod method) {
  switch (method) {
    case IntervalMethod::kRegression:
      return "regression";
    case IntervalMethod::kScaled:
      return "scaled";
    case IntervalMethod::kConformal:
      return "conformal";
    case IntervalMethod::kQuantile:
      return "quantile";
    case IntervalMethod::kRegressionNoDropout:
      return "regression_no_dropout";
    case IntervalMethod::kSizeOnly:
      return "size_only";
    case IntervalMethod::kNoDropout:
      return "no_dropout";
    case IntervalMethod::kLevelSets:
      break;
  }
  return "level_sets";
}

IntervalMethod interval_method_from(const std::string& word) {
  for (const IntervalMethod method : kIntervalMethods) {
    if (word == to_string(method)) return method;
  }
  throw UsageError("method \"" + word + "\": expected regression, scaled, conformal or quantile");
}

bool is_regression(IntervalMethod method) {
  return method == IntervalMethod::kRegression || method == IntervalMethod::kRegressionNoDropout;
}

std::string to_string(ScoreKind kind) {
  switch (kind) {
    case ScoreKind::kScaled:
      return to_string(IntervalMethod::kScaled);
    case ScoreKind::kConformal:
      return to_string(IntervalMethod::kConformal);
    case ScoreKind::kSizeOnly:
      return to_string(IntervalMethod::kSizeOnly);
    case ScoreKind::kNoDropout:
      break;
  }
  return to_string(IntervalMethod::kNoDropout);
}

std::optional<ScoreKind> score_kind_of(IntervalMethod method) {
  switch (method) {
    case IntervalMethod::kConformal:
    case IntervalMethod::kQuantile:
      return ScoreKind::kConformal;
    case IntervalMethod::kScaled:
      return ScoreKind::kScaled;
    case IntervalMethod::kSizeOnly:
      return ScoreKind::kSizeOnly;
    case IntervalMethod::kNoDropout:
      return ScoreKind::kNoDropout;
    case IntervalMethod::kRegression:
    case IntervalMethod::kRegressionNoDropout:
    case IntervalMethod::kLevelSets:
      break;
  }
  return std::nullopt;
}

}  // namespace mcvol
