// Windows of a text with the special tokens around each that a model expects around a whole text.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/data/batch.h"
#include "core/data/tokenizer.h"

namespace ty {

struct Frame {
  std::vector<std::int32_t> before, after;  // [CLS] and [SEP] of BERT
  std::int32_t pad = 0;                     // behind a window that is shorter than others

  std::int64_t size() const { return std::ssize(before) + std::ssize(after); }
};

// What a tokenizer's template for a single text has around it; empty if that is nothing.
Frame frame_of(const Tokenizer& tokenizer);

// The ids of a source of windows in their frame, T + frame.size() each, and their lengths [B]: ids
// without a target are taken for padding, and leave no gap before what comes after. No targets, for
// the ids that follow are not what is to be predicted here.
std::unique_ptr<Source> framed_source(std::unique_ptr<Source> windows, Frame frame);

}  // namespace ty
