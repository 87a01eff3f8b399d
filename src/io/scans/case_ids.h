#pragma once

#include <string>
#include <vector>

#include "scan_layouts.h"

namespace mcvol {

/// Gives every case an id that is valid and no other case's, upper and lower case counting as the
/// same. A name that is no valid id, or that an earlier case has (by name, then place), becomes its
/// valid characters, others as `_`, with `-` and eight digits of a SHA-256: of the name, or of the
/// place where the name is taken. So an id depends on nothing but its own scan, and the first of
/// those with one name. ScanCase::found_as then has the name.
///
/// But an id stays a case's own once it has a record under it, whatever comes and goes beside it:
/// else a further scan of one name would take over the id that references and tables know. Where
/// several have a name and the record under it is of none of them, the name is nobody's.
/// @param recorded may be empty. @throws UsageError for a case whose files are given twice.
void assign_case_ids(std::vector<FoundCase>& cases, const RecordedCase& recorded = {});

}  // namespace mcvol
