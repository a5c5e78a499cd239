#include "core/data/vocabulary_reader.h"

#include <algorithm>
#include <unordered_set>

#include "core/base/error.h"
#include "core/data/tokenizer.h"
#include "core/io/json.h"

namespace ty {

namespace {

using Json = nlohmann::json;

// Memory goes with the largest id. Vocabularies have gaps, but hardly more gaps than tokens.
constexpr std::int64_t kMostIdsPerToken = 4;
constexpr std::size_t kLongestAddedToken = 65536;  // bytes

// All but the id.
AddedToken read_added_token(const JsonValue& token) {
  const JsonValue content = token.at("content");
  AddedToken added;
  added.content = content.string();
  if (added.content.empty() || added.content.size() > kLongestAddedToken) {
    content.refuse(fmt::format("1 to {} bytes", kLongestAddedToken));
  }
  added.single_word = token.at("single_word").flag();
  added.lstrip = token.at("lstrip").flag();
  added.rstrip = token.at("rstrip").flag();
  added.normalized = token.at("normalized").flag();
  added.special = token.at("special").flag();
  return added;
}

// The public library does not believe an added token's id: it takes the one of the vocabulary, or
// the next one after it. A file that says something else would mean one thing there and another
// here.
class AddedIds {
 public:
  explicit AddedIds(const TokenIds& vocab)
      : vocab_(vocab), next_(static_cast<std::int32_t>(vocab.size())) {
    for (const auto& [spelling, id] : vocab) {
      taken_.insert(id);
      largest_ = std::max(largest_, id);
    }
  }

  std::int32_t read(const JsonValue& id, const std::string& content) {
    if (!id.json.is_number_integer()) id.refuse("an integer");
    const auto found = vocab_.find(content);
    if (found != vocab_.end()) return read_known(id, found->second);
    if (content == kEndOfText && fills_gap(id.json)) return id.json.get<std::int32_t>();
    if (id.json != next_ || !taken_.insert(next_).second) {
      id.refuse(fmt::format(
          "{}: added tokens are numbered after the {} of the vocabulary, and no id has two tokens",
          next_, vocab_.size()));
    }
    return next_++;
  }

 private:
  static std::int32_t read_known(const JsonValue& id, std::int32_t known) {
    if (id.json != known) id.refuse(fmt::format("{}, as in the vocabulary", known));
    return known;
  }

  // Files of ours used to leave the end of text out of the vocabulary wherever it stood: then its
  // id is the only one that is missing there.
  bool fills_gap(const Json& id) {
    return largest_ == std::ssize(vocab_) && id >= 0 && id < largest_ &&
           taken_.insert(id.get<std::int32_t>()).second;
  }

  const TokenIds& vocab_;
  std::int32_t next_, largest_ = -1;
  std::unordered_set<std::int32_t> taken_;
};

}  // namespace

TokenIds read_vocab(const JsonValue& vocab) {
  const std::size_t end = kMostIdsPerToken * vocab.object().size();
  std::vector<const std::string*> owners(end);
  TokenIds ids;
  for (const auto& [spelling, id] : vocab.json.items()) {
    if (!id.is_number_integer() || id < 0 || id >= end) {
      vocab.at(spelling).refuse(
          fmt::format("0 to {} for one of {} tokens", end - 1, vocab.json.size()));
    }
    const std::string*& owner = owners[id.get<std::size_t>()];
    if (owner != nullptr) {
      vocab.at(spelling).refuse(fmt::format("another id: {} has it", in_quotes(*owner)));
    }
    owner = &ids.emplace(spelling, id.get<std::int32_t>()).first->first;
  }
  return ids;
}

std::vector<AddedToken> read_added_tokens(const JsonValue& list, const TokenIds& vocab) {
  AddedIds ids(vocab);
  std::unordered_set<std::string> contents;
  std::vector<AddedToken> tokens;
  for (std::size_t i = 0; i < list.array().size(); ++i) {
    const JsonValue item = list.at(i);
    AddedToken token = read_added_token(item);
    token.id = ids.read(item.at("id"), token.content);
    if (!contents.insert(token.content).second) item.at("content").refuse("each token once");
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace ty
