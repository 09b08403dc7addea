// Records of one size that are appended to a log, and made durable in groups:
// what comes while a flush takes its time goes with the next. So the same loops
// measure a FileStorage, a plain file and a database.
//
// Thread safety: as each class says.

#ifndef BENCH_GROUP_COMMIT_H_
#define BENCH_GROUP_COMMIT_H_

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "base/mutex.h"

namespace bench {

// A log. Thread safety: safe.
class Appender {
 public:
  virtual ~Appender() = default;
  // Appends one more record, and returns its ticket: they count from 1.
  virtual uint64_t Append() = 0;
  // Waits until it is durable.
  virtual void Wait(uint64_t ticket) = 0;
};

// A log with a thread that makes durable, by `flush`, what has come together.
class GroupCommit : public Appender {
 public:
  // `flush` gets whole records, and returns when they are durable.
  GroupCommit(std::string record, std::function<void(std::string_view)> flush);
  // What was appended is durable then.
  ~GroupCommit() override;

  uint64_t Append() override EXCLUDES(mu_);
  void Wait(uint64_t ticket) override EXCLUDES(mu_);

 private:
  void FlushLoop() EXCLUDES(mu_);

  const std::string record_;
  const std::function<void(std::string_view)> flush_;

  base::Mutex mu_;
  base::CondVar work_;
  base::CondVar published_;
  std::string pending_ ABSL_GUARDED_BY(mu_);
  uint64_t last_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t durable_ ABSL_GUARDED_BY(mu_) = 0;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;

  std::thread flusher_;
};

// Threads that each append a record and wait for it, `records` in all.
void MeasureWriters(int writers, uint64_t records, Appender* log,
                    benchmark::State* state);

// One thread that appends as fast as it can, with 65,536 records outstanding at
// the most.
void MeasurePipelined(uint64_t records, Appender* log, benchmark::State* state);

}  // namespace bench

#endif  // BENCH_GROUP_COMMIT_H_
