// The oracle: judges a cluster by the properties that the Raft paper proves,
// all the time, from what can be seen outside of any Raft.
//
// It is told of every message on the network, every save, everything applied,
// every snapshot that a service gives, and every answer of GetState() and
// Start(). So it works for any Raft that
// speaks the lab's messages (raft/messages.h); what is on the disks it reads by
// a function that a Raft may offer, and the rules that need it are off without.
// rules.h lists the rules. The first violation ends the judging; one of economy
// is told of once, and does not.
//
// An event may be reported later than it happened; a rule never relies on more
// order than observer.h promises.
//
// Thread safety: safe. Its lock is a leaf and no scheduling point of the
// simulator: being watched changes no simulated run.

#ifndef TESTS_ORACLE_ORACLE_H_
#define TESTS_ORACLE_ORACLE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "base/rope.h"
#include "base/spin_lock.h"
#include "raft/messages.h"
#include "raft/types.h"
#include "tests/harness/observer.h"
#include "tests/oracle/history.h"
#include "tests/oracle/rules.h"

namespace oracle {

// What no correct Raft does, and how it came.
struct Violation {
  Rule rule;
  std::string what;    // with servers, terms and indexes
  std::string events;  // the last ones, a line each (history.h)

  // "oracle: steps down (5.1): S0 ...; the last events: ...".
  std::string ToString() const;
};

class Oracle : public harness::ClusterObserver {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    // Off: the rules that need the disks are off.
    bool reads_disks = harness::CanReadDisks();

    // Off, where services are not seen: so are the rules that compare snapshots
    // with those that a service gave to its Raft.
    bool sees_services = true;

    // Saves are told of when they are durable, later than they are made: what
    // GetState() and Start() show needs not be on the disk.
    bool slow_disks = false;

    // How a violation shows a command, of which it gets the beginning.
    std::function<std::string(std::string_view)> show_command =
        [](std::string_view command) {
          return absl::CHexEscape({command.data(), command.size()});
        };

    // Is told of a violation, by the thread that reported the event, with no
    // lock of the oracle's held.
    std::function<void(const Violation&)> on_violation;

    // A server may send, this long after it heard of a newer term, what it had
    // begun before.
    std::chrono::milliseconds grace{300};

    // The shortest time between a vote or a reply to a leader and an election
    // that the server starts: a third of the shortest timeout in the paper.
    std::chrono::milliseconds patience{50};

    // The most heartbeats to one peer within a second. The lab asks for ten,
    // its test for thirty.
    size_t most_heartbeats = 30;

    // What tells the time of a reply, a save, and so on; called with no lock of
    // the oracle's held.
    std::function<Clock::time_point()> now = Clock::now;
  };

  // For a cluster of `servers` servers, none of which runs yet.
  Oracle(int servers, Options options);
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  void OnIncarnationBegin(raft::ServerId server, int incarnation) override
      EXCLUDES(lock_);
  void OnIncarnationEnd(raft::ServerId server) override EXCLUDES(lock_);
  void OnMessage(const harness::Message& message) override EXCLUDES(lock_);
  void OnSave(raft::ServerId server, int incarnation,
              const std::optional<harness::DiskState>& state) override
      EXCLUDES(lock_);
  void OnApply(raft::ServerId server, const raft::ApplyMsg& message) override
      EXCLUDES(lock_);
  void OnSnapshot(raft::ServerId server, raft::Index index,
                  const base::Rope& snapshot) override EXCLUDES(lock_);
  void OnState(raft::ServerId server, int incarnation, raft::Term floor,
               raft::State state) override EXCLUDES(lock_);
  void OnStart(raft::ServerId server, int incarnation, std::string_view command,
               raft::StartResult result) override EXCLUDES(lock_);
  raft::Term TermSeen(raft::ServerId server) const override EXCLUDES(lock_);

  // The rules that cannot be judged without Options::sees_services.
  static std::vector<Rule> RulesOfTheService();

  // The names of the rules that cannot be judged without Options::reads_disks.
  static std::vector<Rule> RulesOfTheDisk();

 private:
  using Fate = harness::Message::Fate;

