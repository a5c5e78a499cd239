// Content hash of files: XXH3 with 128 bits. Finds damage, not forgery.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace ty {

// Hash of a byte sequence that arrives in pieces; how it is divided does not matter.
class ContentHash {
 public:
  ContentHash();
  void update(std::span<const std::byte> bytes);
  // 32 hexadecimal digits for everything seen so far.
  std::string hex() const;

 private:
  struct Free {
    void operator()(void* state) const noexcept;
  };
  std::unique_ptr<void, Free> state_;
};

// hex() of one piece.
std::string content_hash(std::span<const std::byte> bytes);

}  // namespace ty
