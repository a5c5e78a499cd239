#include "core/data/character_classes.h"

#include <algorithm>

#include "core/data/utf8.h"

namespace ty {

const CharacterClasses& CharacterClasses::get() {
  static const CharacterClasses instance;
  return instance;
}

CharacterClasses::CharacterClasses() : bits_(kCodePoints) {
  const auto runs = character_runs();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::size_t end = i + 1 < runs.size() ? runs[i + 1] >> 4 : kCodePoints;
    std::fill(bits_.begin() + (runs[i] >> 4), bits_.begin() + static_cast<std::ptrdiff_t>(end),
              static_cast<std::uint8_t>(runs[i] & 0xfu));
  }
}

}  // namespace ty
