// Hand-made histories for the oracle: what three or more servers send, save,
// apply and say, told step by step and by a clock of their own.
//
//   Story story;
//   story.Wins(0, /*term=*/1, /*voters=*/{1});
//   story.Takes(0, 1, {.term = 1, .entries = {1}}, {1});
//   EXPECT_EQ(story.verdict(), "");
//
// Every message is a packet as the network reports it, request and then reply;
// what a correct server saves first is saved unless a step says otherwise.
//
// Thread safety: one thread.

#ifndef TESTS_UNIT_ORACLE_ORACLE_FIXTURE_H_
#define TESTS_UNIT_ORACLE_ORACLE_FIXTURE_H_

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rope.h"
#include "labrpc/packet.h"
#include "raft/messages.h"
#include "rpc/codec.h"
#include "tests/harness/link.h"
#include "tests/harness/message.h"
#include "tests/oracle/oracle.h"

namespace oracle {

class Story {
 public:
  using Fate = labrpc::Packet::Fate;
  using Kind = labrpc::Packet::Kind;
  using Terms = std::vector<raft::Term>;

  // An AppendEntries: entries of these terms after `prev`. The command of an
  // entry is made of its term and index, so that equal positions are equal.
  struct Append {
    raft::Term term = 1;
    raft::Index prev = 0;
    raft::Term prev_term = 0;
    Terms entries = {};
    raft::Index commit = 0;
  };

  // An InstallSnapshot: a chunk of a snapshot that ends at an entry.
  struct Install {
    raft::Term term = 1;
    raft::Index index = 0;
    raft::Term index_term = 1;
    uint64_t offset = 0;
    std::string data = {};
    bool done = true;
  };

  // On slow disks a save here is one that has become durable.
  explicit Story(int servers = 3, bool reads_disks = true,
                 bool slow_disks = false)
      : disks_(static_cast<size_t>(servers)),
        incarnations_(static_cast<size_t>(servers), 1),
        oracle_(servers, MakeOptions(reads_disks, slow_disks)) {
    for (raft::ServerId i = 0; i < servers; ++i)
      oracle_.OnIncarnationBegin(i, 1);
  }

  // The first violation, and how many were told.
  const std::string& verdict() const { return verdict_; }
  int verdicts() const { return verdicts_; }
  // Whether the verdict names that rule.
  bool Broke(const Rule& rule) const {
    return verdict_.starts_with(std::string("oracle: ") + rule.name + " (");
  }

  Oracle& oracle() { return oracle_; }
  void Pass(std::chrono::milliseconds time) { now_ += time; }

  // --- Disks -----------------------------------------------------------------

  void Save(raft::ServerId server, raft::Term term, raft::ServerId vote,
            const Terms& log) {
    disks_[Slot(server)] = {
        .current_term = term, .voted_for = vote, .entries = EntriesOf(log, 0)};
    SaveDisk(server, disks_[Slot(server)]);
  }
  // Keeps term and vote. The log begins after an entry of that index and term.
  void SaveSnapshot(raft::ServerId server, raft::Index index, raft::Term term,
                    const Terms& log,
                    const std::optional<base::Rope>& snapshot) {
    harness::DiskState& disk = disks_[Slot(server)];
    disk.last_included_index = index;
    disk.last_included_term = term;
    disk.entries = EntriesOf(log, index);
    disk.snapshot = snapshot;
    SaveDisk(server, disk);
    disk.snapshot.reset();
  }
  // Nothing: it does not decode.
  void SaveDisk(raft::ServerId server, std::optional<harness::DiskState> disk) {
    oracle_.OnSave(server, incarnations_[Slot(server)], disk);
  }
  // Keeps the log.
  void SaveVote(raft::ServerId server, raft::Term term, raft::ServerId vote) {
    harness::DiskState& disk = disks_[Slot(server)];
    disk.current_term = term;
    disk.voted_for = vote;
    SaveDisk(server, disks_[Slot(server)]);
  }
  // Keeps term and vote, and the log's first `kept` entries, which are not told
  // again.
  void SaveMore(raft::ServerId server, size_t kept, const Terms& more) {
    harness::DiskState disk = disks_[Slot(server)];
    disk.kept = kept;
    disk.entries = EntriesOf(more, kept);
    SaveDisk(server, disk);
  }
  // Keeps the vote, unless the term is new.
  void SaveLog(raft::ServerId server, raft::Term term, const Terms& log) {
    const harness::DiskState& disk = disks_[Slot(server)];
    Save(server, term,
         disk.current_term == term ? disk.voted_for : raft::kNobody, log);
  }

