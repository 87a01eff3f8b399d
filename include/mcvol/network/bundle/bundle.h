#pragma once

#include "mcvol/image/grid_spec.h"
#include "mcvol/image/intensity.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace mcvol {

/// How dropout masks are shared (docs/masks.md).
enum class DropoutScope {
  kNative,   ///< as the operator draws in PyTorch: per element, or per channel for feature dropout
  kChannel,  ///< one mask per channel and pass, shared by all voxels and windows
  kElement,  ///< one per element of the activation
};
std::string to_string(DropoutScope scope);
/// @throws UsageError for another word.
DropoutScope dropout_scope_from(const std::string& word);

/// model.json: how to feed a network and read its output (docs/bundle.md has the schema).
struct Bundle {
  struct Network {
    std::string file;    ///< relative to the bundle's folder, inside it
    std::string sha256;  ///< 64 lower-case hexadecimal digits
  };
  struct Channel {
    std::string name;                      ///< unique; heads its column of a manifest
    std::vector<std::string> suffixes;     ///< what file names call it, in order of preference
    std::optional<std::int64_t> index_4d;  ///< which image of a 4-D file it is, from 0
    IntensitySpec intensity;
  };
  enum class Measure { kMask, kAll };
  struct Window {
    /// kGaussian has MONAI's weights, kGaussianNnunet nnU-Net's.
    enum class Blend { kNone, kConstant, kGaussian, kGaussianNnunet };
    /// Where outputs that are blended begin: every step() voxels, the last one shifted back
    /// (MONAI), or spread evenly from end to end of the box, rounded to voxels (nnU-Net).
    enum class Layout { kStep, kEven };
    enum class Padding { kZero, kReplicate };
    enum class Anchor { kMaskCorner, kImageCorner };
    std::array<std::int64_t, 3> input{0, 0, 0};  ///< voxels, in the network's order of axes
    /// As `input`; smaller for valid convolutions, by the same margin on both sides.
    std::array<std::int64_t, 3> output{0, 0, 0};
    double overlap = 0.0;  ///< fraction of `output` that neighbours share, [0, 1); 0 for kNone
    /// How the outputs that overlap on a voxel are averaged, pass by pass. kNone: outputs abut and
    /// do not overlap.
    Blend blend = Blend::kNone;
    Layout layout = Layout::kStep;
    Padding padding = Padding::kZero;
    Anchor anchor = Anchor::kMaskCorner;
    bool flexible = false;  ///< the window may grow with the memory allowed

    /// The most outputs that are ever blended on one voxel: what fixed-point sums hold.
    static constexpr std::int64_t kMostBlended = 512;
    /// Voxels from one output to the next along each dimension: `output` where they abut, else
    /// what is left of it without the overlap, at least 1 and rounded down as MONAI does.
    std::array<std::int64_t, 3> step() const;
    /// The most outputs that can lie over one voxel, for any size of scan: along a dimension
    /// 1 + ceil((output - 1) / step), the 1 for the last output, which is shifted back into the
    /// box; 1 where outputs abut. Of outputs spread evenly a bound.
    std::int64_t most_over_a_voxel() const;
  };
  struct Output {
    enum class Values { kLogits, kProbabilities };
    /// Whether the channels exclude each other (softmax) or each stands for itself (sigmoid).
    enum class Activation { kSoftmax, kSigmoid };
    int channels = 0;
    /// Which of several tensors that the network gives, from 0; none where it gives one.
    std::optional<std::int64_t> index;
    Values values = Values::kLogits;  ///< before the activation, or after it
    Activation activation = Activation::kSoftmax;
    std::vector<std::optional<int>> labels;  ///< label-map value per output channel; none: unused
  };
  struct Region {
    std::string name;
    /// Output channels whose union the region is: ascending, none unused, exactly one for sigmoid.
    std::vector<int> outputs;
  };

  std::filesystem::path folder;
  std::string name;  ///< a word; heads reports
  static constexpr std::size_t kMostNetworks = 64;
  /// 1 to kMostNetworks; several are an ensemble: pass t runs network t mod networks.size().
  std::vector<Network> networks;
  /// A scan counts in eight bits in how many channels a voxel is brain.
  static constexpr std::size_t kMostChannels = 255;
  std::vector<Channel> channels;
  std::vector<std::string> required;  ///< "requires": what the scans must be
  GridSpec grid;
  std::array<int, 3> axes{0, 1, 2};  ///< network dimension d holds image axis axes[d] ("axes")
  Measure measure = Measure::kMask;
  /// Image axes, ascending, along which the network is also shown mirrored windows: a window and
  /// all its 2^n mirror images, passes with dropout in turn, that without on the average.
  std::vector<int> mirror;
  Window window;
  Output output;
  std::vector<Region> regions;
  DropoutScope scope = DropoutScope::kChannel;
  std::string licence, provenance, warning;

  nlohmann::json json;  ///< model.json whole, as read
  std::string sha256;   ///< of model.json's bytes; its first 8 digits are the table's `model`
  bool has_calibration = false;

  /// 2^n of n mirrored axes.
  int mirror_images() const { return 1 << mirror.size(); }
  /// Passes that see every network on every mirror image once.
  int round() const { return static_cast<int>(networks.size()) * mirror_images(); }
  /// model.json without its texts (name, licence, provenance, warning): part of the run identity.
  nlohmann::json identity() const;
  /// Whether `required` holds "skull_stripped" or "coregistered", what of it can be looked at.
  bool requires_skull_stripped() const;
  bool requires_coregistered() const;
};

/// Reads and checks `folder`/model.json completely, and the networks' sha256s; loads no network.
/// @throws ModelError naming the file, the field, what was expected and what was found.
/// @throws Error where a file that is there cannot be read.
Bundle read_bundle(const std::filesystem::path& folder);

}  // namespace mcvol
