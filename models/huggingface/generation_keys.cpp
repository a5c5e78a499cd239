#include "models/huggingface/generation_keys.h"

#include "core/base/error.h"
#include "core/io/json.h"
#include "core/io/json_fields.h"

namespace ty {

namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;

// An id, alone or in a list.
std::optional<std::int32_t> id_of(const JsonFields& json, const char* key, std::int64_t vocab) {
  if (!json.has(key)) return std::nullopt;
  const IntegerRange range = {0, vocab - 1};
  if (!json.is_list(key)) return static_cast<std::int32_t>(json.integer(key, range));
  const std::vector<std::int64_t> ids = json.integers(key, range);
  if (ids.size() != 1) json.refuse(key, "one id");
  return static_cast<std::int32_t>(ids.front());
}

}  // namespace

GenerationKeys read_generation_keys(const Path& directory, const ModelSpec& spec) {
  Path file = directory / "generation_config.json";
  if (!std::filesystem::exists(file)) file = directory / "config.json";
  const nlohmann::json document = parse_json(read_text_file(file, kMaxBytes), file.string());
  const JsonFields json(document, file.string());
  const auto id = [&](const char* key) { return id_of(json, key, spec.vocab); };
  GenerationKeys keys = {.decoder_start = std::nullopt,
                         .forced_first = id("forced_bos_token_id"),
                         .forced_last = id("forced_eos_token_id")};
  if (!spec.has_encoder()) return keys;
  keys.decoder_start = id("decoder_start_token_id");
  if (!keys.decoder_start) keys.decoder_start = id("bos_token_id");
  return keys;
}

}  // namespace ty
