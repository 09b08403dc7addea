#include "bench/group_commit.h"

#include <utility>
#include <vector>

#include "bench/consumer.h"
#include "bench/measure.h"

namespace bench {
namespace {

using base::MutexLock;
using benchmark::State;

constexpr uint64_t kOutstanding = 65'536;
constexpr uint64_t kLookEvery = 1'024;

void Report(uint64_t records, double seconds, const Usage& before,
            State* state) {
  const auto count = static_cast<double>(records);
  state->SetIterationTime(seconds);
  state->counters["per_second"] = count / seconds;
  state->counters["cpu_ns_per_record"] =
      1e9 * (Usage::Now().cpu_seconds - before.cpu_seconds) / count;
}

}  // namespace

GroupCommit::GroupCommit(std::string record,
                         std::function<void(std::string_view)> flush)
    : record_(std::move(record)),
      flush_(std::move(flush)),
      flusher_([this] { FlushLoop(); }) {}

GroupCommit::~GroupCommit() {
  {
    MutexLock lock(&mu_);
    closing_ = true;
    work_.Signal();
  }
  flusher_.join();
}

uint64_t GroupCommit::Append() {
  MutexLock lock(&mu_);
  pending_.append(record_);
  work_.Signal();
  return ++last_;
}

void GroupCommit::Wait(uint64_t ticket) {
  MutexLock lock(&mu_);
  while (durable_ < ticket) published_.Wait(&mu_);
}

void GroupCommit::FlushLoop() {
  std::string taken;
  while (true) {
    uint64_t last = 0;
    taken.clear();
    {
      MutexLock lock(&mu_);
      while (pending_.empty() && !closing_) work_.Wait(&mu_);
      if (pending_.empty()) return;
      taken.swap(pending_);
      last = last_;
    }
    flush_(taken);
    {
      MutexLock lock(&mu_);
      durable_ = last;
    }
    published_.SignalAll();
  }
}

void MeasureWriters(int writers, uint64_t records, Appender* log,
                    State* state) {
  const uint64_t each = records / static_cast<uint64_t>(writers);
  std::vector<std::vector<double>> us(static_cast<size_t>(writers));
  const Usage before = Usage::Now();
  const Clock::time_point begin = Clock::now();
  std::vector<std::thread> threads;
  threads.reserve(us.size());
  for (std::vector<double>& mine : us) {
    threads.emplace_back([&mine, each, log] {
      for (uint64_t i = 0; i < each; ++i) {
        const Clock::time_point start = Clock::now();
        log->Wait(log->Append());
        mine.push_back(1e6 * Seconds(Clock::now() - start));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Report(each * us.size(), Seconds(Clock::now() - begin), before, state);
  std::vector<double> all;
  for (const std::vector<double>& one : us) {
    all.insert(all.end(), one.begin(), one.end());
  }
  state->counters["p50_us"] = Quantile(all, 0.5);
  state->counters["p99_us"] = Quantile(all, 0.99);
}

void MeasurePipelined(uint64_t records, Appender* log, State* state) {
  const Usage before = Usage::Now();
  const Clock::time_point begin = Clock::now();
  uint64_t last = 0;
  for (uint64_t i = 1; i <= records; ++i) {
    last = log->Append();
    if (i % kLookEvery == 0 && last > kOutstanding) {
      log->Wait(last - kOutstanding);
    }
  }
  log->Wait(last);
  Report(records, Seconds(Clock::now() - begin), before, state);
}

}  // namespace bench
