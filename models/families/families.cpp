#include <algorithm>

#include "core/base/error.h"
#include "models/families/bart.h"
#include "models/families/bert.h"
#include "models/families/distilbert.h"
#include "models/families/family.h"
#include "models/families/gpt2.h"
#include "models/families/opt.h"
#include "models/families/vit.h"

namespace ty {

namespace {

// One row per family.
std::vector<Family>& rows() {
  static std::vector<Family> all = {gpt2_family(),       opt_family(),  bert_family(),
                                    distilbert_family(), bart_family(), vit_family()};
  return all;
}

}  // namespace

std::span<const Family> families() { return rows(); }

const Family* find_family(std::string_view name) {
  const auto found = std::find_if(rows().begin(), rows().end(),
                                  [&](const Family& family) { return family.name == name; });
  return found == rows().end() ? nullptr : &*found;
}

const Family& family_of(const ModelSpec& spec) {
  const Family* family = find_family(spec.family);
  TY_CHECK(family != nullptr, "there is no family {}", spec.family);
  return *family;
}

HeadSpec head_of_family(const Family& family, HeadSpec::Kind kind) {
  const bool is_value = kind == HeadSpec::Kind::values;
  const HeadSpec::Kind stored = is_value ? HeadSpec::Kind::labels : kind;
  for (const StoredClass& each : family.classes) {
    if (each.head.kind != stored) continue;
    HeadSpec head = each.head;
    head.kind = kind;
    return head;
  }
  if (kind == HeadSpec::Kind::none) return {.kind = kind};
  throw ConfigError(Key{"task.kind"}, "models of family {} have no head for it", family.name);
}

void add_family(const Family& family) {
  TY_CHECK(find_family(family.name) == nullptr, "there is a family {} already", family.name);
  rows().push_back(family);
}

}  // namespace ty
