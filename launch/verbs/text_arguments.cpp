#include "launch/verbs/text_arguments.h"

#include "launch/process/output.h"

namespace ty {

namespace {

TsvHeader header_of(const std::string& text) {
  if (text == "true") return TsvHeader::present;
  return text == "false" ? TsvHeader::absent : TsvHeader::automatic;
}

}  // namespace

TextOptions text_options(const Arguments& arguments) {
  return {.json_key = arguments.text("--text-key", "text"),
          .tsv_column = arguments.integer("--column", 0),
          .tsv_header = header_of(arguments.text("--header", "auto")),
          .note = remark};
}

}  // namespace ty
