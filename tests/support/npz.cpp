#include "support/npz.h"

#include "mcvol/files/text_file.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <regex>
#include <stdexcept>

#include <zlib.h>

namespace mcvol::testing {
namespace {

template <typename Value>
Value at(const std::string& bytes, std::size_t offset) {
  static_assert(std::endian::native == std::endian::little);
  Value value;
  std::memcpy(&value, bytes.data() + offset, sizeof(Value));
  return value;
}

std::string inflated(const std::string& packed, std::size_t size) {
  std::string bytes(size, '\0');
  z_stream stream{};
  inflateInit2(&stream, -MAX_WBITS);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(size);
  const int state = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (state != Z_STREAM_END) throw std::runtime_error("npz: bad deflate stream");
  return bytes;
}

double half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const double fraction = bits & 1023;
  const double size =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -size : size;
}

double value_at(const std::string& bytes, std::size_t offset, const std::string& type) {
  if (type == "<f2") return half(at<std::uint16_t>(bytes, offset));
  if (type == "<f4") return at<float>(bytes, offset);
  if (type == "<f8") return at<double>(bytes, offset);
  if (type == "<i8") return static_cast<double>(at<std::int64_t>(bytes, offset));
  if (type == "|u1") return at<std::uint8_t>(bytes, offset);
  throw std::runtime_error("npz: type " + type);
}

NpzArray array_of(const std::string& npy) {
  const std::size_t header_size = at<std::uint16_t>(npy, 8);
  const std::string header = npy.substr(10, header_size);
  std::smatch match;
  std::regex_search(header, match, std::regex("'descr': '([^']+)'"));
  const std::string type = match[1];
  std::regex_search(header, match, std::regex("'shape': \\(([^)]*)\\)"));
  const std::string shape = match[1];
  NpzArray array;
  std::size_t count = 1;
  const std::regex number("[0-9]+");
  for (std::sregex_iterator it(shape.begin(), shape.end(), number), end; it != end; ++it) {
    array.shape.push_back(std::stoll(it->str()));
    count *= static_cast<std::size_t>(array.shape.back());
  }
  const auto width = static_cast<std::size_t>(type[2] - '0');
  for (std::size_t i = 0; i < count; ++i) {
    array.values.push_back(value_at(npy, 10 + header_size + i * width, type));
  }
  return array;
}

}  // namespace

std::map<std::string, NpzArray> read_npz(const std::filesystem::path& path) {
  const std::string zip = read_file(path);
  const std::size_t end = zip.rfind("PK\5\6");
  if (end == std::string::npos) throw std::runtime_error("npz: no zip directory");
  std::map<std::string, NpzArray> arrays;
  std::size_t entry = at<std::uint32_t>(zip, end + 16);
  for (int left = at<std::uint16_t>(zip, end + 10); left > 0; --left) {
    const std::size_t packed_size = at<std::uint32_t>(zip, entry + 20);
    const std::size_t size = at<std::uint32_t>(zip, entry + 24);
    const std::size_t name_size = at<std::uint16_t>(zip, entry + 28);
    const std::size_t local = at<std::uint32_t>(zip, entry + 42);
    std::string name = zip.substr(entry + 46, name_size);
    name = name.substr(0, name.rfind(".npy"));
    const std::size_t data =
        local + 30 + at<std::uint16_t>(zip, local + 26) + at<std::uint16_t>(zip, local + 28);
    const std::string packed = zip.substr(data, packed_size);
    arrays[name] =
        array_of(at<std::uint16_t>(zip, entry + 10) == 8 ? inflated(packed, size) : packed);
    entry +=
        46 + name_size + at<std::uint16_t>(zip, entry + 30) + at<std::uint16_t>(zip, entry + 32);
  }
  return arrays;
}

}  // namespace mcvol::testing
