#include "product_equation.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "batched_products.h"

namespace mcvol {
namespace {

struct Equation {
  std::string first, second, result;
};

bool holds(const std::string& letters, char letter) {
  return letters.find(letter) != std::string::npos;
}

/// Without an arrow the result has what stands once, in alphabetical order, capitals first.
std::string implied_result(const std::string& operands) {
  std::string letters;
  for (const char letter : operands) {
    if (std::count(operands.begin(), operands.end(), letter) == 1) letters += letter;
  }
  std::sort(letters.begin(), letters.end());
  return letters;
}

/// @param text of two operands.
Equation parsed(std::string text) {
  std::erase(text, ' ');
  const std::size_t comma = text.find(',');
  const std::size_t arrow = text.find("->");
  Equation equation{text.substr(0, comma), text.substr(comma + 1, arrow - comma - 1), {}};
  equation.result = arrow == std::string::npos ? implied_result(equation.first + equation.second)
                                               : text.substr(arrow + 2);
  return equation;
}

bool has_each_letter_once(std::string letters) {
  std::sort(letters.begin(), letters.end());
  return std::adjacent_find(letters.begin(), letters.end()) == letters.end() &&
         std::all_of(letters.begin(), letters.end(),
                     [](unsigned char letter) { return std::isalpha(letter) != 0; });
}

/// Where the letters stand in an operand, and how many of them in a row become one dimension.
struct Groups {
  std::vector<std::string> letters;  ///< a dimension each; none of them: of size 1

  void add_each(const std::string& of) {
    for (const char letter : of) letters.emplace_back(1, letter);
  }
};

std::int64_t size_of(const std::string& letters, const std::string& names, at::IntArrayRef sizes) {
  std::int64_t size = 1;
  for (const char letter : letters) {
    const std::size_t at = names.find(letter);
    if (at != std::string::npos) size *= sizes[at];
  }
  return size;
}

/// An operand with a dimension for each group, of size 1 where it has none of the letters.
at::Tensor grouped(const at::Tensor& operand, const std::string& names, const Groups& groups) {
  std::vector<std::int64_t> order, sizes;
  for (const std::string& letters : groups.letters) {
    for (const char letter : letters) {
      const std::size_t at = names.find(letter);
      if (at != std::string::npos) order.push_back(static_cast<std::int64_t>(at));
    }
    sizes.push_back(size_of(letters, names, operand.sizes()));
  }
  return operand.permute(order).reshape(sizes);
}

/// Sizes of the letters that both have, which may be 1 in one of them.
void widen(const Equation& equation, at::Tensor& first, at::Tensor& second) {
  std::vector<std::int64_t> left = first.sizes().vec(), right = second.sizes().vec();
  for (std::size_t n = 0; n < left.size(); ++n) {
    const std::size_t other = equation.second.find(equation.first[n]);
    if (other == std::string::npos) continue;
    if (left[n] == 1) left[n] = right[other];
    if (right[other] == 1) right[other] = left[n];
    TORCH_CHECK(left[n] == right[other], "einsum of ", first.sizes(), " and ", second.sizes(),
                ": sizes of '", equation.first[n], "' differ");
  }
  first = first.expand(left);
  second = second.expand(right);
}

}  // namespace

bool is_product(const std::string& equation) {
  if (std::count(equation.begin(), equation.end(), ',') != 1) return false;
  const Equation parts = parsed(equation);
  const std::string both = parts.first + parts.second;
  if (!has_each_letter_once(parts.first) || !has_each_letter_once(parts.second) ||
      !has_each_letter_once(parts.result)) {
    return false;
  }
  const auto in_operands = [&](char letter) { return holds(both, letter); };
  const auto in_result_or_both = [&](char letter) {
    return holds(parts.result, letter) ||
           (holds(parts.first, letter) && holds(parts.second, letter));
  };
  return std::all_of(parts.result.begin(), parts.result.end(), in_operands) &&
         std::all_of(both.begin(), both.end(), in_result_or_both);
}

at::Tensor product_by_equation(const std::string& text, const at::Tensor& first,
                               const at::Tensor& second) {
  const Equation equation = parsed(text);
  TORCH_CHECK(first.dim() == static_cast<std::int64_t>(equation.first.size()) &&
                  second.dim() == static_cast<std::int64_t>(equation.second.size()),
              "einsum ", text, " of ", first.sizes(), " and ", second.sizes());
  at::Tensor left = first, right = second;
  widen(equation, left, right);
  std::string matrices, rows, columns, inner;
  for (const char letter : equation.result) {
    const bool in_first = holds(equation.first, letter), in_second = holds(equation.second, letter);
    const bool numbers_samples = letter == (in_first ? equation.first : equation.second).front();
    std::string& group = (in_first && in_second) || numbers_samples ? matrices
                         : in_first                                 ? rows
                                                                    : columns;
    group += letter;
  }
  for (const char letter : equation.first) {
    if (!holds(equation.result, letter)) inner += letter;
  }
  Groups of_first, of_second;
  of_first.letters = of_second.letters = {""};  // one dimension more: never without a batch
  of_first.add_each(matrices);
  of_second.add_each(matrices);
  of_first.letters.insert(of_first.letters.end(), {rows, inner});
  of_second.letters.insert(of_second.letters.end(), {inner, columns});
  const at::Tensor product = batched_product(grouped(left, equation.first, of_first),
                                             grouped(right, equation.second, of_second));
  const std::string found = matrices + rows + columns;
  std::vector<std::int64_t> sizes, order;
  for (const char letter : found) {
    const std::string one(1, letter);
    sizes.push_back(holds(equation.first, letter) ? size_of(one, equation.first, left.sizes())
                                                  : size_of(one, equation.second, right.sizes()));
  }
  for (const char letter : equation.result) {
    order.push_back(static_cast<std::int64_t>(found.find(letter)));
  }
  return product.reshape(sizes).permute(order);
}

}  // namespace mcvol
