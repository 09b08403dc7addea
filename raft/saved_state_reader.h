// Reads what a server has saved: for the server itself when it starts again,
// for tools, and for checkers of a Raft from outside, which look at each save
// of a long log and must not pay for all of it. A Raft need not offer this
// header.
//
// Thread safety: compatible.

#ifndef RAFT_SAVED_STATE_READER_H_
#define RAFT_SAVED_STATE_READER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/rope.h"
#include "raft/checksum.h"
#include "raft/entries.h"
#include "raft/saved_state.h"

namespace raft {

// Figure 2, "persistent state on all servers".
struct SavedState : SavedHeader {
  size_t kept = 0;  // as many entries as these are still those read before
  Entries entries;  // what follows them
};

class SavedStateReader {
 public:
  // Takes the bytes that a Raft gave to its Persister; none stand for a new
  // server. Returns kDataLoss if they are not such bytes: no single bit of them
  // can be another one unseen.
  //
  // What lies where the bytes read before lay has not changed (base/rope.h),
  // and is not read again: those entries are kept. None are in the first state,
  // in one after an error, and when the log begins after another snapshot.
  absl::StatusOr<SavedState> Read(const base::Rope& bytes);

 private:
  absl::StatusOr<SavedState> ReadSealed(std::string_view front, base::Rope log);
  // Forgets all but the entries in front that `log` shares with the one before;
  // returns their bytes.
  size_t KeepShared(const SavedHeader& header, const base::Rope& log);

  SavedHeader header_;        // of the state before
  base::Rope log_;            // its entries, packed
  std::vector<size_t> ends_;  // where each of them ends
  LogChecksum checksum_;      // of all
};

}  // namespace raft

#endif  // RAFT_SAVED_STATE_READER_H_
