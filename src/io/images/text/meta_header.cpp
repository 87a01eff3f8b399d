#include "meta_header.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "io/images/other_format.h"
#include "text_fields.h"

namespace mcvol {
namespace {

struct MetaHead {
  TextFields fields;
  std::size_t data_offset = 0;
};

MetaHead read_meta_head(const std::string& name, const std::string& head) {
  MetaHead read{TextFields(name)};
  std::string line;
  while (!read.fields.has("ElementDataFile") && next_line(head, read.data_offset, line)) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) break;
    read.fields.add(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
  }
  const std::string data = read.fields.text("ElementDataFile");
  if (data.empty()) {
    read.fields.fail("not a MetaImage file, or truncated: no ElementDataFile in its header" +
                     (head.starts_with("ObjectType =") ? "" : but_another_format(head)));
  }
  if (data != "LOCAL") {
    read.fields.fail("its voxels are in another file (" + data.substr(0, 60) +
                     "), expected them in this one; save it as one .mha file, for example with 3D "
                     "Slicer");
  }
  return read;
}

VoxelType meta_type(const TextFields& fields) {
  // MET_LONG is not among them: 4 or 8 bytes, by who wrote it.
  static const std::map<std::string, VoxelType> types{
      {"MET_CHAR", VoxelType::kInt8},       {"MET_UCHAR", VoxelType::kUint8},
      {"MET_SHORT", VoxelType::kInt16},     {"MET_USHORT", VoxelType::kUint16},
      {"MET_INT", VoxelType::kInt32},       {"MET_UINT", VoxelType::kUint32},
      {"MET_LONG_LONG", VoxelType::kInt64}, {"MET_ULONG_LONG", VoxelType::kUint64},
      {"MET_FLOAT", VoxelType::kFloat32},   {"MET_DOUBLE", VoxelType::kFloat64}};
  const auto found = types.find(fields.text("ElementType"));
  if (found != types.end()) return found->second;
  fields.fail("voxels of type \"" + fields.text("ElementType").substr(0, 40) +
              "\", expected one integer or float; save it as MET_FLOAT");
}

/// The value of the first of several keys with one meaning.
std::vector<double> numbers_of(const TextFields& fields, const std::vector<std::string>& keys,
                               std::size_t count) {
  const auto given = std::find_if(keys.begin(), keys.end(),
                                  [&](const std::string& key) { return fields.has(key); });
  return fields.numbers(given == keys.end() ? keys.front() : *given, count);
}

void set_meta_place(const TextFields& fields, TextHeader& header) {
  Grid& grid = header.grid;
  const std::vector<double> spacing = numbers_of(fields, {"ElementSpacing", "ElementSize"}, 3);
  const std::vector<std::string> turns{"TransformMatrix", "Rotation", "Orientation"};
  header.orientation_known = std::any_of(turns.begin(), turns.end(),
                                         [&](const std::string& key) { return fields.has(key); });
  for (int axis = 0; axis < 3; ++axis) {
    grid.spacing_mm[axis] = spacing[static_cast<std::size_t>(axis)];
  }
  if (!header.orientation_known) return;
  const std::vector<double> matrix = numbers_of(fields, turns, 9);
  const std::vector<double> origin = numbers_of(fields, {"Offset", "Origin", "Position"}, 3);
  for (int axis = 0; axis < 3; ++axis) {
    const auto at = static_cast<std::size_t>(axis);
    // One axis after the other.
    grid.direction.col(axis) =
        Eigen::Vector3d(matrix[3 * at], matrix[3 * at + 1], matrix[3 * at + 2]);
    grid.origin_mm[axis] = origin[at];
    constexpr double kTolerance = 1e-3;
    if (!(std::abs(grid.direction.col(axis).norm() - 1.0) <= kTolerance)) {
      fields.fail(
          "TransformMatrix has axes of other lengths than 1: the voxel size is ambiguous; "
          "repair the header or resample the image");
    }
  }
}

}  // namespace

TextHeader meta_header(const std::string& name, const std::string& head) {
  const MetaHead read = read_meta_head(name, head);
  const TextFields& fields = read.fields;
  fields.require_absent_or("ObjectType", "Image");
  if (fields.text("NDims") != "3") {
    std::string shape = fields.text("DimSize").substr(0, 60);
    std::replace(shape.begin(), shape.end(), ' ', 'x');
    fields.fail(fields.text("NDims").substr(0, 8) + "-D image (" + shape +
                "), expected 3-D; split it or pick one volume");
  }
  for (const auto& [key, harmless] : {std::pair{"ElementNumberOfChannels", "1"},
                                      {"HeaderSize", "0"},
                                      {"DistanceUnits", "mm"},
                                      {"ElementToIntensityFunctionSlope", "1"},
                                      {"ElementToIntensityFunctionOffset", "0"}}) {
    fields.require_absent_or(key, harmless);
  }
  if (!fields.has("BinaryData")) fields.fail("no BinaryData in its header, expected True");
  fields.word("BinaryData", {"True"});
  TextHeader header;
  header.format = ImageFormat::kMetaImage;
  header.data_offset = static_cast<std::int64_t>(read.data_offset);
  header.type = meta_type(fields);
  const std::vector<std::int64_t> sizes = fields.sizes("DimSize");
  header.grid.size = {sizes[0], sizes[1], sizes[2]};
  header.compressed = fields.word("CompressedData", {"False", "True"}) == "True";
  for (const char* key : {"BinaryDataByteOrderMSB", "ElementByteOrderMSB"}) {
    header.byte_swapped = header.byte_swapped || fields.word(key, {"False", "True"}) == "True";
  }
  set_meta_place(fields, header);
  return header;
}

}  // namespace mcvol
