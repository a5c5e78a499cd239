// Hostile versions of good files: bytes that were damaged, and documents with one thing wrong in
// them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/fuzz/random.h"

namespace ty::test {

// Flipped, cut, doubled, inserted or zeroed somewhere.
std::string damaged(std::string bytes, Choices& choices);

// What was changed in a document.
struct Change {
  std::string text;  // the new document
  std::string
      key;  // dotted path of the value that was replaced or removed; "" if the text was damaged
  bool adds_key = false;
};
// A document with a value replaced by a nasty one, a key removed, doubled or added, or its text
// damaged.
Change changed(const nlohmann::json& document, Choices& choices);

// Numbers, texts and structures that programs trip over.
nlohmann::json nasty_value(Choices& choices);

}  // namespace ty::test
