// What is at a path, recognised by its content rather than by its name.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/io/file.h"

namespace ty {

enum class PathKind : std::uint8_t {
  run,         // directory with checkpoints/ or metrics
  checkpoint,  // directory step-N: a model directory, optimizer shards and a manifest
  model,       // directory with config.json and tensors
  tensors,     // a .safetensors file or an index of several
  token_file,  // ids of a corpus (.bin)
  text,        // plain text, JSONL or TSV
  tokenizer,   // directory with tokenizer.json, vocab.json and merges.txt, or vocab.txt
};
std::string_view name_of(PathKind kind);

// Throws UsageError that says what is expected if the path holds none of them.
PathKind recognise(const Path& path);

}  // namespace ty
