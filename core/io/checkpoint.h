// Checkpoints that survive a crash at any moment.
//
// All processes write their files into `step-N.tmp/`, each hashed while written and fsynced. When
// all of them have succeeded (the caller has to find out; nothing here communicates), one process
// writes the manifest with all sizes and hashes, makes it durable and renames the directory to
// `step-N/`. So a directory without `.tmp` is complete, and the newest valid checkpoint is found by
// scanning, not through a pointer that could be wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "core/io/manifest.h"

namespace ty {

// Writes one checkpoint. In a job of many processes: one calls begin(), then (after a barrier) the
// others join(); all add(); file lists are gathered; the one commit()s or, if any failed,
// abandon()s.
class CheckpointWriter {
 public:
  // Creates an empty `step-N.tmp` in `checkpoints`, which must exist.
  static CheckpointWriter begin(const Path& checkpoints, std::int64_t step);
  // For the other processes, once begin() has been called.
  static CheckpointWriter join(const Path& checkpoints, std::int64_t step);

  // Writes one file through `write`, makes it durable and records it.
  void add(const std::string& name, const std::function<void(FileWriter&)>& write);
  // Adds a file of a published checkpoint, with its record there, as another name of the same file
  // on disk; false if the file system cannot.
  bool link(const Path& checkpoint, const FileRecord& record);
  // What this process has added.
  const std::vector<FileRecord>& files() const { return files_; }

  // Publishes the checkpoint; `manifest.files` are those of all processes, `manifest.step` is ours.
  // An older checkpoint of the same step is replaced. On IoError nothing was published. Returns a
  // warning about what failed after publishing, or "".
  [[nodiscard]] std::string commit(const Manifest& manifest);
  // Removes what was written.
  void abandon();

  std::int64_t step() const { return step_; }

 private:
  CheckpointWriter(const Path& checkpoints, std::int64_t step);

  Path checkpoints_;
  std::int64_t step_;
  Path temporary_;
  std::vector<FileRecord> files_;
};

// A published checkpoint, not yet read.
struct Checkpoint {
  std::int64_t step = 0;
  Path path;
};

// All published checkpoints of a directory, newest first; none if the directory does not exist.
std::vector<Checkpoint> find_checkpoints(const Path& checkpoints);
// A checkpoint that may have been copied under another name: its step is what the manifest says.
// Throws DataError if the manifest is damaged.
Checkpoint copied_checkpoint(const Path& directory);
// The manifest alone; throws DataError if it is damaged or of another step.
Manifest read_manifest(const Checkpoint& checkpoint);

struct FileVerdict {
  FileRecord record;
  std::string damage;  // how the file differs from the manifest; empty: it does not
};
// Reads and hashes every file of the manifest; tensor files that it does not list come last, as
// damage. Throws IoError if the system refuses to read a file: that does not prove damage.
std::vector<FileVerdict> check_files(const Checkpoint& checkpoint, const Manifest& manifest);
// Reads everything and compares it with the manifest. If the checkpoint is damaged, the reason:
// `file step-400/optimizer-0.safetensors: hash 12ab..., the manifest says 34cd...`. Throws IoError
// as check_files() does.
std::optional<std::string> find_damage(const Checkpoint& checkpoint);

struct SkippedCheckpoint {
  std::int64_t step = 0;
  std::string reason;
};
// "step 20: file ..; step 15: .."
std::string to_text(const std::vector<SkippedCheckpoint>& skipped);
struct NewestCheckpoint {
  std::optional<Checkpoint> checkpoint;
  std::vector<SkippedCheckpoint> skipped;  // newer, but damaged; newest first
};
// Finds the checkpoint to resume from. If there is none but some were skipped, the run is lost: the
// caller must not restart it from scratch unless told to. Throws IoError as check_files() does: a
// checkpoint that merely cannot be read now must not be skipped and later replaced.
NewestCheckpoint newest_valid(const Path& checkpoints);

// Removes what a crash left behind (`step-N.tmp`). To be called by one process, before any begin().
// Leftovers that cannot be removed do no harm until their step is saved again.
void remove_unfinished(const Path& checkpoints);
// Keeps the `keep` newest checkpoints up to `step`, the one just written, and that of step
// `besides`
// (-1: none), and removes older ones. Later steps (left by a run that was rewound) are neither
// counted nor removed. Returns a warning that says why an old one could not be removed, or "".
[[nodiscard]] std::string retain(const Path& checkpoints, std::int64_t keep, std::int64_t step,
                                 std::int64_t besides = -1);

// A symbolic link to one of the checkpoints beside it, by which users find it. It is never resumed
// from.
inline constexpr const char* kBestName = "best";
// Makes `best` point to a step, at once; for a step that is not there, removes the link if it leads
// nowhere. Returns a warning that says why it could not, or "".
[[nodiscard]] std::string point_best_to(const Path& checkpoints, std::int64_t step);

}  // namespace ty
