// The README's example: a replicated counter, a whole service in 60 lines.

#ifndef EXAMPLES_COUNTER_COUNTER_H_
#define EXAMPLES_COUNTER_COUNTER_H_

#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "raft/raft.h"
#include "rpc/codec.h"

// [docs]
// One server of a replicated counter. All of them hold the same value.
class Counter {
 public:
  Counter(std::vector<std::shared_ptr<rpc::ClientEnd>> peers, raft::ServerId me,
          std::shared_ptr<persister::Persister> disk)
      : raft_(raft::Make(std::move(peers), me, std::move(disk), applied_)),
        reader_([this] { ReadLoop(); }) {}

  ~Counter() {
    raft_->Kill();  // also closes applied_, which ends ReadLoop()
    reader_.join();
  }

  // Adds `n` on every server, soon. False: this one does not lead, ask another.
  bool Add(int64_t n) { return raft_->Start(rpc::Encode(n)).is_leader; }

  int64_t value() const {
    base::MutexLock lock(&mu_);
    return value_;
  }

  // What the peers call; register it with the server's network.
  std::vector<rpc::Service> Services() { return raft_->Services(); }

 private:
  void ReadLoop() {
    while (auto message = applied_->Receive()) {
      if (message->kind == raft::ApplyMsg::Kind::kSnapshot) {
        Set(rpc::Decode<int64_t>(message->snapshot.ToString()).value());
        continue;
      }
      Set(value() + rpc::Decode<int64_t>(message->command).value());
      // The value says all that the log up to here did; Raft may discard it.
      if (message->index % kSnapshotInterval == 0) {
        raft_->Snapshot(message->index, rpc::Encode(value()));
      }
    }
  }

  void Set(int64_t value) {
    base::MutexLock lock(&mu_);
    value_ = value;
  }

  static constexpr raft::Index kSnapshotInterval = 1000;

  std::shared_ptr<raft::ApplyChannel> applied_ =
      std::make_shared<raft::ApplyChannel>(/*capacity=*/1024);
  std::shared_ptr<raft::Raft> raft_;
  mutable base::Mutex mu_;
  int64_t value_ ABSL_GUARDED_BY(mu_) = 0;
  std::thread reader_;
};
// [docs]

#endif  // EXAMPLES_COUNTER_COUNTER_H_
