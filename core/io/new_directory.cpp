#include "core/io/new_directory.h"

#include "core/base/error.h"
#include "core/io/file_name.h"

namespace ty {

namespace {

// Without a slash at its end.
Path plain(const Path& path) {
  const Path normal = path.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

Path parent_of(const Path& path) {
  const Path parent = path.parent_path();
  return parent.empty() ? Path(".") : parent;
}

}  // namespace

void require_absent(const Path& path) {
  const Path target = plain(path);
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(target, ignored))) {
    throw UsageError("{}: exists already; remove it or name another directory", path.string());
  }
  const Path parent = parent_of(target);
  if (!std::filesystem::is_directory(parent, ignored)) {
    throw UsageError("{}: cannot be made, {} is not a directory; make that first", path.string(),
                     parent.string());
  }
}

NewDirectory::NewDirectory(const Path& path)
    : path_(plain(path)), temporary_(Path(path_).concat(".tmp")) {
  require_absent(path);
  remove_tree(temporary_);
  make_directory(temporary_);
}

NewDirectory::~NewDirectory() {
  try {
    remove_tree(temporary_);  // its name is gone once it is published
  } catch (const Error&) {    // the next attempt removes it
  }
}

void NewDirectory::add(const std::string& name, const std::function<void(FileWriter&)>& write) {
  check_file_name(name, temporary_.string());
  FileWriter file(temporary_ / name);
  write(file);
  bytes_ += file.finish().size;
}

void NewDirectory::copy(const Path& file) {
  const MappedFile source(file);
  add(file.filename().string(), [&](FileWriter& out) { out.write(source.bytes()); });
}

void NewDirectory::publish() {
  fsync_directory(temporary_);
  require_absent(path_);
  rename_path(temporary_, path_);
  fsync_directory(parent_of(path_));
}

}  // namespace ty
