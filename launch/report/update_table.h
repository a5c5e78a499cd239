// How the parameters of a model are updated, as a table: what optim.freeze and optim.rules come to.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "launch/run/optim_rules.h"
#include "launch/run/trained_parameters.h"

namespace ty {

// One line for all parameters that are updated alike; "" for no groups.
std::string format_updates(const std::vector<UpdateGroup>& groups);
// How much is trained, one line for each rule that says so, and all of it; "" for none.
std::string format_shares(const std::vector<TrainedShare>& shares);
// One object per rule: rule, trained, parameters (numbers, with those that are not), share.
nlohmann::json shares_json(const std::vector<TrainedShare>& shares);
// One object per group: first, parameters (how many), numbers, and either frozen or lr,
// weight_decay, product_decay, max_rms (0: none) and bounded.
nlohmann::json updates_json(const std::vector<UpdateGroup>& groups);

}  // namespace ty
