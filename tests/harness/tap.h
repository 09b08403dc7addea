// A tap for scenarios: holds, drops and duplicates Raft messages that a test
// describes, and remembers all that it has seen.
//
//   Tap tap;
//   Cluster cluster(3, {.tap = tap.Handler()});
//   tap.Hold([](const Message& m) { return m.append_entries && m.to == 1; });
//   const Message held = tap.AwaitHeld();
//   cluster.Release(held.call);
//
// Thread safety: safe; the rules are the test's main thread's. Its lock is a
// leaf. Rules run under it, so they must be pure.

#ifndef TESTS_HARNESS_TAP_H_
#define TESTS_HARNESS_TAP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "labrpc/tap.h"
#include "raft/messages.h"
#include "tests/harness/failure.h"

namespace tests {

// A Raft message. A reply goes from the callee to the caller, and brings what
// it answers with it.
struct Message {
  uint64_t call = 0;  // for Cluster::Release()
  bool is_reply = false;
  raft::ServerId from = raft::kNobody;
  raft::ServerId to = raft::kNobody;

  // One of the two is set; in a reply it is the request's.
  std::optional<raft::RequestVoteArgs> request_vote;
  std::optional<raft::AppendEntriesArgs> append_entries;

  // In a reply: its term, and whether the vote was granted, the entries taken.
  raft::Term reply_term = 0;
  bool agreed = false;

  raft::Term term() const {
    return request_vote ? request_vote->term : append_entries->term;
  }
  // The last log index that an AppendEntries vouches for.
  raft::Index last_index() const {
    return append_entries->prev_log_index + append_entries->entries.size();
  }

  bool AsksForVote() const { return request_vote && !is_reply; }
  bool Appends() const { return append_entries && !is_reply; }
  bool HasEntries() const {
    return Appends() && !append_entries->entries.empty();
  }
  bool GrantsVote() const { return request_vote && is_reply && agreed; }
  bool Acknowledges(raft::Index index) const {
    return append_entries && is_reply && agreed && last_index() >= index;
  }
  bool Between(raft::ServerId a, raft::ServerId b) const {
    return (from == a && to == b) || (from == b && to == a);
  }
  bool Touches(raft::ServerId server) const {
    return from == server || to == server;
  }
};

class Tap {
 public:
  using Match = std::function<bool(const Message&)>;

  Tap() = default;
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  // For ClusterOptions. The tap must outlive the cluster.
  labrpc::Tap Handler();

  // What becomes of messages that match. Of several rules that do, the one
  // given last counts; without any a message passes.
  void Hold(Match match) { AddRule(labrpc::Ruling::kHold, std::move(match)); }
  void Drop(Match match) { AddRule(labrpc::Ruling::kDrop, std::move(match)); }
  void Pass(Match match) { AddRule(labrpc::Ruling::kPass, std::move(match)); }
  void Duplicate(Match match) {
    AddRule(labrpc::Ruling::kDuplicate, std::move(match));
  }
  // Puts these in the place of all rules, at one moment; what is held stays
  // held.
  struct Rule {
    labrpc::Ruling ruling;
    Match match;
  };
  void SetRules(std::vector<Rule> rules) ABSL_LOCKS_EXCLUDED(mu_);
  void Reset() { SetRules({}); }

  // The messages that match, in the order in which they were seen: all of them;
  // those that a rule has held.
  std::vector<Message> Seen(const Match& match) ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<Message> Held(const Match& match) ABSL_LOCKS_EXCLUDED(mu_);

  // Wait until `count` messages that match have been seen since Forget(), or
  // held; return the last of them. Fail the test after 20 s.
  Message AwaitSeen(const Match& match, size_t count = 1,
                    Place place = Place::Here());
  Message AwaitHeld(const Match& match, size_t count = 1,
                    Place place = Place::Here());

  // Forgets what has been seen and held.
  void Forget() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void AddRule(labrpc::Ruling ruling, Match match) ABSL_LOCKS_EXCLUDED(mu_);
  labrpc::Ruling Decide(const labrpc::Packet& packet) ABSL_LOCKS_EXCLUDED(mu_);
  std::optional<Message> ReadLocked(const labrpc::Packet& packet)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  using Messages = std::vector<Message>;
  Message Await(const std::function<Messages()>& look, size_t count,
                const char* what, Place place);

  base::Mutex mu_;
  std::vector<Rule> rules_ ABSL_GUARDED_BY(mu_);
  std::map<uint64_t, Message> requests_ ABSL_GUARDED_BY(mu_);  // by call
  Messages seen_ ABSL_GUARDED_BY(mu_);
  Messages held_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tests

#endif  // TESTS_HARNESS_TAP_H_
