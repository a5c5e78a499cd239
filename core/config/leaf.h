// A leaf: one value or list of a config struct, with type-erased access.
//
// The member types that a field list may contain: bool, std::int64_t, double, std::string,
// std::filesystem::path, enums (with a table of names), IntOrAuto, std::optional of these, and
// std::vector of numbers, strings and paths. An empty path means none, and prints as null.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/config/rule.h"

namespace ty::config {

// An integer, or the word `auto` for a value that is determined later.
struct IntOrAuto {
  std::optional<std::int64_t> value;

  IntOrAuto() = default;
  IntOrAuto(std::int64_t v) : value(v) {}
  bool is_auto() const { return !value; }
  std::int64_t value_or(std::int64_t otherwise) const { return value.value_or(otherwise); }
  friend bool operator==(const IntOrAuto&, const IntOrAuto&) = default;
};

// One row of an enum's table of names.
template <class E>
struct Named {
  const char* name;
  E value;
};

enum class ScalarKind : std::uint8_t { boolean, integer, number, string, path };
using Scalar = std::variant<bool, std::int64_t, double, std::string>;  // paths are strings

struct LeafType {
  ScalarKind kind = ScalarKind::string;
  bool is_list = false;
  const char* empty_word = "";  // "null" or "auto" if there may be no value

  // What is allowed, in words: "an integer >= 1", "one of cpu, cuda", "a list of 2 numbers".
  std::string wanted(const Rule& rule) const;
};

// The values are the items of a list; otherwise a single value, or none for the empty word.
struct Leaf {
  LeafType type;
  std::function<std::vector<Scalar>()> get;
  std::function<void(const std::vector<Scalar>&)> set;
};

// The value as written in a job file, such that reading it gives the same value: 1.0, "a: b", [1,
// 2], null.
std::string spelled(const Leaf& leaf);

// Conversion between a member type T and Scalar.
template <class T>
constexpr ScalarKind scalar_kind() {
  if constexpr (std::is_same_v<T, bool>) return ScalarKind::boolean;
  if constexpr (std::is_same_v<T, std::int64_t>) return ScalarKind::integer;
  if constexpr (std::is_same_v<T, double>) return ScalarKind::number;
  if constexpr (std::is_same_v<T, std::string>) return ScalarKind::string;
  if constexpr (std::is_same_v<T, std::filesystem::path>) return ScalarKind::path;
}

template <class T>
concept ScalarMember =
    std::is_same_v<T, bool> || std::is_same_v<T, std::int64_t> || std::is_same_v<T, double> ||
    std::is_same_v<T, std::string> || std::is_same_v<T, std::filesystem::path>;

template <ScalarMember T>
Scalar to_scalar(const T& value) {
  if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return value.string();
  } else {
    return value;
  }
}

template <ScalarMember T>
T from_scalar(const Scalar& scalar) {
  if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return std::get<std::string>(scalar);
  } else {
    return std::get<T>(scalar);
  }
}

template <ScalarMember T>
Leaf make_leaf(T& member) {
  return {{scalar_kind<T>(), false, ""},
          [&member] { return std::vector<Scalar>{to_scalar(member)}; },
          [&member](const std::vector<Scalar>& v) { member = from_scalar<T>(v.at(0)); }};
}

template <ScalarMember T>
Leaf make_leaf(std::optional<T>& member) {
  return {{scalar_kind<T>(), false, "null"},
          [&member] {
            return member ? std::vector<Scalar>{to_scalar(*member)} : std::vector<Scalar>{};
          },
          [&member](const std::vector<Scalar>& v) {
            member = v.empty() ? std::nullopt : std::optional<T>(from_scalar<T>(v[0]));
          }};
}

template <ScalarMember T>
requires(!std::is_same_v<T, bool>) Leaf make_leaf(std::vector<T>& member) {
  return {{scalar_kind<T>(), true, ""},
          [&member] {
            std::vector<Scalar> out;
            for (const T& item : member) out.push_back(to_scalar(item));
            return out;
          },
          [&member](const std::vector<Scalar>& v) {
            member.clear();
            for (const Scalar& item : v) member.push_back(from_scalar<T>(item));
          }};
}

// More specialised than the scalar template: a path may be absent.
Leaf make_leaf(std::filesystem::path& member);
Leaf make_leaf(IntOrAuto& member);

// An enum member with a table of names; the leaf is a string.
template <class E>
Leaf make_leaf(E& member, std::vector<Named<E>> names) {
  return {{ScalarKind::string, false, ""},
          [&member, names] {
            for (const Named<E>& row : names) {
              if (row.value == member) return std::vector<Scalar>{std::string(row.name)};
            }
            return std::vector<Scalar>{std::string("?")};
          },
          [&member, names](const std::vector<Scalar>& v) {
            for (const Named<E>& row : names) {
              if (std::get<std::string>(v.at(0)) == row.name) member = row.value;
            }
          }};
}

template <class E>
Leaf make_leaf(std::optional<E>& member, std::vector<Named<E>> names) {
  return {{ScalarKind::string, false, "null"},
          [&member, names] {
            std::vector<Scalar> out;
            if (member) out = make_leaf(*member, names).get();
            return out;
          },
          [&member, names](const std::vector<Scalar>& v) {
            member.reset();
            if (!v.empty()) make_leaf(member.emplace(), names).set(v);
          }};
}

}  // namespace ty::config
