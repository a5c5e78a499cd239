#include "launch/run/profile.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/json.h"
#include "core/io/json_fields.h"

namespace ty {

namespace {
constexpr std::size_t kMaxProfileBytes = std::size_t{16} << 20;
constexpr double kMost = 1e18;  // of any number in it
}  // namespace

nlohmann::json to_json(const Profile& profile) {
  nlohmann::json blocks = nlohmann::json::array();
  for (const Profile::Block& block : profile.blocks) {
    blocks.push_back({{"name", block.name},
                      {"forward_seconds", block.seconds.forward},
                      {"recompute_seconds", block.seconds.recompute},
                      {"backward_seconds", block.seconds.backward}});
  }
  return {{"blocks", blocks},
          {"tokens", profile.tokens},
          {"link_seconds", profile.link_seconds},
          {"link_bytes_per_second", profile.link_bytes_per_second}};
}

Profile read_profile(const Path& file) {
  const nlohmann::json json = parse_json(read_text_file(file, kMaxProfileBytes), file.string());
  const JsonFields fields(json, file.string());
  Profile profile;
  profile.tokens = fields.number("tokens", 1.0, kMost);
  profile.link_seconds = fields.number("link_seconds", 0.0, kMost);
  profile.link_bytes_per_second = fields.number("link_bytes_per_second", 0.0, kMost);
  if (!json.contains("blocks") || !json["blocks"].is_array()) {
    throw DataError("{}: blocks: missing; want what bench profile --json prints", file.string());
  }
  for (const nlohmann::json& entry : json["blocks"]) {
    const JsonFields block(entry, file.string() + ": blocks");
    profile.blocks.push_back({block.text("name"),
                              {.forward = block.number("forward_seconds", 0.0, kMost),
                               .recompute = block.number("recompute_seconds", 0.0, kMost),
                               .backward = block.number("backward_seconds", 0.0, kMost)}});
  }
  return profile;
}

}  // namespace ty
