#include "mcvol/calibration/conformity_score.h"

#include "mcvol/files/sha256.h"
#include "mcvol/random/philox.h"
#include "mcvol/volumetry/normal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace mcvol {

double atom_uniform(const std::string& case_id, const std::string& region) {
  // A case_id holds no line break.
  const std::string digest = sha256_of_bytes(case_id + "\n" + region);
  constexpr std::size_t kDigits = 8;
  PhiloxCounter counter{};
  for (std::size_t word = 0; word < counter.size(); ++word) {
    const char* first = digest.data() + word * kDigits;
    std::from_chars(first, first + kDigits, counter[word], 16);
  }
  constexpr PhiloxKey kKey{0x61746F6Du, 0};  // "atom"
  return (static_cast<double>(philox4x32_10(counter, kKey)[0]) + 0.5) * 0x1p-32;
}

ConformityScore::ConformityScore(ScoreKind kind, VolumeDistribution distribution,
                                 double voxel_volume_ml)
    : kind_(kind),
      distribution_(std::move(distribution)),
      least_ml_(least_volume_ml(voxel_volume_ml)),
      sample_(root_sample(distribution_, least_ml_)) {
  if (kind_ == ScoreKind::kScaled) {
    centre_ = sample_.mean();
    spread_ = std::clamp(sample_.sd(), kLeastSd, kMostSd);
  } else if (kind_ == ScoreKind::kSizeOnly) {
    centre_ = root_of(distribution_.quantile(0.5), least_ml_);
  }
}

double ConformityScore::at(double volume_ml, double uniform) const {
  return std::clamp(unlimited(volume_ml, uniform), -kMostScore, kMostScore);
}

double ConformityScore::unlimited(double volume_ml, double uniform) const {
  if (!is_rank()) return (root_of(volume_ml, least_ml_) - centre_) / spread_;
  if (volume_ml > least_ml_) return distribution_.probit_cdf(volume_ml);
  const double log_atom = normal_log_cdf(distribution_.probit_cdf(least_ml_)) + std::log(uniform);
  return probit_from_logs(log_atom, std::log1p(-std::exp(log_atom)));
}

double ConformityScore::volume_ml(double score) const {
  double volume_ml = 0;
  if (is_rank()) {
    volume_ml = distribution_.quantile_at_probit(score);
  } else {
    const double root = std::max(centre_ + spread_ * score, 0.0);
    volume_ml = root * root * root;
  }
  return volume_ml > least_ml_ ? volume_ml : 0;
}

double ConformityScore::root(double score) const {
  if (is_rank()) return sample_.quantile(normal_cdf(score));
  return std::max(centre_ + spread_ * score, 0.0);
}

double ConformityScore::crps(double volume_ml) const {
  return sample_.crps(root_of(volume_ml, least_ml_));
}

}  // namespace mcvol
