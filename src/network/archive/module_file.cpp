#include "module_file.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "code_check.h"
#include "file_kind.h"
#include "pickle_check.h"
#include "source_check.h"
#include <ATen/core/qualified_name.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/csrc/jit/serialization/import_read.h>
#include <torch/csrc/jit/serialization/import_source.h>
#include <torch/csrc/jit/serialization/unpickler.h>

namespace mcvol {
namespace {

using caffe2::serialize::PyTorchStreamReader;
using torch::jit::SourceImporter;

/// A cause that is said to the user as it is.
struct Refusal {
  std::string reason;
};

std::string text_of(PyTorchStreamReader& reader, const std::string& record) {
  const auto [data, size] = reader.getRecord(record);
  return {static_cast<const char*>(data.get()), size};
}

/// The archive's code, compiled and not run. What the reading of a file may run are the methods of
/// the types that its objects name, and what these call: all that is compiled here.
class Code {
 public:
  Code(PyTorchStreamReader& reader, const std::string& name)
      : reader_(reader),
        name_(name),
        unit_(std::make_shared<torch::jit::CompilationUnit>()),
        constants_(constants()),
        importer_(
            unit_, &constants_, [this](const std::string& qualifier) { return source(qualifier); },
            reader.version()) {}

  /// Makes the archive's objects without their values and without calling any of their methods, for
  /// the types that they are of.
  void compile_types_of_objects() {
    const std::string pickle = text_of(reader_, "data.pkl");
    std::size_t position = 0;
    const auto read = [&](char* buffer, std::size_t size) {
      const std::size_t count = std::min(size, pickle.size() - position);
      pickle.copy(buffer, count, position);
      position += count;
      return count;
    };
    torch::jit::Unpickler unpickler(
        read, [this](const c10::QualifiedName& type) { return resolved(type); },
        [this](const at::StrongTypePtr& type, const c10::IValue& state) {
          require_tensors_within_records(state);
          const auto cls = type.type_->expect<c10::ClassType>();
          return c10::ivalue::Object::create(type, cls->numAttributes());
        },
        [this](const std::string& record) { return zeros_for("data/" + record); }, at::kCPU);
    unpickler.set_version(reader_.version());
    require_tensors_within_records(unpickler.parse_ivalue());
  }

  const torch::jit::CompilationUnit& unit() const { return *unit_; }

 private:
  std::vector<c10::IValue> constants() {
    const auto refuse_type = [](const c10::QualifiedName& type) -> at::StrongTypePtr {
      throw Refusal{"a constant of type " + type.name()};
    };
    const auto refuse_object = [](const at::StrongTypePtr&,
                                  const c10::IValue&) -> c10::intrusive_ptr<c10::ivalue::Object> {
      throw Refusal{"a constant that is an object"};
    };
    const c10::IValue table = torch::jit::readArchiveAndTensors("constants", "", "", refuse_type,
                                                                refuse_object, at::kCPU, reader_);
    return table.toTupleRef().elements().vec();
  }

  std::shared_ptr<torch::jit::Source> source(const std::string& qualifier) {
    std::string record = "code/" + qualifier;
    std::replace(record.begin(), record.end(), '.', '/');
    record += ".py";
    if (!reader_.hasRecord(record)) return nullptr;
    auto source = std::make_shared<torch::jit::Source>(text_of(reader_, record), record, 1);
    const std::string danger = danger_of_compiling(source, record);
    if (!danger.empty()) throw Refusal{danger};
    return source;
  }

  at::StrongTypePtr resolved(const c10::QualifiedName& type) {
    if (type.qualifiedName().starts_with("__torch__.torch.classes.")) {
      throw ModelError(name_ + ": the network holds an object of the C++ class " +
                       type.qualifiedName().substr(10) +
                       ", whose code is not in the file; mcvol runs only what it can look at: "
                       "export the network without it (quantized networks as float32)");
    }
    return {unit_, importer_.loadType(type)};
  }

  /// In place of a tensor's values, which nobody looks at: pages that are never touched.
  at::DataPtr zeros_for(const std::string& record) {
    const std::size_t size = reader_.getRecordSize(record);
    void* const zeros = std::calloc(size + 1, 1);
    if (zeros == nullptr) throw std::bad_alloc();
    record_bytes_[zeros] = size;
    return {zeros, zeros, &std::free, at::kCPU};
  }

