#include "text_header.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <system_error>
#include <vector>

#include "refusal.h"
#include <zlib.h>

namespace mcvol {
namespace {

constexpr std::int64_t kMostHeaderBytes = 1 << 20;

std::ifstream opened(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) refuse(name, "no such file");
  if (!std::filesystem::is_regular_file(status)) {
    refuse(name, std::filesystem::is_directory(status) ? "a folder, expected an image"
                                                       : "not a regular file, expected an image");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(name, "cannot be opened");
  if (std::filesystem::file_size(path) == 0) refuse(name, "an empty file, expected an image");
  return file;
}

/// The next line without its end, as either system ends them. False at the end of the file.
bool next_line(std::ifstream& file, std::string& line) {
  if (file.tellg() > kMostHeaderBytes || !std::getline(file, line)) return false;
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

void add_field(TextHeader& header, const std::string& line, std::size_t separator,
               std::size_t length) {
  header.fields[lower_case(trimmed(line.substr(0, separator)))] =
      trimmed(line.substr(separator + length));
}

std::string field(const TextHeader& header, const std::string& name) {
  const auto found = header.fields.find(name);
  return found == header.fields.end() ? "" : found->second;
}

void require_three_dimensions(const std::string& name, const std::string& dimensions,
                              const std::string& sizes) {
  if (dimensions == "3") return;
  std::string shape = sizes;
  std::replace(shape.begin(), shape.end(), ' ', 'x');
  refuse(name, dimensions + "-D image (" + shape + "), expected 3-D; split it or pick one volume");
}

[[noreturn]] void refuse_other_file(const std::string& name, const std::string& other,
                                    const std::string& ending) {
  refuse(name, "its voxels are in another file (" + other +
                   "), expected them in this one; save it as one " + ending +
                   " file, for example with 3D Slicer");
}

/// A field that would move the voxels or give them another meaning. @param key as documents write
/// it.
void require_absent_or(const std::string& name, const TextHeader& header, const std::string& key,
                       const std::string& harmless) {
  const std::string value = field(header, lower_case(key));
  if (value.empty() || value == harmless) return;
  refuse(name, key + " is " + value + ", expected " + harmless +
                   "; save it once more, for example with 3D Slicer");
}

/// Inflates what is left of a file. @returns bytes unpacked.
std::int64_t unpacked_bytes(const std::string& name, std::ifstream& file) {
  struct Stream : z_stream {
    Stream() : z_stream{} { inflateInit2(this, 15 + 32); }  // gzip or zlib, by its head
    ~Stream() { inflateEnd(this); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
  } stream;
  std::vector<char> packed(std::size_t{1} << 18U), unpacked(std::size_t{1} << 20U);
  std::int64_t total = 0;
  int result = Z_OK;
  while (result == Z_OK) {
    if (stream.avail_in == 0) {
      file.read(packed.data(), static_cast<std::streamsize>(packed.size()));
      stream.next_in = reinterpret_cast<Bytef*>(packed.data());
      stream.avail_in = static_cast<uInt>(file.gcount());
      if (stream.avail_in == 0) {
        refuse(name, "truncated, the compressed data end too early; copy it again");
      }
    }
    stream.next_out = reinterpret_cast<Bytef*>(unpacked.data());
    stream.avail_out = static_cast<uInt>(unpacked.size());
    result = inflate(&stream, Z_NO_FLUSH);
    total += static_cast<std::int64_t>(unpacked.size() - stream.avail_out);
  }
  if (result != Z_STREAM_END) {
    refuse(name, "damaged, its compressed data are corrupt; copy it again");
  }
  return total;
}

std::int64_t stored_bytes(const std::filesystem::path& path, const TextHeader& header) {
  return static_cast<std::int64_t>(std::filesystem::file_size(path)) - header.data_offset;
}

void require_bytes(const std::filesystem::path& path, std::int64_t found, std::int64_t expected) {
  if (found == expected) return;
  refuse(path.filename().string(), (found < expected ? "truncated: " : "damaged: ") +
                                       std::to_string(found) + " bytes of voxels, expected " +
                                       std::to_string(expected) + "; copy it again");
}

}  // namespace

TextHeader read_nrrd_header(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  std::ifstream file = opened(path);
  std::string line;
  if (!next_line(file, line) || !line.starts_with("NRRD000")) {
    refuse(name, "not a NRRD file (its first line is not NRRD000 and a digit)");
  }
  TextHeader header;
  while (next_line(file, line) && !line.empty()) {
    const std::size_t colon = line.find(": ");
    if (line.front() != '#' && colon != std::string::npos) add_field(header, line, colon, 1);
  }
  if (!file || !line.empty()) {
    refuse(name, "truncated: no empty line ends its NRRD header; a header of its own (.nhdr)?");
  }
  header.data_offset = file.tellg();
  for (const char* key : {"data file", "datafile"}) {
    if (!field(header, key).empty()) refuse_other_file(name, field(header, key), ".nrrd");
  }
  require_three_dimensions(name, field(header, "dimension"), field(header, "sizes"));
  for (const char* key : {"line skip", "lineskip", "byte skip", "byteskip"}) {
    require_absent_or(name, header, key, "0");
  }
  const std::string encoding = lower_case(field(header, "encoding"));
  header.compressed = encoding == "gzip" || encoding == "gz";
  if (!header.compressed && encoding != "raw") {
    refuse(name, "encoding " + encoding +
                     ", expected raw or gzip; save it once more, for example "
                     "with 3D Slicer");
  }
  const std::string units = field(header, "space units");
  std::string other = units;
  for (std::size_t at = other.find("\"mm\""); at != std::string::npos; at = other.find("\"mm\"")) {
    other.erase(at, 4);
  }
  if (!trimmed(other).empty()) {
    refuse(name, "space units " + units + ", expected mm; resample or repair it");
  }
  const std::string space = lower_case(field(header, "space"));
  constexpr std::array kPatient{"right-anterior-superior", "ras", "left-anterior-superior", "las",
                                "left-posterior-superior", "lps"};
  header.orientation_known = std::find(kPatient.begin(), kPatient.end(), space) != kPatient.end() &&
                             !field(header, "space directions").empty();
  return header;
}

TextHeader read_meta_header(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  std::ifstream file = opened(path);
  TextHeader header;
  std::string line;
  while (field(header, "elementdatafile").empty() && next_line(file, line)) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) break;
    add_field(header, line, equals, 1);
  }
  const std::string data = field(header, "elementdatafile");
  if (data.empty()) refuse(name, "not a MetaImage file, or truncated: no ElementDataFile");
  if (data != "LOCAL") refuse_other_file(name, data, ".mha");
  header.data_offset = file.tellg();
  require_three_dimensions(name, field(header, "ndims"), field(header, "dimsize"));
  require_absent_or(name, header, "ElementNumberOfChannels", "1");
  require_absent_or(name, header, "HeaderSize", "0");
  require_absent_or(name, header, "DistanceUnits", "mm");
  const std::string binary = lower_case(field(header, "binarydata"));
  if (binary == "false") {
    refuse(name, "voxels written as text, expected BinaryData = True; save it once more");
  }
  header.compressed = lower_case(field(header, "compresseddata")) == "true";
  for (const char* key : {"transformmatrix", "orientation", "rotation"}) {
    header.orientation_known = header.orientation_known || !field(header, key).empty();
  }
  return header;
}

void require_room(const std::filesystem::path& path, const TextHeader& header,
                  std::int64_t data_bytes) {
  const std::int64_t stored = stored_bytes(path, header);
  // Deflate gives at most 1032 bytes for one.
  if (header.compressed && 1032 * stored < data_bytes) {
    refuse(path.filename().string(),
           "truncated: " + std::to_string(stored) + " compressed bytes cannot hold the " +
               std::to_string(data_bytes) + " that its header claims; copy it again");
  }
  if (!header.compressed) require_bytes(path, stored, data_bytes);
}

void require_whole(const std::filesystem::path& path, const TextHeader& header,
                   std::int64_t data_bytes) {
  if (!header.compressed) return require_room(path, header, data_bytes);
  std::ifstream file = opened(path);
  file.seekg(header.data_offset);
  require_bytes(path, unpacked_bytes(path.filename().string(), file), data_bytes);
}

}  // namespace mcvol
