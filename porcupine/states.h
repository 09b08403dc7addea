// The values of a key, numbered, as far as its reads can tell them apart.
//
// A state is the beginning of values that were read: it is equal to one of
// them, or can become one by appending. Every other value is the one state
// kUnread, which no read will ever show. So the states that two orders of
// unread writes lead to are the same, and so few are left that a search over
// them ends.
//
// A state is kept as the place of its values among all that were read, in
// lexicographic order, and its length; no string is ever built or copied.
//
// Thread safety: compatible.

#ifndef PORCUPINE_STATES_H_
#define PORCUPINE_STATES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace porcupine {

class States {
 public:
  using Id = uint32_t;
  static constexpr Id kUnread = 0;

  // `values`: all that were read, in any order; their bytes must outlive this.
  explicit States(std::vector<std::string_view> values);

  // The state with that value.
  Id Of(std::string_view value);
  // The state after appending to `state`. O(log(reads) * |suffix|).
  Id Append(Id state, std::string_view suffix);

  // Says whether `state` is that of `read`, or becomes it by some appends.
  // `read` is the state of a value that was read.
  bool CanBecome(Id state, Id read) const {
    return nodes_[state].first <= nodes_[read].first &&
           nodes_[read].first < nodes_[state].last;
  }

  // The distinct values read, in order, that begin with the state's: first to
  // last - 1. None for kUnread.
  struct Node {
    uint32_t first = 0;
    uint32_t last = 0;
    size_t length = 0;
  };
  const Node& node(Id state) const { return nodes_[state]; }
  size_t values() const { return values_.size(); }

 private:
  Id Extend(Node node, std::string_view suffix);

  struct Hash {
    size_t operator()(const std::pair<uint32_t, size_t>& key) const {
      return (key.second * 0x9e3779b97f4a7c15) ^
             (key.first * 0xd1b54a32d192ed03);
    }
  };

  std::vector<std::string_view> values_;  // sorted, distinct
  std::vector<Node> nodes_;
  // By first value and length.
  std::unordered_map<std::pair<uint32_t, size_t>, Id, Hash> ids_;
};

}  // namespace porcupine

#endif  // PORCUPINE_STATES_H_