  // A log position and the entry there.
  struct Position {
    raft::Index index = 0;
    raft::Term term = 0;
    friend auto operator<=>(const Position&, const Position&) = default;
  };
  struct PositionHash {
    size_t operator()(const Position& position) const {
      return std::hash<uint64_t>()(position.index * 0x9e3779b97f4a7c15 ^
                                   position.term);
    }
  };
  struct Entry {
    uint64_t command_hash = 0;
    raft::Term prev_term = 0;               // of the entry before it
    raft::ServerId server = raft::kNobody;  // that had it first
    std::string command = {};               // its beginning
  };
  struct Committed {
    raft::Term term = 0;  // 0: never seen
    uint64_t command_hash = 0;
    raft::Term by = 0;  // whose leader committed it first
  };

  // What a service has given as the snapshot of an index.
  struct Snapshot {
    uint64_t hash = 0;
    size_t size = 0;
    std::optional<base::Rope> bytes = {};  // while it is not forgotten
  };

  struct Candidacy {
    Position last;  // of its log
    uint64_t voters = 0;
    Position durable;  // on its own disk, the last in that term
  };
  struct TermRecord {
    raft::ServerId leader = raft::kNobody;
    std::map<raft::ServerId, Candidacy> candidates;
    std::map<raft::ServerId, Position> acknowledged;  // to the leader
  };

  // What was saved last.
  struct Disk {
    raft::Term term = 0;
    raft::ServerId vote = raft::kNobody;
    Position base;
    std::vector<raft::Term> terms;
    std::map<raft::Term, raft::ServerId> votes;  // ever saved
    uint64_t snapshot_hash = 0;
    size_t snapshot_size = 0;

    Position Last() const;
    void DiscardUpTo(Position last_included);
    raft::Term TermAt(raft::Index index) const;  // 0 if it is not there
    bool Holds(Position position) const;
  };

  struct Heard {
    raft::Term term = 0;
    Clock::time_point time;
  };
  // Indexes, both included.
  struct Range {
    raft::Index first = 0;
    raft::Index last = 0;
  };
  // What a leader sent last to one peer, and when it said nothing new.
  struct Beats {
    raft::Term term = 0;
    Position prev;
    raft::Index commit = 0;
    std::deque<Clock::time_point> times;
  };
  struct Server {
    int incarnation = 0;
    bool running = false;
    raft::Term term = 0;  // the newest that it has shown
    std::map<raft::Term, raft::ServerId> votes;
    Disk disk;
    std::map<raft::Term, Range> offered;  // what each term's leader sent here
    raft::Term acknowledged_in = 0;
    Position acknowledged;  // the last in that term
    // The last indexes of snapshots that its service gave, or leaders sent.
    std::set<raft::Index> snapshots;

    // Of this incarnation.
    raft::Term local_term = 0;  // the newest that it has shown to its service
    bool led = false;
    bool has_saved = false;              // or had, when it began
    std::optional<raft::Index> applied;  // nothing: begins where it likes
    // The term in which it last voted or answered a leader, and when the
    // request came: its election timer was reset then or later.
    Heard quiet;
    raft::Index vouched_for = 0;  // by leaders' requests, to be committed
    std::deque<Heard> heard;      // terms ascending
    std::map<raft::ServerId, Beats> beats;
  };

  // A request that was delivered and not answered.
  struct Pending {
    harness::Link link;
    int receiver_incarnation = 0;
    raft::Term term = 0;
    Position position;  // candidate's last entry; last one it vouches for
    Clock::time_point arrived{};
    raft::Term floor = 0;   // the receiver's term when it arrived
    Position voter_last{};  // the least recent end of its log since then
    Position prev{};        // of an AppendEntries
    bool fits = false;      // the receiver had that entry then, and the term
  };

  // What the rules ask of a reply.
  struct Answer {
    raft::Term term = 0;
    bool agrees = false;
    Fate fate = Fate::kDelivered;
  };

  // Holds lock_, and then tells of a violation that was found meanwhile.
  class Judging;

