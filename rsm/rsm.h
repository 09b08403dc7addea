// A replicated state machine: the layer between a service and its Raft.
//
// A server makes one Rsm of its StateMachine. A command that Submit() gets is
// put into the log, executed on every server when it has committed, and
// answered on the server that submitted it with the result of its own
// execution. An Rsm also takes and restores the snapshots.
//
//   auto rsm = std::make_unique<rsm::Rsm>(peers, me, persister,
//                                         std::make_unique<MyMachine>());
//   rsm::Result result = rsm->Submit(command);
//
// An Rsm has one thread, the reader, which takes what Raft delivers and alone
// touches the machine. A command that waits costs no thread: SubmitAsync()
// keeps its callback until the outcome is known.
//
// Thread safety: safe. Submit() waits for a majority, without a time limit;
// Kill() joins threads; no other call waits.
// Lock order: Rsm -> Raft, whose Start() is called under the Rsm's lock; so a
// Raft must not deliver under a lock that Start() takes.

#ifndef RSM_RSM_H_
#define RSM_RSM_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/mutex.h"
#include "base/rope.h"
#include "persister/persister.h"
#include "raft/raft.h"
#include "raft/types.h"
#include "rpc/rpc.h"
#include "rsm/state_machine.h"

namespace rsm {

enum class Outcome : uint8_t {
  kDone,       // executed here; the result says what came of it
  kNotLeader,  // not taken: it is in no log through this call
  kLost,       // unknown: it may have been executed, may still be, or never
  kTooLarge,   // not taken, and no server will: raft::kMaxCommandBytes
};

struct Result {
  Outcome outcome = Outcome::kNotLeader;
  std::string value;  // kDone: what Apply() returned
};

// Makes the Raft of a server, as raft::Make() does; or one on a storage, which
// leaves the persister as it is, empty.
using MakeRaft = std::function<std::shared_ptr<raft::Raft>(
    std::vector<std::shared_ptr<rpc::ClientEnd>> peers, raft::ServerId me,
    std::shared_ptr<persister::Persister> persister,
    std::shared_ptr<raft::ApplyChannel> apply_channel, raft::Options options)>;

// What tests see of one Rsm. Called by the reader under no lock, in this order;
// empty ones are skipped.
struct Hooks {
  // Every command and snapshot that Raft delivers, before anything is done
  // about it.
  std::function<void(const raft::ApplyMsg& message)> on_apply = {};

  // The machine has executed the command at that index.
  std::function<void(const raft::ApplyMsg& message, const std::string& result)>
      on_executed = {};

  // Raft is about to get this snapshot.
  std::function<void(raft::Index index, const base::Rope& snapshot)>
      on_snapshot = {};
};

struct Options {
  // Raft's part of the disk may grow to this, in bytes, until a snapshot is
  // taken, after the commands of a batch; without it none ever is. The
  // machine's garbage is counted with it. It grows further while less than half
  // of the log has been executed here.
  std::optional<size_t> max_raft_state = {};

  // `announce_state` is set by the Rsm.
  raft::Options raft = {};

  MakeRaft make_raft = raft::Make;
  Hooks hooks = {};
};

class Rsm {
 public:
  // Makes server `me` of a group, as raft::Make() does. A snapshot on the disk
  // is restored into the machine first; one that cannot be, here or later, ends
  // the process with a line that says why.
  Rsm(std::vector<std::shared_ptr<rpc::ClientEnd>> peers, raft::ServerId me,
      std::shared_ptr<persister::Persister> persister,
      std::unique_ptr<StateMachine> machine, Options options = {});
  ~Rsm();  // Kill(). REQUIRES: no other call is under way.
  Rsm(const Rsm&) = delete;
  Rsm& operator=(const Rsm&) = delete;

  // Submits the command and waits for its outcome: for as long as this server
  // takes itself for the leader and reaches no majority, or until Kill().
  // REQUIRES: the calling thread holds no base::Mutex and is not the reader,
  // which calls the machine, the hooks and most callbacks.
  Result Submit(std::string_view command) EXCLUDES(mu_);

  // As Submit(), and returns at once. `done` is run once, under no lock: on the
  // caller's stack if the outcome is kNotLeader or kTooLarge, otherwise by the
  // reader, which waits until it returns.
  using Done = absl::AnyInvocable<void(Result)>;
  void SubmitAsync(std::string_view command, Done done) EXCLUDES(mu_);

  // The Raft beneath: GetState(), GetStatus().
  raft::Raft& raft() { return *raft_; }

  // What the peers call: Raft's.
  std::vector<rpc::Service> Services() { return raft_->Services(); }

  // Ends the Rsm and its Raft: commands that wait are kLost, later ones
  // kNotLeader. When it returns no callback runs any more and the threads are
  // joined. Idempotent; a second caller waits for the first.
  // REQUIRES: not called by the reader, nor by a callback of a peer's end.
  void Kill() EXCLUDES(mu_);

 private:
  // A command that Raft has taken: it was appended at `index` in `term`, and
  // those two name one entry of all logs (5.3, Log Matching).
  struct Waiter {
    raft::Index index = 0;
    raft::Term term = 0;
    Done done;
  };
  using Waiters = std::deque<Waiter>;

  // Whether `message` settles what becomes of that waiter, one way or another.
  static bool Settles(const raft::ApplyMsg& message, const Waiter& waiter);

  std::optional<Outcome> StartOrRefuse(std::string_view command, Done* done)
      EXCLUDES(mu_);

  // The reader.
  void ReadLoop() EXCLUDES(mu_);
  std::vector<Waiter> TakeSettled(const std::vector<raft::ApplyMsg>& batch)
      EXCLUDES(mu_);
  Waiters TakeAll() EXCLUDES(mu_);
  static void Answer(const raft::ApplyMsg& message,
                     std::optional<std::string>* result, Waiter* waiter);
  std::optional<std::string> Execute(const raft::ApplyMsg& message);
  void Restore(base::Rope snapshot, std::optional<raft::Index> index);
  void TakeSnapshotIfDue();
  size_t RaftStateSize() const;

  // Immutable after construction.
  const std::string log_name_;  // "S2", "G101/S2"
  const std::optional<size_t> max_raft_state_;
  const Hooks hooks_;
  const std::shared_ptr<persister::Persister> persister_;
  const std::shared_ptr<raft::ApplyChannel> applied_;
  std::shared_ptr<raft::Raft> raft_;

  // The constructor's, then the reader's.
  const std::unique_ptr<StateMachine> machine_;
  raft::Index last_applied_ = 0;    // the machine has executed up to here
  raft::Index snapshot_index_ = 0;  // the newest snapshot covers up to here

  base::Mutex mu_;
  base::CondVar joined_;  // wakes a second Kill()
  // In the order of Start(), so that terms never decrease, and indexes increase
  // within a term.
  Waiters waiters_ ABSL_GUARDED_BY(mu_);
  bool killed_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;  // no waiter is added any more
  bool all_joined_ ABSL_GUARDED_BY(mu_) = false;

  std::thread reader_;  // started last
};

}  // namespace rsm

#endif  // RSM_RSM_H_
