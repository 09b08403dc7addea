// A call of a client on a thread of its own, which may never return.
//
// Thread safety: for the test's main thread. Declare it after the cluster and
// its client.

#ifndef TESTS_KVRAFT_PENDING_CALL_H_
#define TESTS_KVRAFT_PENDING_CALL_H_

#include <chrono>
#include <functional>

#include "base/mutex.h"
#include "tests/harness/failure.h"
#include "tests/harness/service_stage.h"

namespace tests {

class PendingCall {
 public:
  PendingCall(harness::ServiceStage* stage, std::function<void()> call);

  // Whether it returns within that time. Ends the test if it, or another check,
  // fails meanwhile.
  bool Returns(std::chrono::milliseconds within,
               harness::Place place = harness::Place::Here()) EXCLUDES(mu_);

 private:
  harness::ServiceStage* const stage_;

  base::Mutex mu_;
  base::CondVar ended_;
  bool has_ended_ ABSL_GUARDED_BY(mu_) = false;  // returned, or failed

  harness::TestThreads thread_;
};

}  // namespace tests

#endif  // TESTS_KVRAFT_PENDING_CALL_H_
