#include "launch/run/profile.h"

#include <algorithm>
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
  nlohmann::json links = nlohmann::json::array();
  for (const Profile::Link& link : profile.links) {
    links.push_back({{"axis", link.axis},
                     {"seconds", link.seconds},
                     {"bytes_per_second", link.bytes_per_second}});
  }
  return {{"blocks", blocks}, {"tokens", profile.tokens}, {"links", links}};
}

const Profile::Link* Profile::link(std::string_view axis) const {
  const auto found =
      std::find_if(links.begin(), links.end(), [&](const Link& each) { return each.axis == axis; });
  return found == links.end() ? nullptr : &*found;
}

namespace {

// The objects of a list.
const nlohmann::json& list_at(const nlohmann::json& json, const char* key, const Path& file) {
  if (json.contains(key) && json[key].is_array()) return json[key];
  throw DataError("{}: {}: missing; want what bench profile --json prints", file.string(), key);
}

}  // namespace

Profile read_profile(const Path& file) {
  const nlohmann::json json = parse_json(read_text_file(file, kMaxProfileBytes), file.string());
  const JsonFields fields(json, file.string());
  Profile profile;
  profile.tokens = fields.number("tokens", 1.0, kMost);
  for (const nlohmann::json& entry : list_at(json, "links", file)) {
    const JsonFields link(entry, file.string() + ": links");
    profile.links.push_back({link.text("axis"), link.number("seconds", 0.0, kMost),
                             link.number("bytes_per_second", 1.0, kMost)});
  }
  for (const nlohmann::json& entry : list_at(json, "blocks", file)) {
    const JsonFields block(entry, file.string() + ": blocks");
    profile.blocks.push_back({block.text("name"),
                              {.forward = block.number("forward_seconds", 0.0, kMost),
                               .recompute = block.number("recompute_seconds", 0.0, kMost),
                               .backward = block.number("backward_seconds", 0.0, kMost)}});
  }
  return profile;
}

}  // namespace ty
