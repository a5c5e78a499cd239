#include "core/io/checkpoint.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/io/bytes.h"
#include "tests/unit/io/other_user.h"

namespace ty {
namespace {

using test::contains;
using test::message_of;
using test::OtherUser;
using test::slurp;
using test::spill;
using test::TempDir;

class Checkpoints : public ::testing::Test {
 protected:
  // Both halves of a two-process job, in one.
  void save(std::int64_t step, const std::string& content = "weights") {
    CheckpointWriter first = CheckpointWriter::begin(dir.path(), step);
    CheckpointWriter second = CheckpointWriter::join(dir.path(), step);
    first.add("model.safetensors", [&](FileWriter& out) { out.write(content); });
    second.add("optimizer-1.safetensors", [&](FileWriter& out) { out.write("moments"); });
    Manifest manifest{.step = step, .run_id = "r", .files = first.files()};
    manifest.files.insert(manifest.files.end(), second.files().begin(), second.files().end());
    manifest.fields["data_position"] = step * 8;
    EXPECT_EQ(first.commit(manifest), "");
  }
  // Files of this user, in a directory that others can look into but not change.
  void close_to_others() const {
    using std::filesystem::perms;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.path())) {
      std::filesystem::permissions(entry.path(), entry.is_directory() ? perms(0555) : perms(0444));
    }
    std::filesystem::permissions(dir.path(), perms(0555));
  }
  void TearDown() override {
    std::filesystem::permissions(dir.path(), std::filesystem::perms(0755));
  }
  std::vector<std::int64_t> steps() const {
    std::vector<std::int64_t> result;
    for (const Checkpoint& checkpoint : find_checkpoints(dir.path())) {
      result.push_back(checkpoint.step);
    }
    return result;
  }
  std::vector<std::string> entries() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string damage(std::int64_t step) const {
    return find_damage({step, dir / ("step-" + std::to_string(step))}).value_or("none");
  }
  Path file(std::int64_t step, const std::string& name) const {
    return dir / ("step-" + std::to_string(step)) / name;
  }

  const TempDir dir;
};

TEST_F(Checkpoints, CommittedOneIsFoundAndValid) {
  save(400);
  EXPECT_EQ(entries(), std::vector<std::string>{"step-400"});
  const NewestCheckpoint newest = newest_valid(dir.path());
  ASSERT_TRUE(newest.checkpoint);
  EXPECT_TRUE(newest.skipped.empty());
  const Manifest manifest = read_manifest(*newest.checkpoint);
  EXPECT_EQ(manifest.step, 400);
  EXPECT_EQ(manifest.files.size(), 2u);
  EXPECT_EQ(manifest.fields["data_position"], 3200);
  EXPECT_EQ(slurp(newest.checkpoint->path / "model.safetensors"), "weights");
}

TEST_F(Checkpoints, NothingIsVisibleBeforeTheCommit) {
  save(100);
  CheckpointWriter writer = CheckpointWriter::begin(dir.path(), 200);
  writer.add("model.safetensors", [](FileWriter& out) { out.write("half"); });
  EXPECT_EQ(steps(), std::vector<std::int64_t>{100});
  writer.abandon();
  EXPECT_EQ(entries(), std::vector<std::string>{"step-100"});
}

TEST_F(Checkpoints, LeftoversOfACrashAreRemovedAndDoNotHinderTheNextSave) {
  CheckpointWriter::begin(dir.path(), 300).add("stale", [](FileWriter& out) { out.write("x"); });
  save(300);
  EXPECT_FALSE(std::filesystem::exists(file(300, "stale")));
  CheckpointWriter::begin(dir.path(), 400).add("stale", [](FileWriter& out) { out.write("x"); });
  remove_unfinished(dir.path());
  EXPECT_EQ(entries(), std::vector<std::string>{"step-300"});
}

TEST_F(Checkpoints, NewestComesFirstByNumberAndStrangersAreIgnored) {
  for (const std::int64_t step : {9, 100, 20}) save(step);
  for (const char* name : {"step-", "step-x", "step-007", "step--1", "step-5x", "other",
                           "step-99999999999999999999"}) {
    std::filesystem::create_directory(dir / name);
  }
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{100, 20, 9}));
  EXPECT_TRUE(find_checkpoints(dir / "absent").empty());
}

