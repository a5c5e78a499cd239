#include "core/io/checkpoint.h"

#include <fcntl.h>
#include <stdio.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <set>
#include <system_error>
#include <utility>

#include "core/base/error.h"
#include "core/io/file_name.h"

namespace ty {

namespace {

constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kTemporary = ".tmp";

std::string directory_name(std::int64_t step) { return fmt::format("{}{}", kPrefix, step); }

Path temporary_path(const Path& published) { return Path(published).concat(kTemporary); }

// The N of "step-N", if the name is exactly what directory_name(N) gives.
std::optional<std::int64_t> step_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string_view digits = name.substr(kPrefix.size());
  std::int64_t step = -1;
  const auto result = std::from_chars(digits.begin(), digits.end(), step);
  if (result.ec != std::errc() || step < 0 || directory_name(step) != name) return std::nullopt;
  return step;
}

// File names of a directory, in no order.
std::vector<std::string> list_directory(const Path& directory) {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) throw_io_error(directory, "list", error.value());
  return names;
}

// Puts `from` in the place of `to`, which may be a full directory; false if the file system cannot.
bool exchange(const Path& from, const Path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return true;
  if (errno == EINVAL || errno == ENOSYS) return false;
  throw_io_error(from, fmt::format("exchange with {}", to.filename().string()), errno);
}

// Hides a checkpoint before it is taken apart, so that half of one is never seen.
void remove_published(const Path& path) {
  const Path hidden = Path(path).concat(".old").concat(kTemporary);
  remove_tree(hidden);
  rename_path(path, hidden);
  remove_tree(hidden);
}

// Why no plain file lies at a path where one was written; empty: one does. That is damage, whereas
// a file that the system does not let us read may be whole.
std::string missing_file(const Path& path) {
  std::error_code error;
  const auto type = std::filesystem::symlink_status(path, error).type();
  if (type == std::filesystem::file_type::regular) return "";
  if (type == std::filesystem::file_type::none) throw_io_error(path, "inspect", error.value());
  if (type == std::filesystem::file_type::not_found) return io_error_text(path, "open", ENOENT);
  return path.string() + ": cannot open: not a plain file (a symbolic link, directory or device)";
}

// Read, not mapped: an error of the device is then an IoError.
std::string hash_of(const File& file) {
  constexpr std::uint64_t kPart = std::uint64_t{1} << 22;
  ContentHash hash;
  std::vector<std::byte> part;
  const std::uint64_t size = file.size();
  for (std::uint64_t first = 0; first < size; first += kPart) {
    part.resize(std::min(kPart, size - first));
    file.read_at(first, part);
    hash.update(part);
  }
  return hash.hex();
}

// What makes the file differ from its record; empty: nothing.
std::string damage_of(const Path& path, const std::string& shown, const FileRecord& record) {
  if (std::string why = missing_file(path); !why.empty()) return why;
  const File file = File::open(path, Links::refuse);
  if (file.size() != record.summary.size) {
    return fmt::format("file {}: {} bytes, the manifest says {}", shown, file.size(),
                       record.summary.size);
  }
  const std::string hash = hash_of(file);
  if (hash == record.summary.hash) return "";
  return fmt::format("file {}: hash {}, the manifest says {}", shown, hash, record.summary.hash);
}

