// The last events that an oracle was told of, to be shown with a violation.
//
// Recording costs a copy of a few words; text is made when it is asked for.
//
// Thread safety: compatible.

#ifndef TESTS_ORACLE_HISTORY_H_
#define TESTS_ORACLE_HISTORY_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "raft/types.h"
#include "tests/harness/message.h"

namespace oracle {

struct Event {
  enum class Kind : uint8_t {
    kRequestVote,           // `server` asks `peer`
    kRequestVoteReply,      // `server` answers `peer`
    kAppendEntries,         // `server` sends to `peer`
    kAppendEntriesReply,    // `server` answers `peer`
    kInstallSnapshot,       // `server` sends to `peer`
    kInstallSnapshotReply,  // `server` answers `peer`
    kSave,                  // `peer` is the vote
    kApply,
    kApplySnapshot,
    kSnapshot,
    kState,
    kStart,
    kIncarnationBegins,
    kIncarnationEnds,
  };

  Kind kind;
  raft::ServerId server = raft::kNobody;
  raft::ServerId peer = raft::kNobody;
  raft::Term term = 0;
  raft::Index index = 0;      // last log, prev log, of an entry, last included
  raft::Term index_term = 0;  // of the entry there
  raft::Index commit = 0;     // kAppendEntries; kSave: last included
  uint64_t entries = 0;  // kAppendEntries, kSave; kIncarnationBegins: which
  bool yes = false;      // granted, success, leads, done, installed
  harness::Message::Fate fate = harness::Message::Fate::kDelivered;
  std::chrono::steady_clock::time_point time{};
};

class History {
 public:
  void Add(const Event& event) {
    events_[count_ % events_.size()] = event;
    ++count_;
  }

  // A line for each event, the newest last; times are seconds since `begin`.
  std::string ToString(std::chrono::steady_clock::time_point begin) const;

 private:
  std::array<Event, 32> events_{};
  uint64_t count_ = 0;
};

}  // namespace oracle

#endif  // TESTS_ORACLE_HISTORY_H_
