#include "tests/kvraft/pending_call.h"

#include <utility>

#include "absl/cleanup/cleanup.h"

namespace tests {

PendingCall::PendingCall(harness::ServiceStage* stage,
                         std::function<void()> call)
    : stage_(stage), thread_([stage] { stage->CheckHasFailed(); }) {
  stage->Spawn(&thread_, [this, call = std::move(call)] {
    const auto end = absl::MakeCleanup([this] {
      base::MutexLock lock(&mu_);
      has_ended_ = true;
      ended_.SignalAll();
    });
    call();
  });
}

bool PendingCall::Returns(std::chrono::milliseconds within,
                          harness::Place place) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  bool has_ended = false;
  {
    base::MutexLock lock(&mu_);
    while (!has_ended_ && ended_.WaitUntil(&mu_, deadline)) {
    }
    has_ended = has_ended_;
  }
  if (has_ended) thread_.Join();
  stage_->CheckError(place);
  return has_ended;
}

}  // namespace tests