// Runs work whose failure does not undo what is done; the warning, or "".
template <typename Work>
std::string attempt(Work&& work) {
  try {
    work();
  } catch (const IoError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

CheckpointWriter::CheckpointWriter(const Path& checkpoints, std::int64_t step)
    : checkpoints_(checkpoints),
      step_(step),
      temporary_(temporary_path(checkpoints / directory_name(step))) {
  TY_CHECK(step >= 0, "checkpoint of step {}", step);
}

CheckpointWriter CheckpointWriter::begin(const Path& checkpoints, std::int64_t step) {
  CheckpointWriter writer(checkpoints, step);
  remove_tree(writer.temporary_);
  make_directory(writer.temporary_);
  return writer;
}

CheckpointWriter CheckpointWriter::join(const Path& checkpoints, std::int64_t step) {
  return CheckpointWriter(checkpoints, step);
}

void CheckpointWriter::add(const std::string& name, const std::function<void(FileWriter&)>& write) {
  check_file_name(name, temporary_.string());
  FileWriter file(temporary_ / name);
  write(file);
  files_.push_back({name, file.finish()});
}

bool CheckpointWriter::link(const Path& checkpoint, const FileRecord& record) {
  check_file_name(record.name, checkpoint.string());
  const Path from = checkpoint / record.name, to = temporary_ / record.name;
  std::error_code error;
  std::filesystem::create_hard_link(from, to, error);
  if (error) return false;
  files_.push_back(record);
  return true;
}

std::string CheckpointWriter::commit(const Manifest& manifest) {
  TY_CHECK(manifest.step == step_, "manifest of step {} in a checkpoint of step {}", manifest.step,
           step_);
  FileWriter file(temporary_ / kManifestName);
  file.write(format_manifest(manifest));
  file.finish();
  fsync_directory(temporary_);

  const Path published = checkpoints_ / directory_name(step_);
  std::string warning;
  if (!std::filesystem::exists(published)) {
    rename_path(temporary_, published);
  } else if (exchange(temporary_, published)) {
    warning = attempt([&] { remove_tree(temporary_); });  // the replaced one
  } else {
    remove_published(published);
    rename_path(temporary_, published);
  }
  const std::string unsynced = attempt([&] { fsync_directory(checkpoints_); });
  return unsynced.empty() ? warning : unsynced;
}

void CheckpointWriter::abandon() { remove_tree(temporary_); }

std::vector<Checkpoint> find_checkpoints(const Path& checkpoints) {
  std::vector<Checkpoint> found;
  if (!std::filesystem::exists(checkpoints)) return found;
  for (const std::string& name : list_directory(checkpoints)) {
    if (const auto step = step_of(name)) found.push_back({*step, checkpoints / name});
  }
  std::sort(found.begin(), found.end(),
            [](const Checkpoint& a, const Checkpoint& b) { return a.step > b.step; });
  return found;
}

Checkpoint copied_checkpoint(const Path& directory) {
  const Path file = directory / kManifestName;
  return {parse_manifest(read_text_file(file, kMaxManifestBytes), file.string()).step, directory};
}

Manifest read_manifest(const Checkpoint& checkpoint) {
  const Path path = checkpoint.path / kManifestName;
  const std::string place = path.string();
  Manifest manifest = parse_manifest(read_text_file(path, kMaxManifestBytes, Links::refuse), place);
  if (manifest.step != checkpoint.step) {
    throw DataError("{}: is of step {}, but the directory is named {}", place, manifest.step,
                    directory_name(checkpoint.step));
  }
  return manifest;
}

std::vector<FileVerdict> check_files(const Checkpoint& checkpoint, const Manifest& manifest) {
  const std::string directory = checkpoint.path.filename().string();
  std::vector<FileVerdict> verdicts;
  std::set<std::string> listed;
  for (const FileRecord& record : manifest.files) {
    const std::string shown = directory + "/" + record.name;
    verdicts.push_back({record, damage_of(checkpoint.path / record.name, shown, record)});
    listed.insert(record.name);
  }
  for (const std::string& name : list_directory(checkpoint.path)) {
    if (!name.ends_with(".safetensors") || listed.contains(name)) continue;
    verdicts.push_back(
        {{name, {}}, fmt::format("file {}/{}: the manifest does not list it", directory, name)});
  }
  return verdicts;
}

std::optional<std::string> find_damage(const Checkpoint& checkpoint) {
  if (std::string why = missing_file(checkpoint.path / kManifestName); !why.empty()) return why;
  try {
    for (FileVerdict& verdict : check_files(checkpoint, read_manifest(checkpoint))) {
      if (!verdict.damage.empty()) return std::move(verdict.damage);
    }
  } catch (const DataError& e) {
    return e.what();
  }
  return std::nullopt;
}

std::string to_text(const std::vector<SkippedCheckpoint>& skipped) {
  std::vector<std::string> parts;
  for (const SkippedCheckpoint& each : skipped) {
    parts.push_back(fmt::format("step {}: {}", each.step, each.reason));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

NewestCheckpoint newest_valid(const Path& checkpoints) {
  NewestCheckpoint result;
  for (const Checkpoint& checkpoint : find_checkpoints(checkpoints)) {
    if (auto damage = find_damage(checkpoint)) {
      result.skipped.push_back({checkpoint.step, std::move(*damage)});
    } else {
      result.checkpoint = checkpoint;
      break;
    }
  }
  return result;
}

void remove_unfinished(const Path& checkpoints) {
  if (!std::filesystem::exists(checkpoints)) return;
  for (const std::string& name : list_directory(checkpoints)) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kTemporary)) continue;
    static_cast<void>(attempt([&] { remove_tree(checkpoints / name); }));
  }
}

std::string retain(const Path& checkpoints, std::int64_t keep, std::int64_t step,
                   std::int64_t besides) {
  TY_CHECK(keep >= 1, "keep {} checkpoints", keep);
  std::string warning;
  for (const Checkpoint& checkpoint : find_checkpoints(checkpoints)) {
    if (checkpoint.step > step) continue;
    if (keep-- > 0 || checkpoint.step == besides) continue;
    const std::string why = attempt([&] { remove_published(checkpoint.path); });
    if (!why.empty()) warning = why;
  }
  return warning;
}

std::string point_best_to(const Path& checkpoints, std::int64_t step) {
  const Path link = checkpoints / kBestName, fresh = temporary_path(link);
  const std::string target = directory_name(step);
  std::error_code error;
  if (!std::filesystem::exists(checkpoints / target, error)) {
    const bool leads_nowhere =
        std::filesystem::is_symlink(link, error) && !std::filesystem::exists(link, error);
    return leads_nowhere ? attempt([&] { remove_tree(link); }) : "";
  }
  return attempt([&] {
    remove_tree(fresh);
    std::filesystem::create_directory_symlink(target, fresh, error);
    if (error) throw_io_error(fresh, "make a symbolic link", error.value());
    rename_path(fresh, link);
  });
}

}  // namespace ty
