#include "launch/text_options.h"

#include <cstdio>

#include "core/base/error.h"

namespace ty {

namespace {

// Never throws: a log that cannot be written ends nothing.
void say(const std::string& note) { std::fputs((note + "\n").c_str(), stderr); }

TsvHeader header_of(const std::string& text) {
  if (text == "auto") return TsvHeader::automatic;
  if (text == "true") return TsvHeader::present;
  if (text == "false") return TsvHeader::absent;
  throw UsageError("--header: unknown \"{}\"; one of: auto true false", text);
}

}  // namespace

TextOptions text_options(const DataSection& data) {
  return {
      .json_key = data.text_key, .tsv_column = data.column, .tsv_header = data.header, .note = say};
}

TextOptions text_options(const Arguments& arguments) {
  return {.json_key = arguments.text("--text-key", "text"),
          .tsv_column = arguments.integer("--column", 0),
          .tsv_header = header_of(arguments.text("--header", "auto")),
          .note = say};
}

TextOptions quietly(TextOptions options) {
  options.note = nullptr;
  return options;
}

}  // namespace ty
