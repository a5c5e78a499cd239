// Section `data` of the job file: what is read, and how it is cut into sequences and batches.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "core/config/fields.h"
#include "core/data/tasks/cifar.h"
#include "core/data/tasks/glue.h"
#include "core/data/text_source.h"

namespace ty {

struct DataSection {
  std::filesystem::path train, valid;  // may be empty (plan, bench)
  std::int64_t sequence = 128;         // tokens per sequence
  std::int64_t batch = 8;              // sequences per optimizer step, over all ranks
  std::string text_key = "text";       // of JSONL
  std::int64_t column = 0;             // of TSV
  TsvHeader header = TsvHeader::automatic;
  // Of tasks with examples:
  std::string dataset = {};  // a public data set, whose files have a known form; empty: as named
  std::string first = "sentence", second = {}, answer = "label";  // columns or keys
  bool mirror = true;                                             // of images
};

// A public data set of images: a name, which labels are read, and how many there are.
struct ImageData {
  std::string_view name;
  CifarLabels form;
  std::int64_t labels;
};
std::span<const ImageData> image_data();
// Null if there is none of that name.
const ImageData* find_image_data(std::string_view name);
// Null if it is no task of GLUE.
const GlueData* find_glue_data(std::string_view name);

void fields(config::Fields& f, DataSection& s);

}  // namespace ty
