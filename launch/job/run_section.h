// Section `run` of the job file: what a run is called, where it lives, how long it lasts and on
// which device.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/config/fields.h"

namespace ty {

enum class DeviceChoice : std::uint8_t { automatic, cpu, cuda };

// When a run ends before its last step.
struct EarlyStopping {
  std::string metric = "valid_loss";  // of evaluations: see launch/run/best_step.h
  std::int64_t patience = 0;          // evaluations without a better one; 0: never
};

struct RunSection {
  std::string name = "run";
  std::filesystem::path dir;  // load_job fills in runs/NAME if not stated
  std::int64_t seed = 1;
  std::int64_t steps = 1000;
  std::int64_t eval_every = 0;    // 0: only at the end
  std::int64_t sample_every = 0;  // 0: never
  EarlyStopping early_stop;
  DeviceChoice device = DeviceChoice::automatic;
  bool deterministic = true;  // of a card; the CPU always is
  bool cuda_graphs = false;
  bool allow_changes = false;
};

void fields(config::Fields& f, EarlyStopping& s);
void fields(config::Fields& f, RunSection& s);
void check(const RunSection& s, config::Checks& checks);

}  // namespace ty
