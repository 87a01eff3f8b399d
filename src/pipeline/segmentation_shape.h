#pragma once

#include "mcvol/image/prepared_scan.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/pipeline/histogram_sink.h"

#include <cstddef>

namespace mcvol {

/// What the segmentation of a region (mean probability above 0.5, on the network's grid) is made
/// of. @param sink with all blocks in.
SegmentationShape segmentation_shape(const PreparedScan& scan, const HistogramSink& sink,
                                     std::size_t region);

}  // namespace mcvol