  void Restart(raft::ServerId server) {
    oracle_.OnIncarnationEnd(server);
    oracle_.OnIncarnationBegin(server, ++incarnations_[Slot(server)]);
  }

  // The service gives that snapshot; nothing is saved.
  void Gives(raft::ServerId server, raft::Index index,
             const base::Rope& snapshot) {
    oracle_.OnSnapshot(server, index, snapshot);
  }

  // --- Messages --------------------------------------------------------------

  // Returns the number of the call, to be answered later.
  uint64_t Ask(raft::ServerId candidate, raft::ServerId voter, raft::Term term,
               raft::Index last = 0, raft::Term last_term = 0,
               Fate fate = Fate::kDelivered) {
    raft::RequestVoteArgs args;
    args.term = term;
    args.candidate_id = candidate;
    args.last_log_index = last;
    args.last_log_term = last_term;
    return Send(candidate, voter, raft::kRequestVote.name, rpc::Encode(args),
                fate);
  }
  void AnswerVote(uint64_t call, raft::Term term, bool granted,
                  Fate fate = Fate::kDelivered) {
    raft::RequestVoteReply reply;
    reply.term = term;
    reply.vote_granted = granted;
    Reply(call, rpc::Encode(reply), fate);
  }
  uint64_t Appends(raft::ServerId leader, raft::ServerId follower,
                   const Append& append, Fate fate = Fate::kDelivered) {
    raft::AppendEntriesArgs args;
    args.term = append.term;
    args.leader_id = leader;
    args.prev_log_index = append.prev;
    args.prev_log_term = append.prev_term;
    args.leader_commit = append.commit;
    args.entries = EntriesOf(append.entries, append.prev);
    return Send(leader, follower, raft::kAppendEntries.name, rpc::Encode(args),
                fate);
  }
  void AnswerAppend(uint64_t call, raft::Term term, bool success,
                    Fate fate = Fate::kDelivered) {
    raft::AppendEntriesReply reply;
    reply.term = term;
    reply.success = success;
    Reply(call, rpc::Encode(reply), fate);
  }
  uint64_t Installs(raft::ServerId leader, raft::ServerId follower,
                    const Install& install, Fate fate = Fate::kDelivered) {
    raft::InstallSnapshotArgs args;
    args.term = install.term;
    args.leader_id = leader;
    args.last_included_index = install.index;
    args.last_included_term = install.index_term;
    args.offset = install.offset;
    args.data = install.data;
    args.done = install.done;
    return Send(leader, follower, raft::kInstallSnapshot.name,
                rpc::Encode(args), fate);
  }
  void AnswerInstall(uint64_t call, raft::Term term, bool installed,
                     Fate fate = Fate::kDelivered) {
    raft::InstallSnapshotReply reply;
    reply.term = term;
    reply.installed = installed;
    Reply(call, rpc::Encode(reply), fate);
  }
  uint64_t Send(raft::ServerId from, raft::ServerId to, std::string_view method,
                const std::string& bytes, Fate fate = Fate::kDelivered) {
    const uint64_t call = ++calls_;
    links_[call] = {harness::LinkName({0, from, incarnations_[Slot(from)], to}),
                    std::string(method)};
    See(Kind::kRequest, fate, call, bytes, now_ - age_);
    return call;
  }
  void Reply(uint64_t call, const std::string& bytes,
             Fate fate = Fate::kDelivered) {
    See(Kind::kReply, fate, call, bytes, now_);
  }
  // Requests from now on are seen `age` after they were sent.
  void SetAge(std::chrono::milliseconds age) { age_ = age; }

