#include "launch/inspect/inspection.h"

#include <algorithm>

#include "core/base/error.h"
#include "launch/inspect/path_kind.h"
#include "launch/report/text.h"

namespace ty {

namespace {

// The same path with a name at its end, unlike "runs/a/" or "..".
Path with_last_part(const Path& path) {
  const Path normal = path.lexically_normal();
  if (normal == "." || normal.filename() == "..") return std::filesystem::weakly_canonical(path);
  return normal.has_filename() ? normal : normal.parent_path();
}

}  // namespace

void Inspection::line(std::string_view key, std::string_view value) {
  text += fmt::format("  {:<12} {}\n", key, value);
}

void Inspection::fault(const std::string& what, ExitCode its_code) {
  if (!damage.empty()) return;
  damage = what;
  code = its_code;
}

Inspection inspect(const Path& path, const InspectOptions& options) {
  const Path clean = with_last_part(path);
  const PathKind kind = recognise(clean);
  Inspection result;
  switch (kind) {
    case PathKind::run:
      result = inspect_run(clean);
      break;
    case PathKind::checkpoint:
      result = inspect_checkpoint(clean);
      break;
    case PathKind::model:
      result = inspect_model(clean);
      break;
    case PathKind::tensors:
      result = inspect_tensors(clean);
      break;
    case PathKind::token_file:
      result = inspect_token_file(clean, options);
      break;
    case PathKind::text:
      result = inspect_text(clean, options);
      break;
    case PathKind::tokenizer:
      result = inspect_tokenizer(clean);
      break;
  }
  result.facts["kind"] = name_of(kind);
  result.facts["path"] = path.string();
  result.facts["valid"] = result.damage.empty();
  if (!result.damage.empty()) result.facts["damage"] = result.damage;
  std::string title(name_of(kind));
  std::replace(title.begin(), title.end(), '_', ' ');
  result.text = fmt::format("{}  {}\n", title, path.string()) + result.text;
  return result;
}

}  // namespace ty