  // oracle.cc
  Server& ServerLocked(raft::ServerId server) REQUIRES(lock_) {
    return servers_[static_cast<size_t>(server)];
  }
  bool Known(raft::ServerId server) const {
    return server >= 0 && static_cast<size_t>(server) < servers_count_;
  }
  bool IsRunningLocked(raft::ServerId server, int incarnation) const
      REQUIRES(lock_) {
    const Server& it = servers_[static_cast<size_t>(server)];
    return it.running && it.incarnation == incarnation;
  }
  size_t Majority() const { return servers_count_ / 2 + 1; }
  // Compares ends of logs as a voter does (5.4.1).
  static bool IsMoreRecent(Position a, Position b) {
    return std::pair(a.term, a.index) > std::pair(b.term, b.index);
  }
  void Record(Event event) REQUIRES(lock_);
  void Violate(const Rule& rule, const std::string& what) REQUIRES(lock_);
  static uint64_t Hash(std::string_view command) {
    return std::hash<std::string_view>()(command);
  }
  static uint64_t HashOf(const base::Rope& snapshot) {
    return Hash(snapshot.ToString());
  }
  bool JudgeAppliedLocked(raft::ServerId server, raft::Index index)
      REQUIRES(lock_);
  void AppliesCommandLocked(raft::ServerId server,
                            const raft::ApplyMsg& message, uint64_t hash)
      REQUIRES(lock_);

  // oracle_messages.cc: what each message means for the rules.
  bool IsStaleLocked(const harness::Message& message) REQUIRES(lock_);
  void OnRequestVote(const harness::Message& message,
                     const raft::RequestVoteArgs& args) EXCLUDES(lock_);
  void OnAppendEntries(const harness::Message& message,
                       const raft::AppendEntriesArgs& args) EXCLUDES(lock_);
  Position JudgeEntriesLocked(const harness::Link& link,
                              const raft::AppendEntriesArgs& args)
      REQUIRES(lock_);
  void OnReply(const harness::Message& message,
               const raft::RequestVoteReply& reply) EXCLUDES(lock_);
  void OnReply(const harness::Message& message,
               const raft::AppendEntriesReply& reply) EXCLUDES(lock_);
  void OnUndecodable(const harness::Message& message) EXCLUDES(lock_);
  void AwaitReplyLocked(const harness::Message& message, Pending pending)
      REQUIRES(lock_);
  std::optional<Pending> TakePendingLocked(const harness::Message& reply)
      REQUIRES(lock_);
  void RecordReplyLocked(Event::Kind kind, const Pending& pending,
                         const Answer& answer) REQUIRES(lock_);
  bool JudgeTermLocked(const Pending& pending, const Answer& answer)
      REQUIRES(lock_);
  void QuietLocked(const Pending& pending, raft::Term term) REQUIRES(lock_);
  bool HasSavedVoteLocked(raft::ServerId voter, raft::Term term,
                          raft::ServerId candidate) REQUIRES(lock_);
  void JudgeVoteLocked(const Pending& pending, Fate fate) REQUIRES(lock_);
  void JudgeSuccessLocked(const Pending& pending, Fate fate) REQUIRES(lock_);

  // oracle_elections.cc
  void ShowsTermLocked(raft::ServerId server, raft::Term term) REQUIRES(lock_);
  void ShowsLocallyLocked(raft::ServerId server, raft::Term term)
      REQUIRES(lock_);
  raft::Term TermSeenLocked(raft::ServerId server) const REQUIRES(lock_);
  void HearsLocked(raft::ServerId server, int incarnation, raft::Term term)
      REQUIRES(lock_);
  void VotesLocked(raft::ServerId voter, raft::Term term,
                   raft::ServerId candidate) REQUIRES(lock_);
  void StandsLocked(const harness::Link& link, raft::Term term,
                    Clock::time_point sent) REQUIRES(lock_);
  void LeadsLocked(raft::ServerId server, raft::Term term) REQUIRES(lock_);
  void SpeaksLocked(const harness::Link& link, raft::Term term,
                    Clock::time_point sent) REQUIRES(lock_);
  void BeatsLocked(const harness::Link& link,
                   const raft::AppendEntriesArgs& args, Clock::time_point sent)
      REQUIRES(lock_);

