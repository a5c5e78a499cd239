// Keys of config.json that several families have: dropout rates, flags, and the head.
#pragma once

#include "models/families/family.h"

namespace ty {

// A dropout rate, its key, and what the public library takes where a file states none. Several
// rates may share a key.
struct RateKey {
  double DropoutRates::*rate;
  const char* name;
  double otherwise;
};
void read_rates(std::span<const RateKey> keys, const JsonFields& json, ModelSpec& spec);
// Of rates that share a key, the last one is written.
void write_rates(std::span<const RateKey> keys, const ModelSpec& spec, nlohmann::json& json);

bool flag_or(const JsonFields& json, const char* key, bool otherwise);
// For switches that are not supported: throws DataError if the key is there with another value.
void refuse_unless(const JsonFields& json, const char* key, bool only);
void refuse_rate(const JsonFields& json, const char* key);  // that is not 0

// Throws DataError unless the number of heads (under this key) divides the width.
void check_heads(const JsonFields& json, const Family& family, const ModelSpec& spec);

// The first head of a family of this kind, without a number of labels (values: that of labels);
// null if it has none.
const StoredClass* find_class(const Family& family, HeadSpec::Kind kind);

// The head that "architectures", "problem_type" and the labels' names state. Throws DataError that
// names `json`'s file and the key.
HeadSpec read_head(const Family& family, const nlohmann::json& document, const JsonFields& json);
// Sets "problem_type" and, if their number is another one, the labels' names.
void write_head(const HeadSpec& head, nlohmann::json& json);

}  // namespace ty
