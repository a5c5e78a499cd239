// A checkpoint that processes write in one layout goes on in another.
#include <gtest/gtest.h>

#include "tests/parity/cut_model.h"
#include "tests/support/mpi_environment.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

TEST(CheckpointLayoutsMpi, ProcessesGoOnInEveryLayoutOfTheirs) {
  const Group& world = mpi_world();
  ModelSpec spec = tiny(true);
  spec.vocab = 20'001;  // a table in several messages
  const TempDir temp;
  const Path directory = world.all_gather_text(temp.path().string())[0];
  const int ranks = world.size(), half = ranks / 2;
  for (const Layout& from : {Layout{1, ranks}, Layout{2, half, true}, Layout{2, half}}) {
    {
      Rank rank(world, from, spec, {});
      rank.fill_random(5.0);
      rank.save(directory);
    }
    for (const Layout& to : {Layout{ranks, 1, true}, Layout{half, 2}, Layout{1, ranks}}) {
      Rank rank(world, to, spec, {});
      rank.restore(directory);
      rank.save(directory);
    }
  }
  world.barrier();
}

}  // namespace
}  // namespace ty::test
