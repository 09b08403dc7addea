// The log of one server, from the last snapshot on (Figure 2, log[]).
//
// Callers speak in Raft indexes; offsets never leave this file. The entries lie
// packed in one rope (raft/entries.h), which is at once what is saved and what
// is sent, so that a save shares everything with the one before.
//
// Before the first entry comes the last included one (Figure 13): the last
// entry that a snapshot covers, of which index and term are known but not the
// command; (0,0) in a new log.
//
// Pure: no lock, no time, no RPC. Thread safety: none of its own; Raft guards
// its Log with mu_.
// Invariants: terms never decrease; indexes are dense.

#ifndef RAFT_LOG_H_
#define RAFT_LOG_H_

#include <cstdint>
#include <deque>
#include <string_view>

#include "base/rope.h"
#include "raft/entries.h"
#include "raft/types.h"

namespace raft {

// Where the log of a follower diverges from the leader's: what a rejection of
// AppendEntries carries (end of 5.3).
struct Conflict {
  Term term = 0;    // that stands there, or 0 if the log ends before
  Index index = 0;  // first index of that term, or the one after the end
};

class Log {
 public:
  // A log with packed entries, none in a new one, that follow an entry of
  // `last_included_index` and `last_included_term`. REQUIRES: no entry lies in
  // two pieces of the rope (base/rope.h).
  explicit Log(Index last_included_index = 0, Term last_included_term = 0,
               base::Rope entries = {});

  Index last_included_index() const { return last_included_index_; }
  Term last_included_term() const { return last_included_term_; }

  // The index of the first entry, were there one, and of the last; in an empty
  // log LastIndex() is FirstIndex() - 1.
  Index FirstIndex() const { return last_included_index_ + 1; }
  Index LastIndex() const { return last_included_index_ + positions_.size(); }
  Term LastTerm() const { return TermAt(LastIndex()); }

  // The term of an entry or of the last included one.
  // REQUIRES: last_included_index() <= index <= LastIndex().
  Term TermAt(Index index) const;

  // Says whether `index` is here, as an entry or the last included one, with
  // that term: the consistency check of AppendEntries (Figure 2, rule 2). What
  // a snapshot covers matches: it is committed, so no other log has anything
  // else there.
  bool Matches(Index index, Term term) const;

  // Says whether a log that ends with that entry is at least as up-to-date as
  // this one: the later last term wins, then the longer log (5.4.1).
  bool IsUpToDate(Index last_index, Term last_term) const;

  // Appends one entry and returns its index.
  // REQUIRES: term >= LastTerm().
  Index Append(Term term, std::string_view command);

  // Returns the index of the first of `entries`, which follow `prev_index`,
  // that is missing here or stands here with another term; the index after the
  // last of them if all are here. REQUIRES: prev_index is here, or the last
  // included.
  Index FirstNewIndex(Index prev_index, const Entries& entries) const;

  // Appends `entries` without the first `skip`.
  void AppendFrom(const Entries& entries, size_t skip);

  // Drops the entry at `index` and all after it; nothing if there is none.
  // REQUIRES: index >= FirstIndex().
  void TruncateFrom(Index index);

  // Discards the entries up to `index`, which becomes the last included one
  // (7), and frees their memory. Costs O(1) for each of them. REQUIRES:
  // last_included_index() <= index <= LastIndex().
  void DiscardUpTo(Index index);

  // Discards all: an empty log after an entry of that index and term.
  void DiscardAll(Index last_included_index, Term last_included_term);

  // Returns where a leader that expected another term at `index` should look
  // next. REQUIRES: index >= FirstIndex(), and the term there is not as asked.
  Conflict ConflictAt(Index index) const;

  // Returns the last index with that term, the last included one too, or
  // nothing (0).
  Index LastIndexOf(Term term) const;

  // Returns what a leader should send next to a follower that answered
  // `conflict` to an entry that was to follow `prev_index`: what is after its
  // own last entry of the conflicting term, if it has one before that place,
  // for the logs may agree up to there; else the follower's index.
  Index NextAfterConflict(Index prev_index, const Conflict& conflict) const;

  // Returns the entries from `first` to `last`, which share this log's memory:
  // as many as fit into `max_bytes`, but at least one if there is one.
  // REQUIRES: FirstIndex() <= first, last <= LastIndex().
  Entries Slice(Index first, Index last, size_t max_bytes) const;

  // The packed size of the entries from `first` on, as far as they are here.
  // O(1).
  size_t BytesFrom(Index first) const;

  // The entries from `first` on as they are packed, in place.
  // REQUIRES: one call added them.
  std::string_view Newest(Index first) const {
    return bytes_.Back(BytesFrom(first));
  }

  // All entries as they are packed. Copying the rope costs O(1).
  const base::Rope& bytes() const { return bytes_; }

  // Counts the changes to this log, so that a reader can tell whether it saw
  // the latest one.
  uint64_t version() const { return version_; }

 private:
  struct Position {
    Term term;
    size_t end;  // of the entry, in bytes_ and all that was discarded before
  };

  void AddPositions(Entries::Iterator entry, size_t begin);
  // Where the entry at `index` begins in bytes_.
  size_t Begin(Index index) const {
    return index == FirstIndex() ? 0 : End(index - 1);
  }
  // Where it ends.
  size_t End(Index index) const {
    return positions_[index - FirstIndex()].end - discarded_bytes_;
  }
  // The first index at or after FirstIndex() with a term >= `term`.
  Index FirstIndexFromTerm(Term term) const;

  Index last_included_index_;
  Term last_included_term_;
  std::deque<Position> positions_;  // of entry FirstIndex() + i
  base::Rope bytes_;
  size_t discarded_bytes_ = 0;  // in front of bytes_
  uint64_t version_ = 0;
};

}  // namespace raft

#endif  // RAFT_LOG_H_