TEST_F(Checkpoints, DamagedNewestFallsBackToThePreviousAndSaysWhy) {
  save(200);
  save(400);
  std::string content = slurp(file(400, "optimizer-1.safetensors"));
  content[2] = static_cast<char>(content[2] ^ 1);
  spill(file(400, "optimizer-1.safetensors"), content);
  const NewestCheckpoint newest = newest_valid(dir.path());
  ASSERT_TRUE(newest.checkpoint);
  EXPECT_EQ(newest.checkpoint->step, 200);
  ASSERT_EQ(newest.skipped.size(), 1u);
  EXPECT_EQ(newest.skipped[0].step, 400);
  EXPECT_TRUE(contains(newest.skipped[0].reason, "file step-400/optimizer-1.safetensors: hash "));
  EXPECT_TRUE(contains(newest.skipped[0].reason,
                       "the manifest says " + content_hash(test::as_bytes("moments"))));
}

TEST_F(Checkpoints, AllDamagedIsNotTheSameAsNone) {
  save(200);
  spill(file(200, "model.safetensors"), "");
  const NewestCheckpoint newest = newest_valid(dir.path());
  EXPECT_FALSE(newest.checkpoint);
  EXPECT_EQ(newest.skipped.size(), 1u);
}

TEST_F(Checkpoints, EveryKindOfDamageIsNamed) {
  save(1);
  EXPECT_EQ(damage(1), "none");
  spill(file(1, "model.safetensors"), "weight");
  EXPECT_EQ(damage(1), "file step-1/model.safetensors: 6 bytes, the manifest says 7");
  std::filesystem::remove(file(1, "model.safetensors"));
  EXPECT_TRUE(contains(damage(1), "step-1/model.safetensors: cannot open: No such file"));
  save(1);
  spill(file(1, "optimizer-2.safetensors"), "of another layout");
  EXPECT_EQ(damage(1), "file step-1/optimizer-2.safetensors: the manifest does not list it");
  save(1);
  std::filesystem::rename(file(1, "model.safetensors"), file(1, "swap"));
  std::filesystem::rename(file(1, "optimizer-1.safetensors"), file(1, "model.safetensors"));
  std::filesystem::rename(file(1, "swap"), file(1, "optimizer-1.safetensors"));
  EXPECT_TRUE(contains(damage(1), "hash"));
  save(1);
  std::filesystem::remove(file(1, "manifest.json"));
  EXPECT_TRUE(contains(damage(1), "manifest.json: cannot open"));
}

TEST_F(Checkpoints, AShardOfAnotherStepIsFound) {
  save(1, "weights");
  save(2, "WEIGHTS");
  std::filesystem::copy_file(file(1, "model.safetensors"), file(2, "model.safetensors"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(contains(damage(2), "file step-2/model.safetensors: hash"));
}

TEST_F(Checkpoints, ARenamedDirectoryIsFound) {
  save(1);
  std::filesystem::rename(dir / "step-1", dir / "step-5");
  EXPECT_TRUE(contains(damage(5), "is of step 1, but the directory is named step-5"));
}

TEST_F(Checkpoints, SymbolicLinksInsideAreRefused) {
  save(1);
  std::filesystem::rename(file(1, "model.safetensors"), dir / "elsewhere");
  std::filesystem::create_symlink(dir / "elsewhere", file(1, "model.safetensors"));
  EXPECT_TRUE(contains(damage(1), "model.safetensors: cannot open: not a plain file"));
}

TEST_F(Checkpoints, TheSameStepCanBeWrittenAgain) {
  save(1, "old");
  save(1, "new");
  EXPECT_EQ(entries(), std::vector<std::string>{"step-1"});
  EXPECT_EQ(damage(1), "none");
  EXPECT_EQ(slurp(file(1, "model.safetensors")), "new");
}

TEST_F(Checkpoints, RetentionKeepsTheNewestOnes) {
  for (const std::int64_t step : {10, 20, 30, 40}) save(step);
  EXPECT_EQ(retain(dir.path(), 2, 40), "");
  EXPECT_EQ(entries(), (std::vector<std::string>{"step-30", "step-40"}));
  EXPECT_EQ(damage(30), "none");
}

TEST_F(Checkpoints, RetentionNeverRemovesTheOneJustWritten) {
  // Resumed from 10 because 20 and 30 were damaged: 15 is what counts now.
  for (const std::int64_t step : {10, 15, 20, 30}) save(step);
  EXPECT_EQ(retain(dir.path(), 1, 15), "");
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{30, 20, 15}));
}

