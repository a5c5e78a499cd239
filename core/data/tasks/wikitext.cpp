#include "core/data/tasks/wikitext.h"

#include "core/base/error.h"
#include "core/data/text_lines.h"

namespace ty {

namespace {

// ` = Title = `, whatever white space is at its end.
bool is_heading(std::string_view line) {
  while (line.ends_with(' ')) line.remove_suffix(1);
  return line.size() > 5 && line.starts_with(" = ") && line.ends_with(" =") && line[3] != '=' &&
         line[line.size() - 3] != '=';
}

}  // namespace

WikiText read_wikitext(const std::filesystem::path& file) {
  const std::string text = text_of_file(file);
  const std::vector<std::string_view> lines = lines_of(text);
  WikiText result;
  result.lines = std::ssize(lines);
  std::size_t start = 0;  // of the article
  bool has_heading = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    result.words += count_words(lines[i]);
    const bool stands_alone =
        (i == 0 || is_blank(lines[i - 1])) && (i + 1 == lines.size() || is_blank(lines[i + 1]));
    if (!stands_alone || !is_heading(lines[i])) continue;
    const auto here = static_cast<std::size_t>(lines[i].data() - text.data());
    if (has_heading) {
      result.articles.push_back(text.substr(start, here - start));
      start = here;
    }
    has_heading = true;
  }
  if (!has_heading) {
    throw DataError("{}: no line ' = Title = '; want a raw file of WikiText, such as wiki.test.raw",
                    file.string());
  }
  result.articles.push_back(text.substr(start));
  return result;
}

}  // namespace ty
