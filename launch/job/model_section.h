// Section `model` of the job file: the model that is trained, either one from a directory or a new
// one of the sizes given here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/backend/backend.h"
#include "core/config/fields.h"
#include "models/families/family.h"

namespace ty {

// task: what task.kind wants. none: the last block's result (of encoders, their pooler too).
enum class HeadChoice : std::uint8_t { task, none };

struct ModelSection {
  std::filesystem::path from;  // a model directory; empty: start from random weights
  // Without `from`:
  std::string family{families().front().name};
  std::int64_t layers = 12;
  std::int64_t width = 768;
  std::int64_t heads = 12;
  std::int64_t inner = 0;           // 0: 4 * width
  std::int64_t context = 1024;      // of images: as many tokens as they have
  std::int64_t encoder_layers = 0;  // of an encoder-decoder; 0: as many as layers
  std::int64_t embedding_width = 0;
  std::int64_t image = 32, patch = 4, channels = 3;
  bool tied = true;
  std::optional<UnaryOp> activation;  // nothing: the family's
  std::int64_t vocab = 0;             // 0: the tokenizer's
  // Always:
  HeadChoice head = HeadChoice::task;
  std::optional<double> dropout;  // load_job fills in 0 without `from`; else: the directory's own
};

void fields(config::Fields& f, ModelSection& s);
void check(const ModelSection& s, config::Checks& checks);

}  // namespace ty
