#include "launch/run/optimizer_state.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <optional>

#include "core/base/error.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"

namespace ty {

namespace {

std::int64_t count_of(const std::vector<SliceRun>& runs) {
  return std::accumulate(runs.begin(), runs.end(), std::int64_t{0},
                         [](std::int64_t sum, const SliceRun& run) { return sum + run.count; });
}

std::string state_key(const Optimizer::State& state, const Parameter& parameter) {
  return state.name + "|" + parameter.name;
}

// `element`: of the parameter's part, padding included.
std::string state_name(const Optimizer::State& state, const Parameter& parameter,
                       std::int64_t element) {
  const std::string key = state_key(state, parameter);
  const Slice& cut = parameter.placement.slice;
  if (cut.dim < 0) return fmt::format("{}|{}", key, element);
  const SliceRows rows = rows_of(parameter.shape, cut);
  const std::int64_t first = element / rows.own_step * rows.columns + element % rows.own_step;
  return fmt::format("{}|{}:{}+{}/{}|{}", key, cut.dim, cut.first,
                     unpadded_shape(parameter.shape, cut)[cut.dim], cut.whole, first);
}

// A moment of one piece, on its way into a file.
struct OutgoingState {
  Tensor values;               // of the piece
  std::vector<SliceRun> runs;  // of the part's elements, without padding
  std::int64_t first;          // element of the part that values begin with
};

// Reads the values into `host` and moves those that are not padding together.
View read_unpadded(const OutgoingState& state, Backend& backend, std::vector<std::byte>& host) {
  const View view = state.values.view();
  host.resize(view.bytes());
  backend.read(host.data(), view);
  const std::size_t size = size_of(view.dtype);
  std::size_t to = 0;
  for (const SliceRun& run : state.runs) {
    const std::size_t from = static_cast<std::size_t>(run.part_first - state.first) * size;
    const std::size_t bytes = static_cast<std::size_t>(run.count) * size;
    if (from != to) std::memmove(host.data() + to, host.data() + from, bytes);
    to += bytes;
  }
  return contiguous_view(host.data(), view.dtype, {count_of(state.runs)});
}

// Whole numbers with these characters between them, as many as there is room for.
template <std::size_t N>
bool parse_numbers(std::string_view text, std::string_view between,
                   std::array<std::int64_t, N>& numbers) {
  const char *at = text.data(), *const end = at + text.size();
  for (std::size_t i = 0; i < N; ++i) {
    if (i > 0 && (at == end || *at++ != between[i - 1])) return false;
    const auto [stop, fault] = std::from_chars(at, end, numbers[i]);
    if (fault != std::errc() || numbers[i] < 0) return false;
    at = stop;
  }
  return at == end;
}

// A stored run of elements of one moment of one parameter.
struct StoredPiece {
  std::string key;         // "moment|parameter"
  Slice slice;             // of the parameter
  std::int64_t part = 0;   // how much of the dimension that is cut
  std::int64_t first = 0;  // element of the part
  View view = {};
  std::string place = {};  // file and name
};
using StoredState = std::map<std::string, std::vector<StoredPiece>>;  // by key

// Without view and place; none if it is not the name of a moment.
std::optional<StoredPiece> parse_state_name(std::string_view name) {
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t bar = std::min(name.find('|', begin), name.size());
    fields.push_back(name.substr(begin, bar - begin));
    begin = bar + 1;
  }
  std::array<std::int64_t, 1> first{};
  if (fields.size() < 3 || fields.size() > 4 || !parse_numbers(fields.back(), "", first)) return {};
  StoredPiece piece = {fmt::format("{}|{}", fields[0], fields[1]), {}, 0, first[0]};
  if (fields.size() == 3) return piece;
  std::array<std::int64_t, 4> cut{};
  if (!parse_numbers(fields[2], ":+/", cut) || cut[0] >= Shape::kMaxRank) return {};
  piece.slice = {static_cast<int>(cut[0]), cut[1], cut[3]};
  piece.part = cut[2];
  return piece;
}

void collect(StoredState& stored, const SafetensorsFile& file) {
  for (const StoredTensor& tensor : file.tensors()) {
    const std::string place = fmt::format("{}: {}", file.path().string(), in_quotes(tensor.name));
    std::optional<StoredPiece> piece = parse_state_name(tensor.name);
    if (!piece) throw DataError("{}: not the name of an optimizer tensor", place);
    piece->view = file.view(tensor.name);
    piece->place = place;
    stored[piece->key].push_back(std::move(*piece));
  }
}

// Which elements of the parameter a piece holds. Throws DataError if there are no such elements.
std::vector<SliceRun> runs_in_whole(const StoredPiece& piece, const Parameter& parameter) {
  Shape part = parameter.whole();
  const Slice& cut = piece.slice;
  if (cut.dim >= part.rank() || (cut.dim >= 0 && cut.whole != part[cut.dim])) {
    throw DataError("{}: {} is {}, not cut like that", piece.place, parameter.name, part.str());
  }
  if (cut.dim >= 0) {
    if (cut.first > cut.whole || piece.part > cut.whole - cut.first) {
      throw DataError("{}: {} + {} is beyond {} of {}", piece.place, cut.first, piece.part,
                      cut.whole, parameter.name);
    }
    part[cut.dim] = piece.part;
  }
  const std::int64_t count = piece.view.numel();
  if (count > part.numel() || piece.first > part.numel() - count) {
    throw DataError("{}: {} elements from {} on, but there are {} of {}", piece.place, count,
                    piece.first, part.numel(), parameter.name);
  }
  return runs_of(part, cut, {piece.first, count});
}

// Copies what the stored pieces hold of elements `wanted` of a part to `host`, where element
// `first` of the part comes first. Returns how many that were.
std::int64_t copy_found(const std::vector<StoredPiece>& stored, const Parameter& parameter,
                        const std::vector<SliceRun>& wanted, std::int64_t first, const View& host) {
  const std::size_t size = size_of(host.dtype);
  std::int64_t found = 0;
  for (const StoredPiece& piece : stored) {
    for (const CommonRun& run : common_runs(wanted, runs_in_whole(piece, parameter))) {
      if (piece.view.dtype != host.dtype) {
        throw DataError("{}: file {} != config {}", piece.place, name_of(piece.view.dtype),
                        name_of(host.dtype));
      }
      std::memcpy(
          host.as<std::byte>() + static_cast<std::size_t>(run.a_first - first) * size,
          piece.view.as<std::byte>() + static_cast<std::size_t>(run.b_first - piece.first) * size,
          static_cast<std::size_t>(run.count) * size);
      found += run.count;
    }
  }
  return found;
}

}  // namespace

