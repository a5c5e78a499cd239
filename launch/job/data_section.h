// Section `data` of the job file: what is read, and how it is cut into sequences and batches.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/config/fields.h"
#include "core/data/text_source.h"

namespace ty {

struct DataSection {
  std::filesystem::path train, valid;  // may be empty (plan, bench)
  std::int64_t sequence = 128;         // tokens per sequence
  std::int64_t batch = 8;              // sequences per optimizer step, over all ranks
  std::string text_key = "text";       // of JSONL
  std::int64_t column = 0;             // of TSV
  TsvHeader header = TsvHeader::automatic;
};

void fields(config::Fields& f, DataSection& s);

}  // namespace ty
