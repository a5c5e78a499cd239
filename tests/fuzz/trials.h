// The kinds of hostile input: how each is made from good files, and what must become of it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/program.h"
#include "tests/support/temp_dir.h"

namespace ty::test {

using Words = std::vector<std::string>;

// Good files, made by the binary itself, and the numbers that it gets from them.
class Corpus {
 public:
  explicit Corpus(std::string binary);

  const std::string& binary() const { return binary_; }
  const Path& root() const { return directory_.path(); }
  // Of five ids, and of text.bin.
  double loss() const { return loss_; }
  double file_loss() const { return file_loss_; }

 private:
  nlohmann::json must(Words words) const;

  TempDir directory_;
  std::string binary_;
  double loss_ = 0, file_loss_ = 0;
};

// One hostile input: what to run on it, and what an accepted one must say.
struct Trial {
  Words words;
  std::function<std::string(const Outcome&)> judge = {};  // "" if the output is right
};

struct Kind {
  const char* name;
  std::uint64_t inputs;
  // Makes an input in an empty directory.
  Trial (*make)(const Corpus& corpus, const Path& here, Choices& choices);
};
std::span<const Kind> kinds();

}  // namespace ty::test
