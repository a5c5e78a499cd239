// A token table whose rows are trains of their own (models/linear/row_trains/row_trains.h): ids
// read their cores, a tied head multiplies by the matrix, which is made for it. Ranks divide the
// rows.
#pragma once

#include "models/linear/row_trains/row_trains.h"
#include "models/transformer/token_table.h"

namespace ty {

// Declares the cores at `at`, of an exact spec.
std::unique_ptr<TokenTable> make_row_trains_table(const BlockContext& at, const LinearShape& shape,
                                                  const RowTrainsSpec& spec);
// The table of cores that are declared.
std::unique_ptr<TokenTable> row_trains_table_of(const BlockContext& at, const LinearShape& shape,
                                                std::vector<const Parameter*> cores);

}  // namespace ty