// The checkpoint just written is whole, whatever becomes of older ones.
TEST_F(Checkpoints, RetentionKeepsOneBesides) {
  for (int step = 10; step <= 50; step += 10) save(step);
  EXPECT_EQ(retain(dir.path(), 2, 50, 20), "");
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{50, 40, 20}));
  EXPECT_EQ(retain(dir.path(), 1, 50, 50), "");
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{50}));
}

TEST_F(Checkpoints, TheBestOneHasANameThatNobodyResumesFrom) {
  const Path best = dir / "best";
  save(10);
  save(20);
  EXPECT_EQ(point_best_to(dir.path(), 10), "");
  EXPECT_EQ(std::filesystem::read_symlink(best), "step-10");
  EXPECT_EQ(copied_checkpoint(best).step, 10);
  EXPECT_EQ(find_damage(copied_checkpoint(best)), std::nullopt);
  EXPECT_EQ(point_best_to(dir.path(), 20), "");
  EXPECT_EQ(std::filesystem::read_symlink(best), "step-20");
  EXPECT_EQ(entries(), (std::vector<std::string>{"best", "step-10", "step-20"}));
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{20, 10}));
  std::filesystem::remove_all(dir / "step-20");
  EXPECT_EQ(newest_valid(dir.path()).checkpoint->step, 10);
  EXPECT_EQ(point_best_to(dir.path(), 20), "");
  EXPECT_EQ(entries(), (std::vector<std::string>{"step-10"})) << "it led nowhere";
  std::filesystem::create_directory(best);
  EXPECT_TRUE(contains(point_best_to(dir.path(), 10), "cannot rename to best"));
}

TEST_F(Checkpoints, AnOldOneThatCannotBeRemovedIsAWarning) {
  for (const std::int64_t step : {10, 20, 30}) save(step);
  close_to_others();
  {
    const OtherUser other;
    EXPECT_TRUE(contains(retain(dir.path(), 1, 30), "step-10: cannot rename to step-10.old.tmp"));
    EXPECT_NO_THROW(remove_unfinished(dir.path()));
  }
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{30, 20, 10}));
}

// A file that the system refuses to read may be whole: to pass it over would lose it.
TEST_F(Checkpoints, AFileThatCannotBeReadIsNoDamage) {
  save(10);
  save(20);
  close_to_others();
  const Path locked = file(20, "model.safetensors");
  std::filesystem::permissions(locked, std::filesystem::perms::none);
  const OtherUser other;
  EXPECT_EQ(message_of<IoError>([&] { newest_valid(dir.path()); }),
            locked.string() +
                ": cannot open: Permission denied; check the owner and the mode, or choose another "
                "directory");
  EXPECT_THROW(damage(20), IoError);
  EXPECT_EQ(damage(10), "none");
}

TEST_F(Checkpoints, WriterRefusesNamesAndStepsThatAreNotItsOwn) {
  CheckpointWriter writer = CheckpointWriter::begin(dir.path(), 7);
  const auto nothing = [](FileWriter&) {};
  EXPECT_THROW(writer.add("../x", nothing), DataError);
  EXPECT_THROW(static_cast<void>(writer.commit({.step = 8, .run_id = "r", .files = {}})),
               InternalError);
  EXPECT_TRUE(steps().empty());
}

TEST_F(Checkpoints, UnwritableDirectoryIsAnIoErrorThatNamesIt) {
  spill(dir / "file", "");
  EXPECT_TRUE(contains(message_of<IoError>([&] { CheckpointWriter::begin(dir / "file", 1); }),
                       "file/step-1.tmp"));
}

}  // namespace
}  // namespace ty
