#include "core/config/document.h"

#include <nlohmann/json.hpp>

#include "core/config/json_form.h"

namespace ty::config {
namespace {

using OrderedJson = nlohmann::ordered_json;

const char* json_type(ScalarKind kind) {
  switch (kind) {
    case ScalarKind::boolean:
      return "boolean";
    case ScalarKind::integer:
      return "integer";
    case ScalarKind::number:
      return "number";
    default:
      return "string";
  }
}

OrderedJson limit(double value) {
  const auto integer = static_cast<std::int64_t>(value);
  return static_cast<double>(integer) == value ? OrderedJson(integer) : OrderedJson(value);
}

OrderedJson scalar_schema(const LeafType& type, const Rule& rule) {
  OrderedJson out;
  if (rule.choices.empty() || type.kind == ScalarKind::path) {
    out["type"] = json_type(type.kind);
    if (rule.is_share) out["type"] = {out["type"], "string"};
  } else {
    out["enum"] = rule.choices;
  }
  if (rule.minimum) {
    out[rule.minimum_excluded ? "exclusiveMinimum" : "minimum"] = limit(*rule.minimum);
  }
  if (rule.maximum) {
    out[rule.maximum_excluded ? "exclusiveMaximum" : "maximum"] = limit(*rule.maximum);
  }
  return out;
}

OrderedJson leaf_schema(const Key& key, const Leaf& leaf) {
  OrderedJson out{{"description", key.doc}};
  const OrderedJson one = scalar_schema(leaf.type, key.rule);
  if (leaf.type.is_list) {
    out["type"] = "array";
    out["items"] = one;
    if (key.rule.number_of_items) {
      out["minItems"] = out["maxItems"] = *key.rule.number_of_items;
    }
  } else if (*leaf.type.empty_word) {
    const bool is_null = leaf.type.empty_word == std::string_view("null");
    out["anyOf"] = {one, is_null ? OrderedJson{{"type", "null"}}
                                 : OrderedJson{{"const", leaf.type.empty_word}}};
  } else {
    out.update(one);
  }
  if (key.rule.is_required) return out;
  out["default"] = leaf_json(leaf);
  return out;
}

class SchemaWriter final : public Fields {
 public:
  // Required keys are demanded in list items only: a layered file may leave them to another layer.
  explicit SchemaWriter(bool is_item, const Fields* outer = nullptr)
      : Fields(outer), is_item_(is_item) {}

  OrderedJson take() {
    OrderedJson out{
        {"type", "object"}, {"additionalProperties", false}, {"properties", properties_}};
    if (!required_.empty()) out["required"] = required_;
    return out;
  }

  OrderedJson properties_ = OrderedJson::object();

 private:
  void leaf(const Key& key, const Leaf& leaf) override {
    add(key.name, leaf_schema(key, leaf));
    if (is_item_ && key.rule.is_required && condition() == nullptr) {
      required_.push_back(key.name);
    }
  }

  void section(const Key& key, const Section& section) override {
    SchemaWriter inner(is_item_, this);
    section.visit(inner);
    OrderedJson schema{{"description", key.doc}};
    schema.update(inner.take());
    add(key.name, std::move(schema));
  }

  void list(const Key& key, const SectionList& list) override {
    SchemaWriter inner(true, this);
    list.visit_default(inner);
    add(key.name, {{"description", key.doc}, {"type", "array"}, {"items", inner.take()}});
  }

  // Alternatives may declare the same key in different ways: any of them will do.
  void add(std::string_view name, OrderedJson schema) {
    const std::string key(name);
    if (!properties_.contains(key)) {
      properties_[key] = std::move(schema);
    } else if (properties_[key] != schema) {
      properties_[key] =
          OrderedJson{{"anyOf", OrderedJson::array({properties_[key], std::move(schema)})}};
    }
  }

  bool is_item_;
  OrderedJson required_ = OrderedJson::array();
};

// Text that may stand in a cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*') out += '\\';
    out += c;
  }
  return out;
}

class ReferenceWriter final : public Fields {
 public:
  std::string out_ = "| key | allowed | default | meaning |\n| --- | --- | --- | --- |\n";

 private:
  void leaf(const Key& key, const Leaf& leaf) override {
    if (is_repeated()) return;
    std::string doc(key.doc);
    for (const Condition* c = condition(); c != nullptr; c = c->outer) {
      if (c->selector == key.name) doc += "; its keys stand beside it, as above";
      doc += fmt::format(" (only {})", c->text);
    }
    const std::string standard =
        key.rule.is_required ? "required" : fmt::format("`{}`", spelled(leaf));
    row(key.name, leaf.type.wanted(key.rule), standard, doc);
  }

  void section(const Key& key, const Section& section) override {
    visit(std::string(key.name), section.visit);
  }

  void list(const Key& key, const SectionList& list) override {
    row(key.name, "a list of maps", "`[]`", key.doc);
    visit(fmt::format("{}[]", key.name), list.visit_default);
  }

  // Whether this is a key of an alternative within one of the same choice, which has its row there.
  bool is_repeated() const {
    for (const Condition* c = condition(); c != nullptr; c = c->outer) {
      for (const Condition* o = c->outer; o != nullptr; o = o->outer) {
        if (o->selector == c->selector) return true;
      }
    }
    return false;
  }

  void row(std::string_view name, std::string_view allowed, std::string_view standard,
           std::string_view doc) {
    out_ += fmt::format("| `{}{}` | {} | {} | {} |\n", prefix_, name, cell(allowed), standard,
                        cell(doc));
  }

  void visit(const std::string& name, const std::function<void(Fields&)>& body) {
    const std::string outer = std::exchange(prefix_, prefix_ + name + ".");
    body(*this);
    prefix_ = outer;
  }

  std::string prefix_;
};

}  // namespace

std::string json_schema(const Section& defaults, const std::string& title) {
  SchemaWriter writer(false);
  writer.properties_["schema"] = {{"description", "version of this format; the first key"},
                                  {"const", 1}};
  writer.properties_["extends"] = {{"description", "files that this one is laid over"},
                                   {"type", "array"},
                                   {"items", {{"type", "string"}}}};
  defaults.visit(writer);
  OrderedJson out{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  out.update(writer.take());
  out["required"] = {"schema"};
  return out.dump(2) + "\n";
}

std::string key_reference(const Section& defaults) {
  ReferenceWriter writer;
  defaults.visit(writer);
  return writer.out_;
}

}  // namespace ty::config
