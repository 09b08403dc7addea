// A scenario's hand on the network of its cluster: drops, holds, duplicates and
// releases exactly the Raft messages that it means, and remembers all it saw.
//
//   Tap tap;  // declared first: it outlives the cluster
//   RaftCluster cluster(/*servers=*/3, {.tap = tap.Handler()});
//   tap.Hold(RequestVoteReplies().From(1).InTerm(4).Agreeing());
//   const TapMessage vote = tap.AwaitHeld(RequestVoteReplies());
//   tap.Release(&cluster, vote);
//
// Messages are decoded by raft/messages.h; others pass unseen. So does what
// cannot reach its server: it is disconnected, or down.
//
// Thread safety: Tap is safe, and its lock is a leaf: the network asks it on
// any thread, under whatever lock a Raft holds there. Match and TapMessage are
// plain values.

#ifndef TESTS_HARNESS_TAP_H_
#define TESTS_HARNESS_TAP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "labrpc/tap.h"
#include "raft/types.h"
#include "tests/harness/failure.h"
#include "tests/harness/message.h"

namespace harness {

class RaftCluster;

// How long a scenario waits for what must come: far longer than any election.
inline constexpr std::chrono::seconds kScenarioLimit(20);

// A message, when the tap was asked about it.
struct TapMessage : Message {
  size_t number = 0;    // counts what the tap was asked about, from 1
  MessageBody request;  // the request itself, of a reply too

  // The term that the call was made in.
  raft::Term RequestTerm() const;
  // The term of the server that answers. REQUIRES: is_reply.
  raft::Term ReplyTerm() const;
  // True for a reply that grants the vote, or accepts the entries.
  bool Agrees() const;

  bool IsAppendEntries() const {
    return std::holds_alternative<raft::AppendEntriesArgs>(request);
  }
  // REQUIRES: IsAppendEntries().
  const raft::AppendEntriesArgs& append() const {
    return std::get<raft::AppendEntriesArgs>(request);
  }
  // The index of the last entry that the request vouches for.
  // REQUIRES: IsAppendEntries().
  raft::Index LastIndex() const {
    return append().prev_log_index + append().entries.size();
  }

  bool IsInstallSnapshot() const {
    return std::holds_alternative<raft::InstallSnapshotArgs>(request);
  }
  // REQUIRES: IsInstallSnapshot().
  const raft::InstallSnapshotArgs& install() const {
    return std::get<raft::InstallSnapshotArgs>(request);
  }
};

// Whose fault it is that a wait was in vain, and why.
struct Blame {
  Kind kind = Kind::kHarness;
  std::string why;  // completes "expected ... within 20 s"
};

// Says which messages are meant: those that fulfil all its conditions.
class Match {
 public:
  using Condition = std::function<bool(const TapMessage&)>;

  Match(std::string what, Condition condition);

  bool operator()(const TapMessage& message) const;

  // As this one, and with one condition more.
  Match Where(const std::string& what, Condition condition) const;
  Match From(raft::ServerId server) const;
  Match NotFrom(raft::ServerId server) const;
  Match To(raft::ServerId server) const;
  Match NotTo(raft::ServerId server) const;
  Match ToOneOf(const std::vector<raft::ServerId>& servers) const;
  Match InTerm(raft::Term term) const;  // the request's, of a reply too
  Match After(size_t number) const;     // Tap::Now() at some moment
  Match Agreeing() const;
  Match Refusing() const;
  // AppendEntries, and replies to such: with entries; that vouch for `index`.
  Match WithEntries() const;
  Match Reaching(raft::Index index) const;
  // InstallSnapshots, and replies to such: of a snapshot up to `index`; that
  // carry its end, and so all of a small one.
  Match Covering(raft::Index index) const;
  Match WithItsEnd() const;

  // "AppendEntries from S1 to S2", for people.
  const std::string& what() const { return what_; }