  // --- Whole acts of correct servers -----------------------------------------

  // After a second of silence the candidate saves its vote for itself; the
  // voters save theirs and grant.
  void Wins(raft::ServerId candidate, raft::Term term,
            const std::vector<raft::ServerId>& voters, raft::Index last = 0,
            raft::Term last_term = 0) {
    Pass(std::chrono::seconds(1));
    SaveVote(candidate, term, candidate);
    for (const raft::ServerId voter : voters) {
      const uint64_t call = Ask(candidate, voter, term, last, last_term);
      SaveVote(voter, term, candidate);
      AnswerVote(call, term, true);
    }
  }
  // The follower saves the log that the request leaves it with, and agrees.
  void Takes(raft::ServerId leader, raft::ServerId follower,
             const Append& append, const Terms& log,
             Fate fate = Fate::kDelivered) {
    const uint64_t call = Appends(leader, follower, append);
    SaveLog(follower, append.term, log);
    AnswerAppend(call, append.term, true, fate);
  }
  void Apply(raft::ServerId server, raft::Index index, raft::Term term) {
    ApplyBytes(server, index, term, CommandOf(index, term));
  }
  void ApplyBytes(raft::ServerId server, raft::Index index, raft::Term term,
                  const std::string& command) {
    raft::ApplyMsg message;
    message.index = index;
    message.term = term;
    message.command = command;
    oracle_.OnApply(server, message);
  }
  void ApplySnapshot(raft::ServerId server, raft::Index index, raft::Term term,
                     const base::Rope& snapshot) {
    raft::ApplyMsg message;
    message.kind = raft::ApplyMsg::Kind::kSnapshot;
    message.index = index;
    message.term = term;
    message.snapshot = snapshot;
    oracle_.OnApply(server, message);
  }
  void State(raft::ServerId server, raft::Term term, bool leads) {
    oracle_.OnState(server, incarnations_[Slot(server)],
                    oracle_.TermSeen(server), {term, leads});
  }
  void Start(raft::ServerId server, raft::Index index, raft::Term term) {
    oracle_.OnStart(server, incarnations_[Slot(server)], "",
                    {index, term, true});
  }

  static std::string CommandOf(raft::Index index, raft::Term term) {
    return std::to_string(index) + "/" + std::to_string(term);
  }

 private:
  struct Route {
    std::string end;
    std::string method;
  };

  static size_t Slot(raft::ServerId server) {
    return static_cast<size_t>(server);
  }
  static raft::Entries EntriesOf(const Terms& terms, raft::Index before) {
    raft::Entries entries;
    for (const raft::Term term : terms) {
      entries.Append(term, CommandOf(++before, term));
    }
    return entries;
  }

  Oracle::Options MakeOptions(bool reads_disks, bool slow_disks) {
    Oracle::Options options;
    options.on_violation = [this](const Violation& violation) {
      if (verdicts_++ == 0) verdict_ = violation.ToString();
    };
    options.now = [this] { return now_; };
    options.reads_disks = reads_disks;
    options.slow_disks = slow_disks;
    return options;
  }

  void See(Kind kind, Fate fate, uint64_t call, const std::string& bytes,
           Oracle::Clock::time_point sent) {
    const Route& route = links_[call];
    const std::optional<harness::Message> message =
        harness::DecodeMessage({.kind = kind,
                                .fate = fate,
                                .call = call,
                                .sent = sent,
                                .end = route.end,
                                .server = "",
                                .method = route.method,
                                .bytes = bytes});
    if (message.has_value()) oracle_.OnMessage(*message);
  }

  Oracle::Clock::time_point now_ = Oracle::Clock::now();
  std::chrono::milliseconds age_{0};
  std::string verdict_;
  int verdicts_ = 0;
  std::vector<harness::DiskState> disks_;
  std::vector<int> incarnations_;
  std::map<uint64_t, Route> links_;
  uint64_t calls_ = 0;
  Oracle oracle_;
};

}  // namespace oracle

#endif  // TESTS_UNIT_ORACLE_ORACLE_FIXTURE_H_
