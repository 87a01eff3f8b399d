#pragma once

#include "mcvol/image/prepared_scan.h"
#include "mcvol/io/records/thumbnail.h"
#include "mcvol/network/bundle/bundle.h"
#include "mcvol/pipeline/case_loader.h"
#include "mcvol/pipeline/histogram_sink.h"

#include <cstddef>
#include <vector>

namespace mcvol {

/// What slices are drawn on.
struct ChannelsToShow {
  std::vector<std::size_t> channels;   ///< of the bundle, one or two; the first for the whole slice
  std::vector<std::size_t> of_region;  ///< per region: which of `channels`
};

/// The channels a tumour is seen best in, by name or suffix: FLAIR, else T1 with contrast, else the
/// first; regions called core, enhancing or necrotic on T1 with contrast where there is one.
ChannelsToShow channels_to_show(const Bundle& bundle);

/// The slices of slices_to_show(). Grey from the 1st to the 99th percentile of the brain, or
/// further, so that of no region many more than 2 % of the pixels that are more likely in than out
/// are white in any slice shown.
/// @param shown of channels.channels. @param sink after its finish(). @throws Error where `shown`
///   is not of this scan.
Thumbnail thumbnail_of(const PreparedScan& scan, const ChannelsToShow& channels,
                       const BrainIntensities& shown, const HistogramSink& sink);

}  // namespace mcvol
