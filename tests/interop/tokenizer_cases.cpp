// tokenizer_cases DIRECTORY CASES: encodes the texts of a file that tokenizer_cases.py wrote with
// the tokenizer of a directory, and prints how many of them have other ids than the public library
// gave them. Exit status 1 if any has.
//
// A file is a sequence of cases, each of 32-bit little-endian numbers and bytes:
//   bytes of the first text | 1 and those of the second, or 0 | the most ids, 0: no limit |
//   ids of the first text alone | ids and types with special tokens | bytes of the decoded ids
// Bytes and ids are preceded by their number; a decoded text of 2^32 - 1 bytes is not compared.
#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/encoding.h"
#include "core/io/file.h"

namespace ty {
namespace {

constexpr std::uint32_t kNotCompared = 0xffffffff;
constexpr int kMostShown = 5;

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }

  std::uint32_t number() {
    std::uint32_t value = 0;
    std::memcpy(&value, take(4).data(), 4);
    return value;
  }
  std::string_view bytes() { return take(number()); }
  std::optional<std::string_view> bytes_or_none() {
    const std::uint32_t size = number();
    return size == kNotCompared ? std::nullopt : std::optional(take(size));
  }
  std::vector<std::int32_t> ids() {
    std::vector<std::int32_t> ids(number());
    std::memcpy(ids.data(), take(4 * ids.size()).data(), 4 * ids.size());
    return ids;
  }

 private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) throw DataError("the file of cases ends within a case");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view rest_;
};

std::string shown(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

// Prints the first faults and counts all.
class Faults {
 public:
  template <typename Ours, typename Theirs>
  bool differ(const char* what, std::string_view text, const Ours& ours, const Theirs& theirs) {
    if (ours == theirs) return false;
    if (shown_++ < kMostShown) {
      fmt::print("{} of {}\n  ours   {}\n  theirs {}\n", what, shown(text),
                 nlohmann::json(ours).dump(-1, ' ', true),
                 nlohmann::json(theirs).dump(-1, ' ', true));
    }
    return true;
  }

 private:
  int shown_ = 0;
};

bool is_wrong(const Tokenizer& tokenizer, Reader& reader, Faults& faults) {
  const std::string_view first = reader.bytes();
  std::optional<std::string_view> second;
  if (reader.number() != 0) second = reader.bytes();
  const std::int64_t longest = reader.number();
  const auto plain = reader.ids(), ids = reader.ids(), types = reader.ids();
  const auto decoded = reader.bytes_or_none();

  const auto ours = tokenizer.encode(first);
  const Encoding encoding = encode_with_special(tokenizer, first, second, longest);
  bool wrong = faults.differ("ids", first, ours, plain);
  wrong |= faults.differ("ids with special tokens", first, encoding.ids, ids);
  wrong |= faults.differ("types", first, encoding.types, types);
  if (decoded) {
    wrong |= faults.differ("text", first, tokenizer.decode(ours), std::string(*decoded));
  }
  return wrong;
}

int run(const Path& directory, const Path& cases) {
  const auto tokenizer = load_tokenizer(directory);
  const std::string bytes = read_text_file(cases, std::uint64_t{1} << 32);
  Reader reader(bytes);
  Faults faults;
  int wrong = 0, all = 0;
  for (; !reader.at_end(); ++all) wrong += is_wrong(*tokenizer, reader, faults) ? 1 : 0;
  fmt::print("{}: {} of {} texts as in the public library\n", directory.filename().string(),
             all - wrong, all);
  return wrong == 0 && all > 0 ? 0 : 1;
}

}  // namespace
}  // namespace ty

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    return ty::run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "tokenizer_cases: {}\n", error.what());
    return 2;
  }
}
