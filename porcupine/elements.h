// What the reads of a key show: each value as the writes that made it, where
// every written value is unique, as that of the course's clients is.
//
// Thread safety: compatible.

#ifndef PORCUPINE_ELEMENTS_H_
#define PORCUPINE_ELEMENTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "porcupine/operations.h"

namespace porcupine {

class Elements {
 public:
  // A value that was read and that no longer one begins with, and its
  // beginnings.
  struct Chain {
    std::vector<size_t> writes;  // in the order of their texts
    std::vector<size_t> ends;    // of their texts, in bytes
    std::string_view value;
    std::vector<size_t> reads;  // that show it or a beginning of it
    bool foreign = false;       // after its last write comes what is of none

    // The put that it begins with; nothing if it began with the empty value.
    std::optional<size_t> put;
  };

  // Of no use, that is not unique(), unless the key was empty at first.
  // REQUIRES: `operations` outlives this.
  explicit Elements(const Operations& operations, bool empty_at_first = true);

  // False: two writes have the same value, or values have several readings. All
  // below is then empty.
  bool unique() const { return unique_; }

  const std::vector<Chain>& chains() const { return chains_; }
  // Of an operation that reads.
  const Chain& ChainOf(size_t read) const { return chains_[chain_[read]]; }
  // How many of the chain's writes it shows.
  size_t CountOf(size_t read) const { return count_[read]; }
  // Says whether it shows more than these.
  bool ShowsForeign(size_t read) const;

  // What a read would have shown if only some writes had been executed.
  std::string Project(size_t read, const std::vector<bool>& executed) const;

 private:
  bool AddWrites();
  void AddReads();
  // False: two written values fit.
  bool Parse(Chain* chain) const;
  void Assign(size_t read, size_t chain);

  const Operations& operations_;
  bool unique_ = true;
  std::unordered_map<std::string_view, size_t> writes_;  // by value
  std::vector<size_t> lengths_;                          // of these values
  std::vector<Chain> chains_;
  std::vector<size_t> chain_;  // of each operation
  std::vector<size_t> count_;
};

}  // namespace porcupine

#endif  // PORCUPINE_ELEMENTS_H_
