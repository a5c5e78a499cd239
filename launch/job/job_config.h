// The job file: what one run of the product is asked to do, as plain structs with defaults.
//
// Each section has its own pair of files: NAME_section.h holds the struct, NAME_section.cpp its
// field list (what each key means and may be, as `trainyard config` prints it) and the rules among
// its own keys. This file puts the sections together and adds the rules between them. Zero means
// "none" or "work it out" where a comment says so.
#pragma once

#include <filesystem>
#include <vector>

#include "core/config/load.h"
#include "launch/job/checkpoint_section.h"
#include "launch/job/data_section.h"
#include "launch/job/log_section.h"
#include "launch/job/model_section.h"
#include "launch/job/optim_section.h"
#include "launch/job/parallel_section.h"
#include "launch/job/precision_section.h"
#include "launch/job/run_section.h"
#include "launch/job/schedule_section.h"
#include "launch/job/strategy_section.h"
#include "launch/job/task_section.h"
#include "launch/job/tokenizer_section.h"
#include "models/linear/adapters.h"

namespace ty {

struct JobConfig {
  RunSection run;
  ModelSection model;
  std::vector<LinearRule> linear;
  std::vector<AdapterRule> adapters;
  std::vector<StrategyPhase> strategy;
  TokenizerSection tokenizer;
  DataSection data;
  TaskSection task;
  OptimSection optim;
  ScheduleSection schedule;
  ParallelSection parallel;
  PrecisionSection precision;
  CheckpointSection checkpoint;
  LogSection log;

  std::string steps_key = "run.steps";  // what states run.steps; in a phase of a strategy its own
};

// The field list of a whole job, for config::to_yaml, json_schema and the like.
void fields(config::Fields& f, JobConfig& job);
// The rules between sections.
void check(const JobConfig& job, config::Checks& checks);

// The job of a file (none: defaults) with overrides `section.key=value` and all defaults that
// depend on other keys filled in. Throws ConfigError that lists everything that is wrong.
JobConfig load_job(const std::filesystem::path& file, const config::Overrides& overrides = {});
// The same job with the origin of each key.
config::Loaded<JobConfig> load_job_with_origins(const std::filesystem::path& file,
                                                const config::Overrides& overrides = {});

}  // namespace ty
