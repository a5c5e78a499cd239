// Ids that the public tokenizers library gives to strings with added tokens in them
// (tests/golden/tokenizer).
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/data/tokenizer.h"
#include "core/data/utf8.h"
#include "core/io/file.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

const Path kGolden = Path(TY_GOLDEN_DIR) / "tokenizer";
constexpr std::size_t kStrings = 20'000, kWholeWords = 2'000;

// The strings of make_tokenizer.py.
class Strings {
 public:
  std::string next() {
    std::string text;
    for (std::uint64_t parts = 1 + below(12); parts > 0; --parts) add_part(text);
    return text;
  }

 private:
  std::uint64_t below(std::uint64_t limit) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % limit;
  }
  void add_part(std::string& text) {
    if (below(8) > 0) {
      text += fragments_[below(fragments_.size())];
      return;
    }
    const auto code = static_cast<char32_t>(1 + below(0x10ffff));
    append_utf8(text, code >= 0xd800 && code < 0xe000 ? U'x' : code);
  }

  std::vector<std::string> fragments_ =
      nlohmann::json::parse(read_text_file(kGolden / "fragments.json", 1 << 20));
  std::uint64_t state_ = 1;
};

std::uint32_t hash_of(const std::vector<std::int32_t>& ids) {
  std::uint32_t hash = 2166136261u;
  for (std::int32_t id : ids) hash = (hash ^ static_cast<std::uint32_t>(id)) * 16777619u;
  return hash;
}

void expect_ids(const Tokenizer& tokenizer, Strings& strings,
                std::span<const std::uint32_t> hashes) {
  int wrong = 0;
  for (std::uint32_t hash : hashes) {
    const std::string text = strings.next();
    const auto ids = tokenizer.encode(text);
    if (hash_of(ids) != hash && wrong++ == 0) {
      ADD_FAILURE() << nlohmann::json(text) << " gives " << nlohmann::json(ids);
    }
  }
  EXPECT_EQ(wrong, 0) << "of " << hashes.size();
}

TEST(TokenizerGolden, IdsAreThoseOfThePublicLibrary) {
  const MappedFile file(kGolden / "ids.bin");
  std::vector<std::uint32_t> hashes(file.bytes().size() / 4);
  std::memcpy(hashes.data(), file.bytes().data(), file.bytes().size());
  ASSERT_EQ(hashes.size(), kStrings + kWholeWords);
  const std::span all(hashes);
  Strings strings;
  expect_ids(*load_tokenizer(kGolden), strings, all.first(kStrings));

  auto definition = nlohmann::json::parse(read_text_file(kGolden / "tokenizer.json", 1 << 20));
  definition["model"]["ignore_merges"] = true;
  const std::string text = definition.dump();
  const TempDir temp;
  atomic_write_file(temp / "tokenizer.json", bytes_of(text));
  expect_ids(*load_tokenizer(temp.path()), strings, all.subspan(kStrings));
}

}  // namespace
}  // namespace ty::test
