#include "mcvol/files/sha256.h"

#include "mcvol/error/error.h"
#include "mcvol/files/file_descriptor.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

namespace mcvol {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
      throw Error("SHA-256 is not available in this OpenSSL");
    }
  }

  void update(const void* bytes, std::size_t size) {
    if (EVP_DigestUpdate(context_.get(), bytes, size) != 1) throw Error("SHA-256 failed");
  }

  std::string hexadecimal() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1) {
      throw Error("SHA-256 failed");
    }
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
      text += kDigits[digest[i] >> 4];
      text += kDigits[digest[i] & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256_of_bytes(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes.data(), bytes.size());
  return hash.hexadecimal();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ssize_t count = file.is_open() ? 1 : -1;
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  while (count > 0 || (count < 0 && file.is_open() && errno == EINTR)) {
    count = ::read(file.get(), buffer.data(), buffer.size());
    if (count > 0) hash.update(buffer.data(), static_cast<std::size_t>(count));
  }
  if (count < 0) throw Error(path.string() + ": cannot read: " + std::strerror(errno));
  return hash.hexadecimal();
}

}  // namespace mcvol
