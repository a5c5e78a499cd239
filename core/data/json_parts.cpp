// What the readers of all kinds of tokenizers share.
#include "core/base/error.h"
#include "core/data/tokenizer_json.h"

namespace ty {

using Json = nlohmann::json;

bool is_null(const Json& value) { return value.is_null(); }

// A single text is the longest of its batch.
bool pads_no_single_text(const Json& value) {
  return value.is_null() ||
         (value.is_object() && value.value("strategy", Json()) == "BatchLongest" &&
          value.value("pad_to_multiple_of", Json()).is_null());
}

void check_parts(const JsonValue& object, std::span<const JsonPart> parts) {
  for (const JsonPart& part : parts) {
    if (part.is_understood(object.object().value(part.key, Json()))) continue;
    object.at(part.key).refuse_as_unsupported(part.wanted);  // or says that it is missing
  }
}

std::vector<AddedToken> added_tokens_of(const JsonValue& file, const TokenIds& ids) {
  if (!file.json.contains("added_tokens")) return {};
  return read_added_tokens(file.at("added_tokens"), ids);
}

void set_token(std::vector<std::string>& tokens, std::int32_t id, std::string text) {
  const auto at = static_cast<std::size_t>(id);
  if (at >= tokens.size()) tokens.resize(at + 1);
  tokens[at] = std::move(text);
}

void check_agrees(const TokenizerConfig& config, const char* key, bool value) {
  const auto said = config.flag(key);
  if (!said || *said == value) return;
  config.root().at(key).refuse(value ? "true, as in tokenizer.json"
                                     : "false, as in tokenizer.json");
}

}  // namespace ty
