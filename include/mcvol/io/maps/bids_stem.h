#pragma once

#include <string>

namespace mcvol {

/// What the names of a case's images begin with in a BIDS data set, such as "sub-01_ses-1": other
/// ids have others. The id itself where it is made of entities that every image may have, in the
/// order of BIDS and with labels of letters and digits. Else a subject: the letters and digits of
/// the id, an x and the first eight digits of its SHA-256.
std::string bids_stem(const std::string& case_id);

/// The stem of the case that an image of this name is of: "sub-01_ses-1_label-core_mask.nii.gz".
std::string bids_stem_of_image(const std::string& name);

/// The letters and digits of a text, which labels are made of.
std::string bids_label(const std::string& text);

}  // namespace mcvol
