// The tokens with a role of their own, by the names that tokenizer_config.json has for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ty {

// Ids; what a tokenizer has no token for is empty. One token may have several roles.
struct SpecialTokens {
  std::optional<std::int32_t> unk;   // stands for what has no token
  std::optional<std::int32_t> pad;   // fills a batch of texts of different lengths
  std::optional<std::int32_t> cls;   // before a text that is classified
  std::optional<std::int32_t> sep;   // behind each of two texts
  std::optional<std::int32_t> mask;  // in place of a token that is to be guessed
  std::optional<std::int32_t> bos;   // begins a text
  std::optional<std::int32_t> eos;   // ends a text
  friend bool operator==(const SpecialTokens&, const SpecialTokens&) = default;
};

struct SpecialTokenRole {
  std::string_view key;  // of tokenizer_config.json
  std::optional<std::int32_t> SpecialTokens::*id;
};
inline constexpr SpecialTokenRole kSpecialTokenRoles[] = {
    {"eos_token", &SpecialTokens::eos},   {"bos_token", &SpecialTokens::bos},
    {"unk_token", &SpecialTokens::unk},   {"sep_token", &SpecialTokens::sep},
    {"pad_token", &SpecialTokens::pad},   {"cls_token", &SpecialTokens::cls},
    {"mask_token", &SpecialTokens::mask},
};

}  // namespace ty
