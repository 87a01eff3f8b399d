#include "archive_mutator.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <random>
#include <vector>

#include "archive.h"

namespace mcvol::fuzz {
namespace {

using MutateBytes = std::function<std::string(std::string bytes, std::size_t room)>;

/// What code of other networks has.
constexpr std::array<std::string_view, 58> kWords{"torch.dropout",
                                                  "torch.dropout_",
                                                  "torch.feature_dropout",
                                                  "torch.feature_dropout_",
                                                  "torch.alpha_dropout",
                                                  "torch.feature_alpha_dropout_",
                                                  "torch.bernoulli",
                                                  "torch.rand_like",
                                                  "torch.add",
                                                  "torch.add_",
                                                  "torch.mul_",
                                                  "torch.conv3d",
                                                  "torch.batch_norm",
                                                  "torch.instance_norm",
                                                  "torch.group_norm",
                                                  "torch.layer_norm",
                                                  "torch.relu_",
                                                  "torch.cat",
                                                  "torch.stack",
                                                  "torch.slice",
                                                  "torch.select",
                                                  "torch.size",
                                                  "torch.dim",
                                                  "torch.len",
                                                  "torch.mean",
                                                  "torch.softmax",
                                                  "torch.view",
                                                  "torch.reshape",
                                                  "torch.transpose",
                                                  "torch.permute",
                                                  "torch.matmul",
                                                  "torch.linear",
                                                  "torch.einsum",
                                                  "torch.upsample_nearest3d",
                                                  "torch.zeros_like",
                                                  "torch.copy_",
                                                  "torch.append",
                                                  "torch.__getitem__",
                                                  "torch.floordiv",
                                                  "ops.prim.NumToTensor",
                                                  "ops.prim.RaiseException",
                                                  "ops.prim.data",
                                                  "None",
                                                  "True",
                                                  "False",
                                                  "self",
                                                  "input",
                                                  "x",
                                                  "0",
                                                  "-1",
                                                  "1",
                                                  "5",
                                                  "0.",
                                                  "1.",
                                                  "9223372036854775807",
                                                  "[1, 1, 1]",
                                                  "annotate(List[int], [])",
                                                  "annotate(Optional[Tensor], None)"};

class Mutation {
 public:
  Mutation(unsigned seed, const MutateBytes& mutate) : random_(seed), mutate_(mutate) {}

  void change(std::vector<Member>& members) {
    const bool code = below(5) != 0;
    std::vector<Member*> chosen;
    for (Member& member : members) {
      if (member.name.ends_with(".py") == code) chosen.push_back(&member);
    }
    if (chosen.empty()) return;
    Member& member = *chosen[below(chosen.size())];
    if (code && below(4) != 0) {
      for (std::size_t n = 0; n <= below(3); ++n) change_code(member.bytes);
    } else {
      member.bytes = mutate_(member.bytes, member.bytes.size() + 16);
    }
  }

 private:
  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }

  void change_code(std::string& code) {
    if (below(2) == 0) return change_word(code);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < code.size();) {
      const std::size_t end = std::min(code.find('\n', at), code.size());
      lines.push_back(code.substr(at, end - at));
      at = end + 1;
    }
    if (lines.size() < 2) return;
    const std::size_t one = below(lines.size()), other = below(lines.size());
    switch (below(3)) {
      case 0:
        std::swap(lines[one], lines[other]);
        break;
      case 1:
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(one));
        break;
      default:
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(one), std::string(lines[other]));
    }
    code.clear();
    for (const std::string& line : lines) code += line + '\n';
  }

  /// A word becomes another of the same code or of others'.
  void change_word(std::string& code) {
    std::vector<std::pair<std::size_t, std::size_t>> words;
    const auto is_in_word = [&](std::size_t at) {
      const auto c = static_cast<unsigned char>(code[at]);
      return std::isalnum(c) != 0 || c == '_' || c == '.';
    };
    for (std::size_t at = 0; at < code.size(); ++at) {
      const std::size_t begin = at;
      while (at < code.size() && is_in_word(at)) ++at;
      if (at > begin) words.emplace_back(begin, at - begin);
    }
    if (words.empty()) return;
    const auto [begin, size] = words[below(words.size())];
    const auto [of, length] = words[below(words.size())];
    const std::string by =
        below(2) == 0 ? code.substr(of, length) : std::string(kWords[below(kWords.size())]);
    code.replace(begin, size, by);
  }

  std::mt19937 random_;
  const MutateBytes& mutate_;
};

}  // namespace

std::string mutated_network(std::string_view archive, unsigned seed, const MutateBytes& mutate) {
  std::vector<Member> members = members_of(archive);
  if (members.empty()) return {};
  Mutation(seed, mutate).change(members);
  return archive_of(members);
}

}  // namespace mcvol::fuzz
