#include "core/io/json.h"

#include <functional>
#include <set>
#include <vector>

#include "core/base/error.h"

namespace ty {

namespace {

// The library keeps the last of two equal keys without a word; this sees every key as it comes.
class KeyGuard {
 public:
  explicit KeyGuard(const std::string& place) : place_(place) {}

  bool operator()(int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > kMaxDepth) {
      throw DataError("{}: nested deeper than {} levels; the file is damaged or not ours", place_,
                      kMaxDepth);
    }
    if (event == Event::object_start) {
      open_objects_.emplace_back();
    } else if (event == Event::object_end) {
      open_objects_.pop_back();
    } else if (event == Event::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!open_objects_.back().insert(key).second) {
        throw DataError("{}: key {} appears twice in one object; each may appear once", place_,
                        in_quotes(key));
      }
    }
    return true;
  }

 private:
  static constexpr int kMaxDepth = 32;
  const std::string& place_;
  std::vector<std::set<std::string>> open_objects_;
};

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& place) {
  // The library takes a zero byte for the end of the text.
  if (const auto zero = text.find('\0'); zero != text.npos) {
    throw DataError("{}: not valid JSON near byte {}; the file is damaged or not JSON", place,
                    zero + 1);
  }
  KeyGuard guard(place);
  try {
    return nlohmann::json::parse(text.begin(), text.end(), std::ref(guard));
  } catch (const nlohmann::json::parse_error& e) {
    throw DataError("{}: not valid JSON near byte {}; the file is damaged or not JSON", place,
                    e.byte);
  } catch (const nlohmann::json::exception&) {
    throw DataError("{}: JSON holds a number out of range; the file is damaged", place);
  }
}

std::string in_quotes(std::string_view name) {
  constexpr std::size_t kMost = 100;
  const std::string text = nlohmann::json(name.substr(0, kMost))
                               .dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return name.size() > kMost ? text + "..." : text;
}

}  // namespace ty
