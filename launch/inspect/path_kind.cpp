#include "launch/inspect/path_kind.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/error.h"
#include "core/data/text_source.h"
#include "core/data/token_file.h"
#include "core/io/checkpoint.h"
#include "core/io/safetensors.h"

namespace ty {

namespace {

constexpr std::string_view kKnown =
    "want a run, checkpoint, model or tokenizer directory, a .safetensors file, a token file "
    "(.bin) "
    "or a text (.txt, .jsonl, .tsv)";

std::string first_bytes(const Path& path) {
  const File file = File::open(path);
  std::string head(std::min<std::uint64_t>(file.size(), 4096), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(head)));
  return head;
}

// A length of the header, then the header, which is a JSON object.
bool begins_as_safetensors(std::string_view head) {
  std::uint64_t length = 0;
  if (head.size() < sizeof(length) + 1) return false;
  std::memcpy(&length, head.data(), sizeof(length));
  return length <= kSafetensorsMaxHeader && head[sizeof(length)] == '{';
}

PathKind kind_of_directory(const Path& path) {
  const auto has = [&](const char* name) { return std::filesystem::exists(path / name); };
  const bool is_step = path.filename().string().starts_with("step-");
  if (has("checkpoints") || (has("config.yaml") && has(kManifestName))) return PathKind::run;
  if (has("config.json") || has("model.safetensors") || has("model.safetensors.index.json")) {
    return has(kManifestName) || (is_step && has("optimizer-0.safetensors")) ? PathKind::checkpoint
                                                                             : PathKind::model;
  }
  if (is_step && has(kManifestName)) return PathKind::checkpoint;
  if (has("tokenizer.json") || (has("vocab.json") && has("merges.txt")) || has("vocab.txt")) {
    return PathKind::tokenizer;
  }
  if (has("tokenizer") && has("data")) return PathKind::run;
  throw UsageError("{}: nothing known lies in this directory; {}", path.string(), kKnown);
}

PathKind kind_of_file(const Path& path) {
  const std::string extension = lower_extension(path);
  if (extension == ".safetensors" || path.string().ends_with(".safetensors.index.json")) {
    return PathKind::tensors;
  }
  if (extension == ".bin") return PathKind::token_file;
  if (extension == ".jsonl" || extension == ".tsv" || extension == ".txt") return PathKind::text;
  if (extension == ".yaml" || extension == ".yml") {
    throw UsageError("{}: looks like a job file; see trainyard config show", path.string());
  }
  if (extension == ".json") {
    throw UsageError("{}: one file of a directory; name the directory {}", path.string(),
                     path.has_parent_path() ? path.parent_path().string() : ".");
  }
  const std::string head = first_bytes(path);
  if (begins_as_token_file(std::as_bytes(std::span(head)))) return PathKind::token_file;
  if (begins_as_safetensors(head)) return PathKind::tensors;
  if (head.find('\0') == std::string::npos) return PathKind::text;
  throw UsageError("{}: neither text nor a format known here; {}", path.string(), kKnown);
}

}  // namespace

std::string_view name_of(PathKind kind) {
  switch (kind) {
    case PathKind::run:
      return "run";
    case PathKind::checkpoint:
      return "checkpoint";
    case PathKind::model:
      return "model";
    case PathKind::tensors:
      return "tensors";
    case PathKind::token_file:
      return "token_file";
    case PathKind::text:
      return "text";
    case PathKind::tokenizer:
      return "tokenizer";
  }
  throw InternalError("unknown kind of path");
}

PathKind recognise(const Path& path) {
  if (std::filesystem::is_directory(path)) return kind_of_directory(path);
  if (std::filesystem::is_regular_file(path)) return kind_of_file(path);
  throw UsageError("{}: no such file or directory; {}", path.string(), kKnown);
}

}  // namespace ty