 private:
  std::string what_;
  std::vector<Condition> conditions_;
};

Match AnyMessage();
Match AnyRequest();
Match RequestVotes();
Match RequestVoteReplies();
Match AppendEntries();
Match AppendEntriesReplies();
Match InstallSnapshots();
Match InstallSnapshotReplies();

// Fails with "scenario: expected `what` within 20 s", and why.
[[noreturn]] void FailInVain(const std::string& what, const Blame& blame,
                             Place place);

class Tap {
 public:
  Tap() = default;
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  // For ClusterOptions::tap.
  labrpc::Tap Handler();

  // From now on these messages are dropped, held or delivered twice (which
  // concerns requests only). The newest rule that matches a message decides;
  // without one it passes. Returns the rule's number.
  int Drop(const Match& match) EXCLUDES(mu_);
  int Hold(const Match& match) EXCLUDES(mu_);
  int Duplicate(const Match& match) EXCLUDES(mu_);

  // Forgets one rule, or all. What is held stays so.
  void Forget(int rule) EXCLUDES(mu_);
  void ForgetAll() EXCLUDES(mu_);

  // The number of the newest message.
  size_t Now() const EXCLUDES(mu_);

  // The messages seen so far that match, in order, whatever became of them.
  std::vector<TapMessage> Seen(const Match& match) const EXCLUDES(mu_);
  size_t Count(const Match& match) const { return Seen(match).size(); }

  // Waits until `count` messages that match have been seen, and returns the
  // last of them. They may not have arrived yet. Fails after kScenarioLimit.
  TapMessage Await(const Match& match, size_t count = 1,
                   Place place = Place::Here()) EXCLUDES(mu_);

  // As Await(), for what a right Raft does here: by `rule` it is the Raft's
  // fault if nothing comes.
  TapMessage Require(const Match& match, const std::string& rule,
                     Place place = Place::Here()) EXCLUDES(mu_);

  // The messages held now that match, the oldest first.
  std::vector<TapMessage> Held(const Match& match) const EXCLUDES(mu_);

  // Waits until a message that matches is held, and returns the oldest. Fails
  // after kScenarioLimit.
  TapMessage AwaitHeld(const Match& match, Place place = Place::Here())
      EXCLUDES(mu_);

  // Lets a held message go on; false if it is not held any more, or its caller
  // is dead. The rules are not asked again.
  bool Release(RaftCluster* cluster, const TapMessage& message) EXCLUDES(mu_);

  // Lets all that are held now and match go on, the oldest first.
  void ReleaseAll(RaftCluster* cluster, const Match& match);

  // Decides, when Await() or AwaitHeld() was in vain, whose fault that is; the
  // harness's if none is given. REQUIRES: no message was seen yet.
  void SetBlame(std::function<Blame()> blame) { blame_ = std::move(blame); }

 private:
  using Clock = std::chrono::steady_clock;

  struct Rule {
    int number;
    Match match;
    labrpc::Ruling ruling;
  };

  labrpc::Ruling Ask(const labrpc::Packet& packet) EXCLUDES(mu_);
  std::optional<TapMessage> DecodeLocked(const labrpc::Packet& packet)
      REQUIRES(mu_);
  labrpc::Ruling RuleLocked(const TapMessage& message) const REQUIRES(mu_);
  int AddRule(const Match& match, labrpc::Ruling ruling) EXCLUDES(mu_);
  std::optional<TapMessage> Find(const Match& match, size_t count)
      EXCLUDES(mu_);

  std::function<Blame()> blame_ = [] { return Blame(); };

  mutable base::Mutex mu_;
  base::CondVar message_seen_;
  std::vector<Rule> rules_ ABSL_GUARDED_BY(mu_);  // the newest last
  int rules_made_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<TapMessage> seen_ ABSL_GUARDED_BY(mu_);  // [i] has number i + 1
  std::map<uint64_t, size_t> requests_
      ABSL_GUARDED_BY(mu_);  // in seen_, by unanswered call
  std::vector<TapMessage> held_ ABSL_GUARDED_BY(mu_);  // the oldest first
};

}  // namespace harness

#endif  // TESTS_HARNESS_TAP_H_
