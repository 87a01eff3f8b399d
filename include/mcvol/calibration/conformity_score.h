#pragma once

#include "mcvol/calibration/interval_method.h"
#include "mcvol/calibration/weighted_sample.h"
#include "mcvol/volumetry/volume_distribution.h"

#include <string>

namespace mcvol {

/// A number in (0, 1) that belongs to a case and region: it ranks the absent among the absent.
/// Philox4x32-10 of their SHA-256 (docs/method.md).
double atom_uniform(const std::string& case_id, const std::string& region);

/// How far a volume lies up or down in what was predicted of one region of one scan: its conformity
/// score under one predictive distribution. Increasing in the volume, so that bounds on the score
/// are bounds on the volume.
///
/// A volume up to least_volume_ml() counts as absent: there F is an atom, and its rank is spread
/// over it, u = xi F(v0) with xi of atom_uniform(). A volume of 0 stands for all of them.
class ConformityScore {
 public:
  static constexpr double kLeastSd = 0.05;   ///< ml^(1/3)
  static constexpr double kMostSd = 1.0;     ///< ml^(1/3)
  static constexpr double kMostScore = 1e6;  ///< of a volume that the passes rule out

  /// @param distribution over all passes; of kNoDropout of those without dropout.
  ConformityScore(ScoreKind kind, VolumeDistribution distribution, double voxel_volume_ml);

  /// The score of a volume, within ±kMostScore. @param uniform of the scan, in (0, 1); for absent
  /// volumes only.
  double at(double volume_ml, double uniform) const;
  /// The smallest volume whose score reaches this one, in ml; 0 where that counts as absent.
  double volume_ml(double score) const;
  /// As volume_ml(), in ml^(1/3), from the points of root_sample(): faster, for scores of whole
  /// distributions.
  double root(double score) const;
  /// CRPS of V^(1/3) of the predictive distribution before calibration, in ml^(1/3).
  double crps(double volume_ml) const;

  double least_ml() const { return least_ml_; }

 private:
  double unlimited(double volume_ml, double uniform) const;
  bool is_rank() const { return kind_ == ScoreKind::kConformal || kind_ == ScoreKind::kNoDropout; }

  ScoreKind kind_;
  VolumeDistribution distribution_;
  double least_ml_;
  WeightedSample sample_;  ///< of V^(1/3)
  double centre_ = 0;      ///< ml^(1/3); not of ranks
  double spread_ = 1;      ///< ml^(1/3); not of ranks
};

}  // namespace mcvol
