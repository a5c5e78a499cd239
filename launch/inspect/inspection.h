// What a run, checkpoint, model, dataset or tokenizer contains, both as facts for programs and as
// text for people. The content is checked as well; a fault does not stop the rest from being
// reported.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/base/error.h"
#include "core/data/text_source.h"
#include "core/data/tokenizer.h"
#include "core/io/tensor_set.h"

namespace ty {

struct Inspection {
  nlohmann::json facts = nlohmann::json::object();  // kind, path, valid, ...
  std::string text;                                 // lines
  std::string damage;                               // the first fault; empty: none
  ExitCode code = ExitCode::ok;                     // of the first fault

  // Adds a line "  key         value".
  void line(std::string_view key, std::string_view value);
  // Records a fault; only the first one is kept.
  void fault(const std::string& what, ExitCode code = ExitCode::bad_data);
};

struct InspectOptions {
  TextOptions text;
  Path tokenizer;  // directory; empty: one found near the token file
};

// Recognises what is at the path and inspects it. Throws UsageError for an unknown kind.
Inspection inspect(const Path& path, const InspectOptions& options = {});

// One kind each.
Inspection inspect_run(const Path& directory);
Inspection inspect_checkpoint(const Path& directory);
Inspection inspect_model(const Path& directory);
Inspection inspect_tensors(const Path& file);
Inspection inspect_token_file(const Path& file, const InspectOptions& options);
Inspection inspect_text(const Path& file, const InspectOptions& options);
Inspection inspect_tokenizer(const Path& directory);

// Adds the tensors and their totals, as facts `tensors`, `dtypes` and `bytes` and as two tables.
void add_tensors(Inspection& result, const TensorSet& tensors);
// "bpe, 1024 ids, end of text 1023, fingerprint 00ab..."
std::string describe(const Tokenizer& tokenizer);
nlohmann::json facts_of(const Tokenizer& tokenizer);

}  // namespace ty
