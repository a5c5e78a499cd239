// One thread's share of a product of unfoldings: operands are packed from wherever their digits
// lie, and tiles of c are written to wherever theirs do, so that nothing is permuted in memory.
//
// The loops are those of Goto and van de Geijn (ACM TOMS 34(3), 2008); packing by digits is after
// Matthews (arXiv 1607.00291).
//
//   for each part of the sum, about 256 terms            (all of it if c has another type)
//     for each group of panels of b that fits a cache:   pack b [inner, columns of a panel]
//       for each block of about 128 rows of a:           pack a [rows, inner], if it must be
//         for each tile of a few rows, for each panel:   c[tile] = sums in registers + beta c[tile]
//
//            c columns:  panel 0 | panel 1 | ..          a panel is up to 3 vectors wide
//   c rows   tile 0      [      ] [      ]
//            tile 1      [      ] [      ]
#pragma once

#include <array>
#include <span>
#include <vector>

#include "core/backend/backend.h"
#include "core/backend/cpu/digits.h"
#include "core/backend/cpu/tile_product.h"

namespace ty::cpu {

// A part of c and of the sum: rows, columns in vectors (of as many elements as tile_limits() says),
// and what is added up.
struct Part {
  std::int64_t row, rows, vector, vectors, k, inner;
};

// What is to be packed, by kStripSizes.
using Strips = std::array<std::vector<Strip>, kStripSizes.size()>;

// c = a b + beta c, operands as in Backend::contract(). T: float or double, a's type.
template <typename T>
class ContractShare {
 public:
  ContractShare(const Unfolding& c, const Unfolding& a, const Unfolding& b, double beta);
  void run(const Part& part);

 private:
  // Neighbouring columns of c and b that tiles take together.
  struct Panel {
    std::int64_t first, count;
    int vectors;
    Offsets b;  // of b's columns
    struct Run {
      std::int64_t first, offset, count;
    };
    std::vector<Run> runs;  // columns of c that lie together
    // If no run begins within a vector: offsets of c's vectors.
    bool whole = true;
    std::array<std::int64_t, 3> vectors_of_c{};
  };
  template <typename Element>
  struct Operand {
    explicit Operand(const Unfolding& x)
        : data(x.view.as<Element>()),
          rows(x.view, 0, x.row_dims),
          columns(x.view, x.row_dims, x.view.rank()) {}
    Element* data;
    Digits rows, columns;
  };

  std::int64_t width(const Panel& panel) const { return panel.vectors * limits_.lanes; }
  std::vector<Panel> panels_of(const Part& part) const;
  Panel panel_of(std::int64_t first, std::int64_t count, int vectors) const;

  void pack_b(std::span<const Panel> group);
  // Packs a panel of a b that lies along the sum; false if it does not.
  bool turn(T* to, const Panel& panel) const;
  void pack_a(std::int64_t first, std::int64_t rows);
  // Sets where a tile's rows of a are; packs them unless they are, or need not be.
  void set_a(TileProduct<T>& tile, std::int64_t first, std::int64_t rows);
  // Some rows of c, times all of the packed panels.
  void block(std::int64_t first, std::int64_t rows, std::span<const Panel> group, T beta);
  // A tile with runs that begin within vectors, or of another type: by way of a dense one.
  void scatter(const TileProduct<T>& tile, const Panel& panel);

  const TileLimits limits_ = tile_limits(T{});
  DType c_dtype_;
  Operand<T> c_;
  Operand<const T> a_, b_;
  double beta_;
  bool direct_;                     // a is used where it lies
  std::int64_t k_ = 0, inner_ = 0;  // the part of the sum that is worked on
  T* packed_b_ = nullptr;
  struct {
    std::int64_t first, count;
    T* data;
  } packed_a_{};  // rows of a
  Offsets rows_, columns_;
  Strips strips_;
};

}  // namespace ty::cpu