  // oracle_logs.cc
  void HoldsLocked(raft::ServerId server, Position position,
                   raft::Term prev_term, std::string_view command)
      REQUIRES(lock_);
  void LeaderHoldsLocked(raft::Term term, raft::ServerId leader,
                         Position position) REQUIRES(lock_);
  void AcknowledgesLocked(raft::ServerId server, raft::Term term,
                          Position position) REQUIRES(lock_);
  void CountLocked(raft::Term term) REQUIRES(lock_);
  raft::Term NewestLedTermLocked() const REQUIRES(lock_);
  std::string WhyNotCommittedLocked(raft::ServerId server, raft::Term term,
                                    raft::Index index) const REQUIRES(lock_);
  void CommitLocked(raft::Term by, raft::Index index) REQUIRES(lock_);
  void OffersLocked(raft::ServerId follower, raft::Term term, raft::Index first,
                    raft::Index last) REQUIRES(lock_);
  bool WasSentLocked(raft::ServerId server, raft::Term term,
                     raft::Index index) const REQUIRES(lock_);
  void StoresLocked(raft::ServerId server, Position position,
                    raft::Term term_before) REQUIRES(lock_);
  void JudgeRefusalLocked(const Pending& pending) REQUIRES(lock_);
  void ReadDiskLocked(raft::ServerId server, const harness::DiskState& state,
                      uint64_t snapshot_hash) REQUIRES(lock_);
  void ReadLogLocked(raft::ServerId server, const harness::DiskState& state,
                     raft::Term term_before) REQUIRES(lock_);
  void RememberEndLocked(raft::ServerId server) REQUIRES(lock_);
  void JudgeDiskLocked(raft::ServerId server) REQUIRES(lock_);
  void OnDiskLocked(raft::ServerId server, raft::Term term, Position position,
                    const Rule& rule) REQUIRES(lock_);

  // oracle_snapshots.cc
  void OnInstallSnapshot(const harness::Message& message,
                         const raft::InstallSnapshotArgs& args) EXCLUDES(lock_);
  void OnReply(const harness::Message& message,
               const raft::InstallSnapshotReply& reply) EXCLUDES(lock_);
  void RememberLocked(raft::Index index, Snapshot snapshot) REQUIRES(lock_);
  bool IsGivenLocked(raft::Index index, uint64_t hash) const REQUIRES(lock_);
  bool IsPartOfGivenLocked(const raft::InstallSnapshotArgs& args) const
      REQUIRES(lock_);
  void JudgeIncludedLocked(raft::ServerId server, Position last_included,
                           std::string_view does) REQUIRES(lock_);
  void AppliesSnapshotLocked(raft::ServerId server,
                             const raft::ApplyMsg& message, uint64_t hash)
      REQUIRES(lock_);
  void ReadSnapshotLocked(raft::ServerId server,
                          const harness::DiskState& state, uint64_t hash)
      REQUIRES(lock_);

  // Immutable after construction.
  const size_t servers_count_;
  const Options options_;
  const Clock::time_point begin_;

  mutable base::SpinLock lock_;
  Clock::time_point now_ ABSL_GUARDED_BY(lock_);  // of what is being judged
  History history_ ABSL_GUARDED_BY(lock_);
  bool condemned_ ABSL_GUARDED_BY(lock_) = false;
  bool too_costly_ ABSL_GUARDED_BY(lock_) = false;
  std::optional<Violation> violation_
      ABSL_GUARDED_BY(lock_);  // found, and not told yet

  std::vector<Server> servers_ ABSL_GUARDED_BY(lock_);
  std::map<raft::Term, TermRecord> terms_ ABSL_GUARDED_BY(lock_);
  std::unordered_map<Position, Entry, PositionHash> entries_
      ABSL_GUARDED_BY(lock_);
  std::vector<Committed> committed_ ABSL_GUARDED_BY(lock_);  // [0]: index 1
  std::map<raft::Index, std::vector<Snapshot>> snapshots_
      ABSL_GUARDED_BY(lock_);  // all that services gave
  size_t remembered_bytes_ ABSL_GUARDED_BY(lock_) = 0;  // of snapshots_
  std::unordered_map<uint64_t, Pending> pending_
      ABSL_GUARDED_BY(lock_);  // by call
};

}  // namespace oracle

#endif  // TESTS_ORACLE_ORACLE_H_
