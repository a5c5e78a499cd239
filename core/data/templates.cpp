#include "core/data/templates.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace ty {

namespace {

using Json = nlohmann::json;
using Tokens = std::vector<std::string>;

constexpr TemplateText kNone = TemplateText::none, kFirst = TemplateText::first,
                       kSecond = TemplateText::second;
constexpr const char* kUnderstood =
    "null, ByteLevel, BertProcessing, RobertaProcessing or TemplateProcessing, or a Sequence of "
    "ByteLevel and one of them";

std::int32_t id_of(const JsonValue& value, const Tokens& tokens) {
  const auto is_known = [&] {
    if (!value.json.is_number_integer() || value.json < 0 || value.json >= tokens.size()) {
      return false;
    }
    return !tokens[value.json.get<std::size_t>()].empty();
  };
  if (!is_known()) value.refuse("the id of a token");
  return value.json.get<std::int32_t>();
}

// The id of ["[SEP]", 102].
std::int32_t id_of_token(const JsonValue& value, const Tokens& tokens) {
  if (value.array().size() != 2) value.refuse("a token and its id");
  return id_of(value.at(1), tokens);
}

std::int32_t type_of(const JsonValue& piece) {
  const JsonValue type = piece.at("type_id");
  if (!type.json.is_number_integer() || type.json < 0 || type.json > 0x7fffffff) {
    type.refuse("a number from 0");
  }
  return type.json.get<std::int32_t>();
}

TemplatePiece text_piece(const JsonValue& piece) {
  const JsonValue id = piece.at("id");
  if (id.json != "A" && id.json != "B") id.refuse("A or B");
  return {id.json == "A" ? kFirst : kSecond, {}, type_of(piece)};
}

TemplatePiece token_piece(const JsonValue& piece, const JsonValue& special, const Tokens& tokens) {
  const JsonValue ids = special.at(piece.at("id").string()).at("ids");
  TemplatePiece result{kNone, {}, type_of(piece)};
  for (std::size_t i = 0; i < ids.array().size(); ++i) {
    result.ids.push_back(id_of(ids.at(i), tokens));
  }
  return result;
}

Template read_template(const JsonValue& list, const JsonValue& special, const Tokens& tokens) {
  Template result;
  for (std::size_t i = 0; i < list.array().size(); ++i) {
    const JsonValue item = list.at(i);
    if (item.object().contains("Sequence")) {
      result.push_back(text_piece(item.at("Sequence")));
    } else {
      result.push_back(token_piece(item.at("SpecialToken"), special, tokens));
    }
  }
  return result;
}

bool has(const Template& pieces, TemplateText text) {
  for (const TemplatePiece& piece : pieces) {
    if (piece.text == text) return true;
  }
  return false;
}

Templates read_templates(const JsonValue& value, const Tokens& tokens) {
  const JsonValue special = value.at("special_tokens");
  const JsonValue single = value.at("single"), pair = value.at("pair");
  Templates result{read_template(single, special, tokens), read_template(pair, special, tokens)};
  if (has(result.single, kSecond)) single.refuse("the sequence A alone");
  if (!has(result.pair, kFirst) || !has(result.pair, kSecond)) {
    pair.refuse("the sequences A and B");
  }
  return result;
}

// Of a sequence, the one that is not ByteLevel, which changes no ids.
Templates read_sequence(const JsonValue& value, const Tokens& tokens) {
  const JsonValue list = value.at("processors");
  Templates result;
  for (std::size_t i = 0; i < list.array().size(); ++i) {
    const JsonValue item = list.at(i);
    if (item.object().value("type", Json()) == "ByteLevel") continue;
    if (result != Templates() || item.json.value("type", Json()) == "Sequence") {
      value.refuse_as_unsupported(kUnderstood);
    }
    result = read_post_processor(item, tokens);
  }
  return result;
}

Json piece_json(const TemplatePiece& piece, const Tokens& tokens, Json& special) {
  if (piece.text != kNone) {
    const char* const id = piece.text == kFirst ? "A" : "B";
    return {{"Sequence", {{"id", id}, {"type_id", piece.type}}}};
  }
  Json texts = Json::array();
  std::string name;
  for (std::int32_t id : piece.ids) {
    texts.push_back(tokens[static_cast<std::size_t>(id)]);
    name += texts.back().get<std::string>();
  }
  special[name] = {{"id", name}, {"ids", piece.ids}, {"tokens", texts}};
  return {{"SpecialToken", {{"id", name}, {"type_id", piece.type}}}};
}

}  // namespace

Templates bert_templates(std::int32_t cls, std::int32_t sep) {
  const TemplatePiece begin{kNone, {cls}, 0}, first{kFirst, {}, 0}, middle{kNone, {sep}, 0};
  return {{begin, first, middle}, {begin, first, middle, {kSecond, {}, 1}, {kNone, {sep}, 1}}};
}

Templates roberta_templates(std::int32_t cls, std::int32_t sep) {
  const TemplatePiece begin{kNone, {cls}, 0}, first{kFirst, {}, 0}, end{kNone, {sep}, 0};
  return {{begin, first, end}, {begin, first, end, end, {kSecond, {}, 0}, end}};
}

Templates bos_templates(std::int32_t bos) {
  const TemplatePiece begin{kNone, {bos}, 0}, first{kFirst, {}, 0};
  return {{begin, first}, {begin, first, {kSecond, {}, 1}}};
}

Templates read_post_processor(const JsonValue& value, const Tokens& tokens) {
  if (value.json.is_null()) return {};
  const Json type = value.object().value("type", Json());
  if (type == "ByteLevel") return {};
  if (type == "Sequence") return read_sequence(value, tokens);
  if (type == "TemplateProcessing") return read_templates(value, tokens);
  if (type != "BertProcessing" && type != "RobertaProcessing") {
    value.refuse_as_unsupported(kUnderstood);
  }
  const std::int32_t cls = id_of_token(value.at("cls"), tokens);
  const std::int32_t sep = id_of_token(value.at("sep"), tokens);
  return type == "BertProcessing" ? bert_templates(cls, sep) : roberta_templates(cls, sep);
}

Json post_processor_of(const Templates& templates, const Tokens& tokens) {
  if (templates == Templates()) return nullptr;
  Json special = Json::object(), single = Json::array(), pair = Json::array();
  for (const TemplatePiece& piece : templates.single) {
    single.push_back(piece_json(piece, tokens, special));
  }
  for (const TemplatePiece& piece : templates.pair)
    pair.push_back(piece_json(piece, tokens, special));
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", special}};
}

}  // namespace ty
