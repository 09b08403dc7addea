// A run of consecutive log entries, packed one after the other: how entries
// travel, and the very bytes that the log keeps and saves. An entry is encoded
// once, when Start() takes it, for the disk and for every peer. Entries of a
// log share its memory, and are copied when they are sent.
//
//   Entries entries = {{/*term=*/1, "x"}, {/*term=*/2, "y"}};
//   for (EntryView entry : entries) Use(entry.term, entry.command);
//
// Thread safety: compatible, like std::string.

#ifndef RAFT_ENTRIES_H_
#define RAFT_ENTRIES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/rope.h"
#include "raft/types.h"

namespace raft {

// One entry as it lies in bytes of another object, which must outlive it.
struct EntryView {
  Term term = 0;
  std::string_view command;

  friend bool operator==(const EntryView&, const EntryView&) = default;
};

class Entries {
 public:
  class Iterator {
   public:
    // Over entries that lie packed in `piece`.
    explicit Iterator(std::string_view piece) : rest_(piece) {}
    // Over those in the pieces of `rope`, which must outlive it.
    explicit Iterator(const base::Rope& rope)
        : rest_(rope.PieceAt(0)), rope_(&rope) {}
    EntryView operator*() const;
    Iterator& operator++();
    // The bytes from this entry on that lie in one piece; none at the end.
    std::string_view rest() const { return rest_; }
    friend bool operator==(const Iterator& entry, std::default_sentinel_t) {
      return entry.rest_.empty();
    }

   private:
    std::string_view rest_;
    const base::Rope* rope_ = nullptr;  // if it has more pieces
    size_t offset_ = 0;                 // in rope_, of rest_
  };

  // The bytes of an entry beside its command.
  static constexpr size_t kHeaderBytes = sizeof(Term) + sizeof(uint32_t);

  Entries() = default;
  Entries(std::initializer_list<EntryView> entries);

  // Takes `count` entries that lie packed in `bytes`. They must be whole, and
  // none may lie in two pieces.
  Entries(size_t count, base::Rope bytes)
      : count_(count), bytes_(std::move(bytes)) {}

  // Returns what lies in front of a command when its entry is packed.
  // REQUIRES: command under 4 GiB.
  static std::array<char, kHeaderBytes> PackHeader(Term term,
                                                   std::string_view command);

  // Counts the entries packed in `bytes`; returns false if the last one is cut
  // short.
  static bool CountWhole(std::string_view bytes, size_t* count);

  void Append(Term term, std::string_view command);

  size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  const base::Rope& bytes() const { return bytes_; }

  Iterator begin() const { return Iterator(bytes_); }
  std::default_sentinel_t end() const { return {}; }

  friend bool operator==(const Entries&, const Entries&) = default;

  // For rpc/codec.h. Malformed bytes throw, as cereal's own types do, and so
  // become Decode()'s error.
  template <typename Archive>
  void save(Archive& archive) const {
    archive(static_cast<uint64_t>(count_), bytes_);
  }
  template <typename Archive>
  void load(Archive& archive) {
    uint64_t count = 0;
    archive(count, bytes_);
    count_ = static_cast<size_t>(count);
    ThrowUnlessWellFormed();
  }

 private:
  void ThrowUnlessWellFormed() const;

  size_t count_ = 0;
  base::Rope bytes_;
};

}  // namespace raft

#endif  // RAFT_ENTRIES_H_
