#pragma once

#include <string>

#include <torch/csrc/jit/api/compilation_unit.h>

namespace mcvol {

/// Whether all code of a file may run: its operators have no effects outside their results
/// (operator_effects.h), it is not too large once its functions stand in one another, and what runs
/// as the file is read, `__setstate__`, has no loops, which could not be stopped there.
/// @param name the file's, for messages.
/// @throws ModelError naming the operator and the method that it stands in.
void require_harmless_code(const torch::jit::CompilationUnit& code, const std::string& name);

/// Loops of a constant length are written out where graphs are simplified. @throws ModelError where
/// that would make the graph too large.
void require_bounded_unrolling(const torch::jit::Graph& graph, const std::string& name);

}  // namespace mcvol
