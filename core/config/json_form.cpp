#include "core/config/json_form.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/config/read.h"

namespace ty::config {
namespace {

using Json = nlohmann::json;

class Writer final : public Fields {
 public:
  explicit Writer(const Json& defaults) : defaults_(defaults) {}
  Json take() { return std::move(object_); }

 private:
  void leaf(const Key& key, const Leaf& leaf) override { add(key, leaf_json(leaf)); }

  void section(const Key& key, const Section& section) override {
    if (is_active()) add(key, object_of(section));
  }

  void list(const Key& key, const SectionList& list) override {
    Json items = Json::array();
    for (std::size_t i = 0; i < list.size(); ++i) items.push_back(object_of(list.item(i)));
    add(key, std::move(items));
  }

  static Json object_of(const Section& section) {
    const Json nothing = Json::object();
    Writer inner(nothing);
    section.visit(inner);
    return inner.take();
  }

  void add(const Key& key, Json value) {
    if (!is_active()) return;
    const auto usual = defaults_.find(key.name);
    if (!key.rule.is_required && usual != defaults_.end() && *usual == value) return;
    object_[std::string(key.name)] = std::move(value);
  }

  const Json& defaults_;
  Json object_ = Json::object();
};

Node tree_of(const Json& json, const Place& place) {
  Node node;
  node.place = place;
  if (json.is_object()) {
    node.kind = Node::Kind::map;
    for (const auto& [key, value] : json.items()) {
      node.entries.push_back({key, place, tree_of(value, place)});
    }
  } else if (json.is_array()) {
    node.kind = Node::Kind::list;
    for (const Json& item : json) node.items.push_back(tree_of(item, place));
  } else if (!json.is_null()) {
    node.kind = Node::Kind::scalar;
    node.quoted = json.is_string();
    node.text = json.is_string() ? json.get<std::string>() : json.dump();
  }
  return node;
}

}  // namespace

nlohmann::ordered_json leaf_json(const Leaf& leaf) {
  using Ordered = nlohmann::ordered_json;
  const auto scalar = [](const Scalar& value) {
    return std::visit([](const auto& each) { return Ordered(each); }, value);
  };
  const std::vector<Scalar> values = leaf.get();
  if (leaf.type.is_list) {
    Ordered items = Ordered::array();
    for (const Scalar& value : values) items.push_back(scalar(value));
    return items;
  }
  if (!values.empty()) return scalar(values[0]);
  const bool is_null = leaf.type.empty_word == std::string_view("null");
  return is_null ? Ordered(nullptr) : Ordered(leaf.type.empty_word);
}

Json to_json(const Section& section, const Section& defaults) {
  const Json nothing = Json::object();
  Writer usual(nothing);
  defaults.visit(usual);
  const Json values = usual.take();
  Writer writer(values);
  section.visit(writer);
  return writer.take();
}

void from_json(const Json& object, const Section& section, const std::string& file,
               const std::string& prefix) {
  auto source = std::make_shared<Source>();
  source->name = file;
  const Place place{source, 0, 0};
  Diagnostics diagnostics;
  if (object.is_object()) {
    read(tree_of(object, place), section, place, diagnostics, prefix);
  } else {
    diagnostics.add(place, prefix, fmt::format("{}; want an object", shown(object.dump(), false)));
  }
  try {
    diagnostics.throw_if_any();
  } catch (const ConfigError& e) {
    throw DataError("{}", e.what());
  }
}

}  // namespace ty::config
