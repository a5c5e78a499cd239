// Learning the merges of byte-level BPE from the words of a text.
#include <map>

#include "core/base/error.h"
#include "core/data/bpe.h"
#include "core/data/byte_level.h"
#include "core/data/merge_trainer.h"
#include "core/data/splitter.h"

namespace ty {

namespace {

MergeTrainer trainer_for(std::span<const std::string_view> documents,
                         const std::array<std::int32_t, 256>& byte_ids) {
  std::unordered_map<std::string_view, std::int64_t> counts;
  for (std::string_view text : documents) {
    while (!text.empty()) {
      const std::size_t length = first_word(text);
      ++counts[text.substr(0, length)];
      text.remove_prefix(length);
    }
  }
  MergeTrainer trainer;
  std::vector<std::int32_t> ids;
  for (const auto& [word, count] : std::map(counts.begin(), counts.end())) {
    ids.clear();
    for (char c : word) ids.push_back(byte_ids[static_cast<unsigned char>(c)]);
    trainer.add_word(ids, count);
  }
  trainer.start();
  return trainer;
}

}  // namespace

BpeModel train_bpe(std::span<const std::string_view> documents, std::int64_t vocab) {
  if (vocab < 257) {
    throw ConfigError(
        "tokenizer.vocab: {} is too small; byte-level BPE wants at least 257 ids (256 "
        "bytes and {})",
        vocab, kEndOfText);
  }
  BpeModel model;
  std::vector<std::string>& tokens = model.vocabulary.tokens;
  const auto& order = byte_level_order();
  for (std::size_t id = 0; id < order.size(); ++id) {
    model.byte_ids[order[id]] = static_cast<std::int32_t>(id);
    tokens.emplace_back(1, static_cast<char>(order[id]));
  }
  MergeTrainer trainer = trainer_for(documents, model.byte_ids);
  while (std::ssize(tokens) + 1 < vocab) {
    const std::optional<MergeTrainer::Pair> pair = trainer.best();
    if (!pair) break;
    const auto result = static_cast<std::int32_t>(tokens.size());
    trainer.merge(*pair, result);
    model.merges.push_back({pair->first, pair->second, result});
    tokens.push_back(tokens[static_cast<std::size_t>(pair->first)] +
                     tokens[static_cast<std::size_t>(pair->second)]);
  }
  add_end_of_text(model.vocabulary);
  return model;
}

}  // namespace ty
