#include "launch/text_options.h"

#include "launch/output.h"

namespace ty {

namespace {

TsvHeader header_of(const std::string& text) {
  if (text == "true") return TsvHeader::present;
  return text == "false" ? TsvHeader::absent : TsvHeader::automatic;
}

}  // namespace

TextOptions text_options(const DataSection& data) {
  return {.json_key = data.text_key,
          .tsv_column = data.column,
          .tsv_header = data.header,
          .note = remark};
}

TextOptions text_options(const Arguments& arguments) {
  return {.json_key = arguments.text("--text-key", "text"),
          .tsv_column = arguments.integer("--column", 0),
          .tsv_header = header_of(arguments.text("--header", "auto")),
          .note = remark};
}

TextOptions quietly(TextOptions options) {
  options.note = nullptr;
  return options;
}

}  // namespace ty
