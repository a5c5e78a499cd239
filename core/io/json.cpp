#include "core/io/json.h"

#include <vector>

#include "core/base/error.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxDepth = 32;

// Builds a document from the library's events. Its own ready-made builders keep the last of two
// equal keys without a word, or go through a whole object again after each of its members.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(const std::string& place) : place_(place) {}

  Json take() { return std::move(document_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // never in a text
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [member, is_new] =
        open_.back()->get_ref<Json::object_t&>().try_emplace(std::move(name));
    if (!is_new) {
      throw DataError("{}: key {} appears twice in one object; each may appear once", place_,
                      in_quotes(member->first));
    }
    member_ = &member->second;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
    if (const auto* syntax = dynamic_cast<const Json::parse_error*>(&error)) {
      throw DataError("{}: not valid JSON near byte {}; the file is damaged or not JSON", place_,
                      syntax->byte);
    }
    throw DataError("{}: JSON holds a number out of range; the file is damaged", place_);
  }

 private:
  // Where the next value goes: an object's member, the end of a list, or the whole document.
  Json& add_to_open(Json value) {
    if (open_.empty()) return document_ = std::move(value);
    if (open_.back()->is_object()) return *member_ = std::move(value);
    return open_.back()->emplace_back(std::move(value));
  }
  bool add(Json value) {
    add_to_open(std::move(value));
    return true;
  }
  bool open(Json value) {
    if (open_.size() > kMaxDepth) {
      throw DataError("{}: nested deeper than {} levels; the file is damaged or not ours", place_,
                      kMaxDepth);
    }
    open_.push_back(&add_to_open(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  const std::string& place_;
  Json document_;
  std::vector<Json*> open_;  // from the outside in; an open list gets no other member meanwhile
  Json* member_ = nullptr;   // of the innermost object, for the next value
};

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& place) {
  // The library takes a zero byte for the end of the text.
  if (const auto zero = text.find('\0'); zero != text.npos) {
    throw DataError("{}: not valid JSON near byte {}; the file is damaged or not JSON", place,
                    zero + 1);
  }
  Builder builder(place);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

std::string in_quotes(std::string_view name) {
  constexpr std::size_t kMost = 100;
  const std::string text = nlohmann::json(name.substr(0, kMost))
                               .dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return name.size() > kMost ? text + "..." : text;
}

}  // namespace ty
