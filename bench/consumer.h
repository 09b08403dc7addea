// What one server of a benchmark delivers: taken from its channel, checked, and
// counted.
//
// BenchCluster makes one for each server. Either Run() starts a thread that
// takes whole batches, or the benchmark's own thread takes single messages by
// TakeOne(), which saves the hand-over to another thread.
//
// A wrong delivery is fatal: a figure of a Raft that loses, repeats or swaps
// commands is worth nothing.
//
// It is also the service that takes snapshots, if it is to: its state is how
// many commands it has executed, and some bytes that never change.
//
// Thread safety: safe but for Run() and TakeOne(), of which one thread uses
// one. Lock order: mu_ is a leaf.
// Always true: what was counted was index 1, 2, 3, ... with its own command, or
// was in a snapshot.

#ifndef BENCH_CONSUMER_H_
#define BENCH_CONSUMER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/rope.h"
#include "bench/commands.h"
#include "raft/raft.h"

namespace bench {

using Clock = std::chrono::steady_clock;

// When a service takes snapshots, and what is in them.
struct Snapshots {
  uint64_t interval = 0;  // in commands; 0: never
  base::Rope state = {};  // beside the number of the last command
};

class Consumer {
 public:
  Consumer(std::shared_ptr<raft::Raft> raft,
           std::shared_ptr<raft::ApplyChannel> channel, size_t command_bytes,
           Snapshots snapshots)
      : raft_(std::move(raft)),
        channel_(std::move(channel)),
        commands_(command_bytes),
        snapshots_(std::move(snapshots)) {}
  // REQUIRES: the channel is closed if Run() was called.
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // Starts the thread that takes all that comes until the channel is closed.
  void Run();

  // Takes and checks the next message on the calling thread; false if the
  // channel is closed. REQUIRES: Run() was not called.
  bool TakeOne() EXCLUDES(mu_);

  // Notes from now on when these counts are reached. REQUIRES: ascending.
  void Watch(std::vector<uint64_t> counts) EXCLUDES(mu_);

  // When they were, as many as have been.
  std::vector<Clock::time_point> Reached() EXCLUDES(mu_);

  // Waits until `count` commands were taken; false if `deadline` passed.
  bool Await(uint64_t count, Clock::time_point deadline) EXCLUDES(mu_);

  uint64_t count() EXCLUDES(mu_);

 private:
  void Loop();
  void Take(const raft::ApplyMsg& message);
  void Check(const raft::ApplyMsg& message, uint64_t number) const;
  void Install(const raft::ApplyMsg& message);
  base::Rope Snapshot() const;
  void CountTaken() EXCLUDES(mu_);

  const std::shared_ptr<raft::Raft> raft_;
  const std::shared_ptr<raft::ApplyChannel> channel_;
  const Commands commands_;
  const Snapshots snapshots_;
  uint64_t taken_ = 0;  // belongs to the thread that takes

  base::Mutex mu_;
  base::CondVar reached_;
  uint64_t count_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t awaited_ ABSL_GUARDED_BY(mu_) = 0;  // 0: no thread waits
  std::vector<uint64_t> watched_ ABSL_GUARDED_BY(mu_);
  std::vector<Clock::time_point> times_ ABSL_GUARDED_BY(mu_);

  std::thread thread_;  // started by Run(), joined by the destructor
};

}  // namespace bench

#endif  // BENCH_CONSUMER_H_
