#include "nrrd_header.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <sstream>
#include <vector>

#include "io/images/other_format.h"
#include "text_fields.h"

namespace mcvol {
namespace {

static_assert(std::endian::native == std::endian::little, "of a file of the other endianness");

struct NrrdHead {
  TextFields fields;
  std::size_t data_offset = 0;
};

NrrdHead read_nrrd_head(const std::string& name, const std::string& head) {
  NrrdHead read{TextFields(name)};
  std::string line;
  if (!next_line(head, read.data_offset, line) || !line.starts_with("NRRD000")) {
    read.fields.fail("not a NRRD file (its first line is not NRRD000 and a digit)" +
                     but_another_format(head));
  }
  bool ended = false;
  while (!ended && next_line(head, read.data_offset, line)) {
    ended = line.empty();
    const std::size_t colon = line.find(':');
    // "key:=value" is the writer's own.
    const bool is_field = colon != std::string::npos && line.compare(colon, 2, ":=") != 0;
    if (ended || line.front() == '#' || !is_field) continue;
    std::string key = lower_case(trimmed(line.substr(0, colon)));
    if (key == "datafile") key = "data file";
    if (key == "lineskip") key = "line skip";
    if (key == "byteskip") key = "byte skip";
    if (key == "oldmin") key = "old min";
    if (key == "oldmax") key = "old max";
    read.fields.add(key, trimmed(line.substr(colon + 1)));
  }
  if (read.fields.has("data file")) {
    read.fields.fail("its voxels are in another file (" +
                     read.fields.text("data file").substr(0, 60) +
                     "), expected them in this one; save it as one .nrrd file, for example with 3D "
                     "Slicer");
  }
  if (!ended) read.fields.fail("truncated: no empty line ends its NRRD header; copy it again");
  return read;
}

VoxelType nrrd_type(const TextFields& fields) {
  static const std::map<std::string, VoxelType> types{
      {"signed char", VoxelType::kInt8},
      {"int8", VoxelType::kInt8},
      {"int8_t", VoxelType::kInt8},
      {"uchar", VoxelType::kUint8},
      {"unsigned char", VoxelType::kUint8},
      {"uint8", VoxelType::kUint8},
      {"uint8_t", VoxelType::kUint8},
      {"short", VoxelType::kInt16},
      {"short int", VoxelType::kInt16},
      {"signed short", VoxelType::kInt16},
      {"signed short int", VoxelType::kInt16},
      {"int16", VoxelType::kInt16},
      {"int16_t", VoxelType::kInt16},
      {"ushort", VoxelType::kUint16},
      {"unsigned short", VoxelType::kUint16},
      {"unsigned short int", VoxelType::kUint16},
      {"uint16", VoxelType::kUint16},
      {"uint16_t", VoxelType::kUint16},
      {"int", VoxelType::kInt32},
      {"signed int", VoxelType::kInt32},
      {"int32", VoxelType::kInt32},
      {"int32_t", VoxelType::kInt32},
      {"uint", VoxelType::kUint32},
      {"unsigned int", VoxelType::kUint32},
      {"uint32", VoxelType::kUint32},
      {"uint32_t", VoxelType::kUint32},
      {"longlong", VoxelType::kInt64},
      {"long long", VoxelType::kInt64},
      {"long long int", VoxelType::kInt64},
      {"signed long long", VoxelType::kInt64},
      {"signed long long int", VoxelType::kInt64},
      {"int64", VoxelType::kInt64},
      {"int64_t", VoxelType::kInt64},
      {"ulonglong", VoxelType::kUint64},
      {"unsigned long long", VoxelType::kUint64},
      {"unsigned long long int", VoxelType::kUint64},
      {"uint64", VoxelType::kUint64},
      {"uint64_t", VoxelType::kUint64},
      {"float", VoxelType::kFloat32},
      {"double", VoxelType::kFloat64}};
  const auto found = types.find(lower_case(fields.text("type")));
  if (found != types.end()) return found->second;
  fields.fail("voxels of type \"" + fields.text("type").substr(0, 40) +
              "\", expected one integer or float; save it as float32");
}

bool is_whole(VoxelType type) { return type != VoxelType::kFloat32 && type != VoxelType::kFloat64; }

/// "(1,0,0) (0,1,0) (0,0,1)" as numbers with blanks between.
std::string without_brackets(std::string text) {
  for (char& letter : text) {
    if (letter == '(' || letter == ')' || letter == ',') letter = ' ';
  }
  return text;
}

/// What brings the file's space to LPS; none where it is no space of a patient's.
std::optional<Eigen::Vector3d> signs_to_lps(const TextFields& fields) {
  static const std::map<std::string, Eigen::Vector3d> spaces{
      {"right-anterior-superior", {-1, -1, 1}}, {"ras", {-1, -1, 1}},
      {"left-anterior-superior", {1, -1, 1}},   {"las", {1, -1, 1}},
      {"left-posterior-superior", {1, 1, 1}},   {"lps", {1, 1, 1}}};
  const auto found = spaces.find(lower_case(fields.text("space")));
  if (found == spaces.end()) return std::nullopt;
  return found->second;
}

std::vector<double> bracketed(const TextFields& fields, const std::string& key, std::size_t count) {
  TextFields plain(fields.name());
  if (fields.has(key)) plain.add(key, without_brackets(fields.text(key)));
  return plain.numbers(key, count);
}

void set_nrrd_place(const TextFields& fields, TextHeader& header) {
  Grid& grid = header.grid;
  const auto signs = signs_to_lps(fields);
  header.orientation_known = signs.has_value() && fields.has("space directions");
  if (!fields.has("space directions")) {
    // Where neither is there, it is not known how large a voxel is.
    const std::vector<double> spacings = fields.numbers("spacings", 3);
    for (int axis = 0; axis < 3; ++axis) {
      grid.spacing_mm[axis] = std::abs(spacings[static_cast<std::size_t>(axis)]);
    }
    return;
  }
  const std::vector<double> directions = bracketed(fields, "space directions", 9);
  const std::vector<double> origin =
      header.orientation_known ? bracketed(fields, "space origin", 3) : std::vector<double>(3, 0.0);
  for (int axis = 0; axis < 3; ++axis) {
    Eigen::Vector3d step(directions[static_cast<std::size_t>(3 * axis)],
                         directions[static_cast<std::size_t>(3 * axis + 1)],
                         directions[static_cast<std::size_t>(3 * axis + 2)]);
    if (signs) step = signs->cwiseProduct(step);
    grid.spacing_mm[axis] = step.norm();
    grid.direction.col(axis) = step / step.norm();
    const auto at = static_cast<std::size_t>(axis);
    grid.origin_mm[axis] = signs ? (*signs)[axis] * origin[at] : origin[at];
  }
}

/// Lengths are in mm, axes are space, voxels are what they stand for.
void refuse_other_meanings(const TextFields& fields, VoxelType type) {
  for (const char* key : {"units", "space units"}) {
    std::string other = fields.text(key);
    for (std::size_t at = 0; (at = other.find("\"mm\"")) != std::string::npos;) other.erase(at, 4);
    if (!trimmed(other).empty()) {
      fields.fail(std::string(key) + " " + fields.text(key).substr(0, 60) +
                  ", expected mm; resample or repair it");
    }
  }
  std::istringstream kinds(lower_case(fields.text("kinds")));
  for (std::string kind; kinds >> kind;) {
    if (kind == "domain" || kind == "space" || kind == "???") continue;
    fields.fail("an axis of kind \"" + kind.substr(0, 40) +
                "\", expected three of space; save one component or one time");
  }
  for (const char* key : {"line skip", "byte skip"}) fields.require_absent_or(key, "0");
  if (is_whole(type) && (fields.has("old min") || fields.has("old max"))) {
    fields.fail(
        "old min and old max say that its integers stand for other values, expected none; "
        "save it as float32");
  }
}

}  // namespace

TextHeader nrrd_header(const std::string& name, const std::string& head) {
  const NrrdHead read = read_nrrd_head(name, head);
  const TextFields& fields = read.fields;
  if (fields.text("dimension") != "3") {
    std::string shape = fields.text("sizes").substr(0, 60);
    std::replace(shape.begin(), shape.end(), ' ', 'x');
    fields.fail(fields.text("dimension").substr(0, 8) + "-D image (" + shape +
                "), expected 3-D; split it or pick one volume");
  }
  TextHeader header;
  header.format = ImageFormat::kNrrd;
  header.data_offset = static_cast<std::int64_t>(read.data_offset);
  header.type = nrrd_type(fields);
  const std::vector<std::int64_t> sizes = fields.sizes("sizes");
  header.grid.size = {sizes[0], sizes[1], sizes[2]};
  refuse_other_meanings(fields, header.type);
  const std::string encoding = lower_case(fields.text("encoding"));
  header.compressed = encoding == "gzip" || encoding == "gz";
  if (!header.compressed && encoding != "raw") {
    fields.fail("encoding \"" + encoding.substr(0, 40) +
                "\", expected raw or gzip; save it once more, for example with 3D Slicer");
  }
  if (bytes_of(header.type) > 1) {
    if (!fields.has("endian")) fields.fail("no endian in its header, expected little or big");
    header.byte_swapped = fields.word("endian", {"little", "big"}) == "big";
  }
  set_nrrd_place(fields, header);
  return header;
}

}  // namespace mcvol
