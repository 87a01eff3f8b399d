#pragma once

#include "mcvol/image/prepared_scan.h"
#include "mcvol/io/records/thumbnail.h"
#include "mcvol/network/bundle/bundle.h"
#include "mcvol/pipeline/histogram_sink.h"

#include <cstddef>

namespace mcvol {

/// The channel a tumour is seen best in: FLAIR, else T1 with contrast, else the first. By name or
/// suffix.
std::size_t channel_to_show(const Bundle& bundle);

/// The axial slice with most of the first region, the sum of the squared mean probability: the
/// square, so that a trace of probability all over a slice does not outweigh a small tumour. The
/// middle of the brain where there is none at all. Grey from the 1st to the 99th percentile of the
/// brain.
/// @param sink after its finish().
Thumbnail thumbnail_slice(const PreparedScan& scan, std::size_t channel, const HistogramSink& sink);

}  // namespace mcvol
