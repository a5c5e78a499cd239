// Section `parallel` of the job file: how ranks and micro-batches share the work of a step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/config/fields.h"
#include "models/transformer/model.h"
#include "parallel/data/reduction.h"
#include "parallel/pipeline/schedules.h"

namespace ty {

// What carries tensors that lie on a device; on a CPU it is MPI.
enum class Transport : std::uint8_t { automatic, mpi, nccl };

struct ParallelSection {
  config::IntOrAuto data;  // auto: the ranks that are left
  config::IntOrAuto tensor = 1;
  bool sequence = false;  // between shared layers, tensor ranks have their own tokens only
  config::IntOrAuto pipeline = 1;
  std::filesystem::path schedule = "1f1b";  // a PipelineSchedule, or a program in a file
  std::int64_t chunks = 1;                  // of each stage; interleaved
  std::vector<std::int64_t> stages = {};    // layers of each (x chunks); empty: of about equal cost
  std::filesystem::path profile = {};       // measured costs of blocks; empty: predicted ones
  bool work_conserving = false;   // stages do not wait where they could run something else
  std::int64_t microbatches = 1;  // per rank and step
  Recompute recompute = Recompute::none;
  WeightReuse reuse = WeightReuse::pass;
  std::int64_t zero = 0;  // 1: optimizer state is sharded over the data ranks
  Reduction reduction = Reduction::fast;
  double bucket_mb = 25.0;  // of gradients reduced together
  Transport transport = Transport::automatic;
  std::int64_t check_replicas = 0;  // steps between comparisons of shared weights; 0: never
};

void fields(config::Fields& f, ParallelSection& s);
void check(const ParallelSection& s, config::Checks& checks);

}  // namespace ty
