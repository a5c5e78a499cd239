#include <fmt/format.h>

#include "core/base/error.h"
#include "launch/inspect/inspection.h"
#include "launch/report/text.h"

namespace ty {

namespace {

// "unk" of "unk_token".
std::string_view short_name(const SpecialTokenRole& role) {
  return role.key.substr(0, role.key.find('_'));
}

nlohmann::json ids_of(const SpecialTokens& special) {
  nlohmann::json ids = nlohmann::json::object();
  for (const SpecialTokenRole& role : kSpecialTokenRoles) {
    if (const auto id = special.*role.id) ids[std::string(short_name(role))] = *id;
  }
  return ids;
}

std::string list_of(const SpecialTokens& special) {
  std::vector<std::string> names;
  for (const SpecialTokenRole& role : kSpecialTokenRoles) {
    if (const auto id = special.*role.id) {
      names.push_back(fmt::format("{} {}", short_name(role), *id));
    }
  }
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string describe(const Tokenizer& tokenizer) {
  const auto end = tokenizer.end_of_text();
  return fmt::format(
      "{}, {} ids, {}, fingerprint {:016x}", name_of(tokenizer.kind()), tokenizer.vocab_size(),
      end ? fmt::format("end of text {}", *end) : "no end of text", tokenizer.fingerprint());
}

nlohmann::json facts_of(const Tokenizer& tokenizer) {
  nlohmann::json facts = {{"kind", name_of(tokenizer.kind())},
                          {"vocab", tokenizer.vocab_size()},
                          {"end_of_text", nullptr},
                          {"special_tokens", ids_of(tokenizer.special())},
                          {"fingerprint", fmt::format("{:016x}", tokenizer.fingerprint())}};
  if (tokenizer.end_of_text()) facts["end_of_text"] = *tokenizer.end_of_text();
  return facts;
}

Inspection inspect_tokenizer(const Path& directory) {
  Inspection result;
  try {
    const auto tokenizer = load_tokenizer(directory);
    result.facts["tokenizer"] = facts_of(*tokenizer);
    const auto end = tokenizer->end_of_text();
    result.line("encodes by", name_of(tokenizer->kind()));
    result.line("vocabulary", count_with_digits(tokenizer->vocab_size()));
    result.line("end of text", end ? std::to_string(*end) : "none");
    result.line("special tokens", list_of(tokenizer->special()));
    result.line("fingerprint", fmt::format("{:016x}", tokenizer->fingerprint()));
  } catch (const DataError& error) {
    result.fault(error.what());
  }
  return result;
}

}  // namespace ty
