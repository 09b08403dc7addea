// A Store with the sessions of rsm/ before it, which may move from one group of
// servers to another. In the one commands are executed on it, then it is frozen
// and read in parts; in the other it is put together from these. No step takes
// time with its size, but for the snapshot of a whole group.

#ifndef KVRAFT_SESSION_STORE_H_
#define KVRAFT_SESSION_STORE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "base/rope.h"
#include "kvraft/replicated_store.h"
#include "rpc/codec.h"
#include "rsm/sessions.h"
#include "rsm/typed.h"

namespace kvraft {

// A place in a store that moves: that many of its entries are before it, in the
// order of their keys, and that many bytes of the next one's value.
struct Cursor {
  uint64_t entry = 0;
  uint64_t byte = 0;
  auto Fields() { return std::tie(entry, byte); }
  auto operator<=>(const Cursor&) const = default;
};

// What is between two such places: bytes of the values of some entries. The
// last entry of all is the table of the sessions.
struct Piece {
  std::string key;
  std::string value;
  uint64_t version = 0;
  auto Fields() { return std::tie(key, value, version); }
};
struct Part {
  uint64_t total = 0;  // entries of the store
  std::vector<Piece> pieces = {};
  Cursor next = {};  // where this part ends
  auto Fields() { return std::tie(total, pieces, next); }
};

// Thread safety: as StateMachine's; a frozen one does not change any more, and
// may be read by any thread. Lock order: mu_ is a leaf.
class SessionStore {
 public:
  // An empty one, whose sessions have numbers above that.
  explicit SessionStore(rsm::Sessions::Id last_id = rsm::Sessions::kNone);

  // Executes a request of Sessions, whose command is of Store.
  std::string Apply(std::string_view request) {
    return sessions_.Apply(request);
  }

  void Freeze();

  // The part that begins there, of about that many bytes.
  // REQUIRES: frozen.
  static constexpr size_t kPartBytes = size_t{1} << 18;
  Part Read(Cursor at, size_t bytes = kPartBytes) const EXCLUDES(mu_);

  // Adds the part that begins where the last one ended; after the last one of
  // all it is whole.
  absl::Status Add(Cursor at, const Part& part);

  // All of it, in whatever state it is.
  struct Saved {
    base::Rope sessions;
    std::string table;
    auto Fields() { return std::tie(sessions, table); }
  };
  Saved Save();
  absl::Status Restore(const Saved& saved);

 private:
  using Machine = rsm::Typed<Store>;
  Entries& entries() { return machine_->machine().entries; }
  template <typename Body>
  void WithoutEntries(Body body);

  Machine* const machine_;  // of sessions_
  rsm::Sessions sessions_;
  std::string table_;  // of the sessions, while it moves

  mutable base::Mutex mu_;
  // In the order of the keys, which is the same on all servers; for Read().
  mutable std::vector<const Entries::value_type*> sorted_ ABSL_GUARDED_BY(mu_);
};

// One that several parts of a program know of.
using SharedStore = std::shared_ptr<SessionStore>;
void save(rpc::ByteWriter& writer, const SharedStore& store);
void load(rpc::ByteReader& reader, SharedStore& store);

}  // namespace kvraft

#endif  // KVRAFT_SESSION_STORE_H_