void write_optimizer(FileWriter& out, const FlatParameters& parameters,
                     const Optimizer& optimizer) {
  std::vector<TensorInfo> infos;
  std::map<std::string, OutgoingState> states;
  for (const Optimizer::State& state : optimizer.states()) {
    std::int64_t flat = 0;
    for (const Piece& piece : optimizer.pieces()) {
      const Tensor values = slice(state.flat, {flat, piece.inside.count});
      flat += piece.inside.count;
      const Parameter& parameter = parameters.store().all()[piece.parameter];
      auto runs = runs_of(parameter.shape, parameter.placement.slice, piece.inside);
      if (!piece.counted || runs.empty()) continue;
      const std::string name = state_name(state, parameter, runs.front().part_first);
      infos.push_back({name, state.flat.dtype(), {count_of(runs)}});
      states[name] = {values, std::move(runs), piece.inside.first};
    }
  }
  SafetensorsWriter writer(out, std::move(infos));
  std::vector<std::byte> host;
  for (const TensorInfo& info : writer.order()) {
    writer.append(read_unpadded(states.at(info.name), parameters.backend(), host));
  }
  writer.finish();
}

void read_optimizer(const Path& directory, const Manifest& manifest,
                    const std::function<bool(const Parameter&)>& may_miss,
                    const FlatParameters& parameters, const Optimizer& optimizer) {
  std::vector<std::unique_ptr<SafetensorsFile>> files;
  StoredState stored;
  for (const FileRecord& record : manifest.files) {
    if (!record.name.starts_with("optimizer-")) continue;
    files.push_back(std::make_unique<SafetensorsFile>(directory / record.name, Links::refuse));
    collect(stored, *files.back());
  }
  std::vector<std::byte> host;
  for (const Optimizer::State& state : optimizer.states()) {
    std::int64_t flat = 0;
    for (const Piece& piece : optimizer.pieces()) {
      const Parameter& parameter = parameters.store().all()[piece.parameter];
      const std::string key = state_key(state, parameter);
      const View to = slice(state.flat, {flat, piece.inside.count}).view();
      flat += piece.inside.count;
      host.assign(to.bytes(), std::byte{0});
      const auto wanted = runs_of(parameter.shape, parameter.placement.slice, piece.inside);
      const std::int64_t found = copy_found(stored[key], parameter, wanted, piece.inside.first,
                                            contiguous_view(host.data(), to.dtype, to.shape));
      if (found != count_of(wanted) && !may_miss(parameter)) {
        throw DataError(
            "{}: {}: {} of {} elements of the optimizer state are there; the run used "
            "another optimizer or model",
            directory.string(), key, found, count_of(wanted));
      }
      parameters.backend().write(to, host.data());
    }
  }
}

}  // namespace ty
