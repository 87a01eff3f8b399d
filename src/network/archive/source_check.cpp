#include "source_check.h"

#include <algorithm>
#include <set>

#include <torch/csrc/jit/frontend/lexer.h>
#include <torch/csrc/jit/frontend/parser.h>
#include <torch/csrc/jit/frontend/tree_views.h>

namespace mcvol {
namespace {

using torch::jit::Lexer;
using torch::jit::TreeRef;

/// Far beyond what exports have: about 20 brackets and some hundred tokens.
constexpr int kDeepest = 400, kMostInLine = 5000, kMostElif = 500;

bool calls_itself_too_often(const std::shared_ptr<torch::jit::Source>& source) {
  Lexer lexer(source);
  int brackets = 0, indents = 0, in_line = 0, elifs = 0;
  for (int kind = lexer.cur().kind; kind != torch::jit::TK_EOF; kind = lexer.cur().kind) {
    if (kind == '(' || kind == '[' || kind == '{') ++brackets;
    if (kind == ')' || kind == ']' || kind == '}') --brackets;
    if (kind == torch::jit::TK_INDENT) ++indents;
    if (kind == torch::jit::TK_DEDENT) --indents;
    if (kind == torch::jit::TK_ELIF) ++elifs;
    const bool element = kind == ',' || kind == torch::jit::TK_NUMBER;
    in_line = kind == torch::jit::TK_NEWLINE ? 0 : in_line + (element ? 0 : 1);
    if (brackets > kDeepest || indents > kDeepest || in_line > kMostInLine || elifs > kMostElif) {
      return true;
    }
    lexer.next();
  }
  return false;
}

/// A number, text, name or type, or a list of these, which compiling does not run.
bool is_literal(const TreeRef& tree) {
  static const std::set<int> plain = {
      torch::jit::TK_CONST, torch::jit::TK_STRINGLITERAL, torch::jit::TK_TRUE,
      torch::jit::TK_FALSE, torch::jit::TK_NONE,          torch::jit::TK_VAR,
      torch::jit::TK_IDENT, torch::jit::TK_STRING,        torch::jit::TK_NUMBER};
  static const std::set<int> nested = {torch::jit::TK_LIST_LITERAL, torch::jit::TK_TUPLE_LITERAL,
                                       torch::jit::TK_DICT_LITERAL, torch::jit::TK_UNARY_MINUS,
                                       torch::jit::TK_SUBSCRIPT,    torch::jit::TK_LIST,
                                       torch::jit::TK_OPTION,       '.'};
  if (plain.contains(tree->kind())) return true;
  if (tree->kind() == torch::jit::TK_APPLY) {
    // float("inf"), torch.device("cpu")
    const std::string callee = torch::jit::Apply(tree).callee().range().text().str();
    const bool harmless = callee == "float" || callee == "torch.device" || callee == "Device";
    if (!harmless) return false;
    for (const torch::jit::Expr& input : torch::jit::Apply(tree).inputs()) {
      if (input.kind() != torch::jit::TK_STRINGLITERAL) return false;
    }
    return true;
  }
  return nested.contains(tree->kind()) &&
         std::all_of(tree->trees().begin(), tree->trees().end(), is_literal);
}

bool any_default_is_computed(const TreeRef& tree) {
  if (tree->isAtom()) return false;
  if (tree->kind() == torch::jit::TK_PARAM) {
    const auto value = torch::jit::Param(tree).defaultValue();
    if (value.present() && !is_literal(value.get())) return true;
  }
  return std::any_of(tree->trees().begin(), tree->trees().end(), any_default_is_computed);
}

bool any_constant_is_computed(const torch::jit::ClassDef& definition) {
  for (const torch::jit::Stmt& statement : definition.body()) {
    if (statement.kind() != torch::jit::TK_ASSIGN) continue;
    const auto value = torch::jit::Assign(statement).rhs();
    if (value.present() && !is_literal(value.get())) return true;
  }
  return false;
}

void skip_line(Lexer& lexer) {
  while (lexer.cur().kind != torch::jit::TK_NEWLINE && lexer.cur().kind != torch::jit::TK_EOF) {
    lexer.next();
  }
  lexer.nextIf(torch::jit::TK_NEWLINE);
}

bool any_value_is_computed(const std::shared_ptr<torch::jit::Source>& source) {
  torch::jit::Parser parser(source);
  Lexer& lexer = parser.lexer();
  while (lexer.cur().kind != torch::jit::TK_EOF) {
    TreeRef tree;
    if (lexer.cur().kind == torch::jit::TK_CLASS_DEF) {
      tree = parser.parseClass();
      if (any_constant_is_computed(torch::jit::ClassDef(tree))) return true;
    } else if (lexer.cur().kind == torch::jit::TK_DEF) {
      tree = parser.parseFunction(false);
    } else {
      skip_line(lexer);  // an import, or the version of the operators
      continue;
    }
    if (any_default_is_computed(tree)) return true;
  }
  return false;
}

}  // namespace

std::string danger_of_compiling(const std::shared_ptr<torch::jit::Source>& source,
                                const std::string& record) {
  if (calls_itself_too_often(source)) return "code that is too deep or too long in " + record;
  if (any_value_is_computed(source)) return "a default value that is computed in " + record;
  return {};
}

}  // namespace mcvol
