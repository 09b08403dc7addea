// The scope in which an oracle judges one event. Only the oracle's own files
// include this.

#ifndef TESTS_ORACLE_JUDGING_H_
#define TESTS_ORACLE_JUDGING_H_

#include <optional>
#include <utility>

#include "tests/oracle/oracle.h"

namespace oracle {

// Holds the oracle's lock; tells of what was found when it has let go of it.
// The time is read before: under the simulator that may be a scheduling point,
// and no thread may stop there with a spin lock.
class ABSL_SCOPED_LOCKABLE Oracle::Judging {
 public:
  explicit Judging(Oracle* oracle) ABSL_EXCLUSIVE_LOCK_FUNCTION(oracle->lock_)
      : oracle_(oracle) {
    const Clock::time_point now = oracle_->options_.now();
    oracle_->lock_.Lock();
    oracle_->now_ = now;
  }
  ~Judging() ABSL_UNLOCK_FUNCTION() {
    const std::optional<Violation> found =
        std::exchange(oracle_->violation_, std::nullopt);
    oracle_->lock_.Unlock();
    if (found.has_value()) oracle_->options_.on_violation(*found);
  }
  Judging(const Judging&) = delete;
  Judging& operator=(const Judging&) = delete;

 private:
  Oracle* const oracle_;
};

}  // namespace oracle

#endif  // TESTS_ORACLE_JUDGING_H_