  /// LibTorch takes a tensor's place and size from the file as they are, and would read beyond.
  void require_tensors_within_records(const c10::IValue& value) {
    value.visit([this](const c10::IValue& part) {
      if (!part.isTensor() || !part.toTensor().defined() || !part.toTensor().has_storage()) {
        return false;
      }
      const at::Tensor& tensor = part.toTensor();
      const auto known = record_bytes_.find(tensor.storage().data_ptr().get());
      if (known == record_bytes_.end() || tensor.numel() == 0) return false;
      const std::uint64_t fitting = known->second / tensor.element_size();
      auto last = static_cast<std::uint64_t>(tensor.storage_offset());
      bool within = last < fitting;
      for (std::int64_t d = 0; d < tensor.dim(); ++d) {
        std::uint64_t step = 0;  // of files that mean harm more than 64 bits
        within = within &&
                 !__builtin_mul_overflow(static_cast<std::uint64_t>(tensor.stride(d)),
                                         static_cast<std::uint64_t>(tensor.size(d) - 1), &step) &&
                 !__builtin_add_overflow(last, step, &last) && last < fitting;
      }
      if (!within || tensor.storage().nbytes() > known->second) {
        throw Refusal{"a tensor that reaches beyond its values"};
      }
      return false;
    });
  }

  PyTorchStreamReader& reader_;
  const std::string& name_;
  std::shared_ptr<torch::jit::CompilationUnit> unit_;
  std::map<const void*, std::size_t> record_bytes_;  ///< of what zeros_for() gave
  std::vector<c10::IValue> constants_;
  SourceImporter importer_;
};

/// What LibTorch would make of the archive's pickles, and how much it would read for it. PyTorch
/// compresses code and nothing else, and weights that somebody compresses hardly shrink: records of
/// hundreds of times the file, compressed, over each other or read again and again, are there to
/// fill memory.
void require_harmless_objects(PyTorchStreamReader& reader, const std::filesystem::path& path) {
  constexpr std::uint64_t kMostCode = 100'000'000;  // bytes
  constexpr std::uint64_t kMostTimesTheFile = 100;
  std::uint64_t code = 0, others = 0;
  for (const std::string& record : reader.getAllRecords()) {
    (record.starts_with("code/") ? code : others) += reader.getRecordSize(record);
  }
  const std::uint64_t most = kMostTimesTheFile * std::filesystem::file_size(path);
  if (others > most) throw Refusal{"records more than a hundred times as large as the file"};
  if (code > kMostCode) throw Refusal{"more than 100 MB of code"};
  std::uint64_t read = 0;
  for (const std::string& record : reader.getAllRecords()) {
    // What is beside the code tells where it came from: LibTorch reads it for its messages.
    const bool is_debug = record.starts_with("code/") && record.ends_with(".debug_pkl");
    if (record != "constants.pkl" && record != "data.pkl" && !is_debug) continue;
    const PickleFindings findings = findings_in_pickle(text_of(reader, record));
    if (!findings.danger.empty()) throw Refusal{findings.danger};
    const std::string folder = record == "constants.pkl" ? "constants/" : "data/";
    for (const std::string& of : findings.records) {
      if (reader.hasRecord(folder + of)) read += reader.getRecordSize(folder + of);
    }
  }
  if (read > most) throw Refusal{"tensors that read more than a hundred times the file"};
}

}  // namespace

torch::jit::Module load_module(const std::filesystem::path& path, const std::string& name) {
  if (const std::string found = other_kind_of(path); !found.empty()) {
    throw ModelError(name + ": " + found);
  }
  try {
    PyTorchStreamReader reader(path.string());
    // LibTorch would read a model.json by another way.
    if (!reader.hasRecord("constants.pkl") || !reader.hasRecord("data.pkl") ||
        reader.hasRecord("model.json")) {
      throw ModelError(name + ": " + what_archive_holds(reader.getAllRecords()));
    }
    require_harmless_objects(reader, path);
    Code code(reader, name);
    code.compile_types_of_objects();
    require_harmless_code(code.unit(), name);
    torch::jit::Module module = torch::jit::load(path.string(), at::kCPU);
    module.eval();
    return module;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const Refusal& refusal) {
    throw ModelError(name + ": holds " + refusal.reason +
                     ", which no export of PyTorch has; export the network anew");
  } catch (const std::exception& error) {
    throw ModelError(name + ": " + damage_in(error));
  }
}

}  // namespace mcvol
