// How texts and special tokens make the input of a model: templates, as the post-processors of the
// public tokenizers library describe them.
//
//   BERT     [CLS] A [SEP]       [CLS] A [SEP] B [SEP]       type 1: B and the [SEP] behind it
//   RoBERTa  <s> A </s>          <s> A </s> </s> B </s>      all of type 0
//   OPT      </s> A              </s> A B                    type 1: B
//   none     A                   A B                         type 1: B
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/data/json_value.h"
#include "core/data/special_tokens.h"

namespace ty {

enum class TemplateText : std::uint8_t { none, first, second };

// A text, or else special tokens; and the type of its ids.
struct TemplatePiece {
  TemplateText text = TemplateText::none;
  std::vector<std::int32_t> ids;  // without a text
  std::int32_t type = 0;
  friend bool operator==(const TemplatePiece&, const TemplatePiece&) = default;
};
using Template = std::vector<TemplatePiece>;

struct Templates {
  Template single = {{TemplateText::first, {}, 0}};
  Template pair = {{TemplateText::first, {}, 0}, {TemplateText::second, {}, 1}};
  friend bool operator==(const Templates&, const Templates&) = default;
};

Templates bert_templates(std::int32_t cls, std::int32_t sep);
Templates roberta_templates(std::int32_t cls, std::int32_t sep);
// The beginning of a text before the first text alone, as GPT-2's tokenizer places it for OPT.
Templates bos_templates(std::int32_t bos);

// The post_processor of a tokenizer.json; `tokens` are the texts of the ids. Null, ByteLevel,
// BertProcessing, RobertaProcessing, TemplateProcessing, or a sequence of ByteLevel and one of the
// others. Throws DataError for anything else and for ids without a text.
Templates read_post_processor(const JsonValue& value, const std::vector<std::string>& tokens);
// The TemplateProcessing that says the same; null for texts without special tokens.
nlohmann::json post_processor_of(const Templates& templates,
                                 const std::vector<std::string>& tokens);

}  // namespace ty
