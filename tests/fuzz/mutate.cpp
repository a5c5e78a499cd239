#include "tests/fuzz/mutate.h"

#include <algorithm>
#include <limits>

namespace ty::test {

namespace {

using Json = nlohmann::json;

// Pointers to every value below the document, in order.
void collect(const Json& value, const Json::json_pointer& at,
             std::vector<Json::json_pointer>& all) {
  if (!at.empty()) all.push_back(at);
  if (!value.is_structured()) return;
  std::size_t i = 0;
  for (const auto& [key, child] : value.items()) {
    collect(child, value.is_object() ? at / key : at / i, all);
    if (++i == 200) return;  // enough of a large vocabulary
  }
}

// The same text with one of its lines a second time: mostly a doubled key.
std::string with_doubled_line(const std::string& text, Choices& choices) {
  std::vector<std::size_t> starts = {0};
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '\n') starts.push_back(i + 1);
  }
  const std::size_t start = choices.of(starts), end = text.find('\n', start);
  const std::string line = text.substr(start, end == std::string::npos ? end : end + 1 - start);
  return text.substr(0, start) + line + text.substr(start);
}

std::string path_of(const Json::json_pointer& at) {
  std::string path = at.to_string().substr(1);
  std::replace(path.begin(), path.end(), '/', '.');
  return path;
}

}  // namespace

std::string damaged(std::string bytes, Choices& choices) {
  const auto place = [&] { return bytes.empty() ? 0 : choices.below(bytes.size()); };
  for (std::size_t times = 1 + choices.below(3); times > 0; --times) {
    if (bytes.empty()) return bytes;
    const std::size_t at = place(), length = 1 + choices.below(40);
    switch (choices.below(6)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << choices.below(8)));
        break;
      case 1:
        bytes.resize(at);
        break;
      case 2:
        bytes.insert(at, bytes.substr(place(), length));
        break;
      case 3:
        bytes.replace(at, length, std::string(std::min(length, bytes.size() - at), '\0'));
        break;
      case 4:
        bytes.erase(at, length);
        break;
      default:
        bytes[at] = static_cast<char>(choices.below(256));
    }
  }
  return bytes;
}

Json nasty_number(Choices& choices) {
  static const std::vector<Json> kNumbers = {-1,
                                             0,
                                             1,
                                             2,
                                             3,
                                             7,
                                             255,
                                             65536,
                                             1000000,
                                             std::int64_t{1} << 31,
                                             (std::int64_t{1} << 31) - 1,
                                             -(std::int64_t{1} << 31),
                                             std::int64_t{1} << 32,
                                             std::int64_t{1} << 40,
                                             std::int64_t{1} << 53,
                                             std::int64_t{144115188075855873},
                                             std::numeric_limits<std::int64_t>::max(),
                                             std::numeric_limits<std::int64_t>::min(),
                                             std::numeric_limits<std::uint64_t>::max(),
                                             0.5,
                                             1.5,
                                             -0.0,
                                             1e308,
                                             1e-308,
                                             2.9};
  return choices.of(kNumbers);
}

Json nasty_value(Choices& choices) {
  static const std::vector<Json> kValues = {nullptr,
                                            true,
                                            false,
                                            "",
                                            "0",
                                            "nan",
                                            "../../etc/passwd",
                                            "a\nb\x1b[31m",
                                            "\xc3\xa4",
                                            std::string(100000, 'x'),
                                            Json::array(),
                                            Json::object(),
                                            Json::array({1, 2, 3}),
                                            Json{{"a", 1}},
                                            Json::array({Json::array({Json::array()})}),
                                            "gpt2",
                                            "F32",
                                            "I64",
                                            "BPE"};
  return choices.one_in(2) ? nasty_number(choices) : choices.of(kValues);
}

Change changed(const Json& document, Choices& choices) {
  std::vector<Json::json_pointer> places;
  collect(document, Json::json_pointer(), places);
  Json copy = document;
  if (places.empty() || choices.one_in(6)) return {damaged(document.dump(1), choices), ""};
  if (choices.one_in(12)) return {with_doubled_line(document.dump(1), choices), ""};
  Json::json_pointer at = choices.of(places);
  for (int again = 0; again < 4 && !copy[at].is_number(); ++again) at = choices.of(places);
  if (choices.one_in(8)) {
    Json& parent = copy[at.parent_pointer()];
    if (parent.is_object()) parent["key that nobody knows"] = nasty_value(choices);
    return {copy.dump(1), path_of(at), parent.is_object()};
  }
  if (choices.one_in(6)) {
    Json& parent = copy[at.parent_pointer()];
    parent.is_object() ? static_cast<void>(parent.erase(at.back()))
                       : static_cast<void>(parent.erase(std::stoul(at.back())));
    return {copy.dump(1), path_of(at)};
  }
  // Numbers mostly stay numbers.
  copy[at] =
      copy[at].is_number() && !choices.one_in(4) ? nasty_number(choices) : nasty_value(choices);
  return {copy.dump(1, ' ', false, Json::error_handler_t::replace), path_of(at)};
}

}  // namespace ty::test
