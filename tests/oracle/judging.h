// The scope in which an oracle judges one event. Only the oracle's own files
// include this.

#ifndef TESTS_ORACLE_JUDGING_H_
#define TESTS_ORACLE_JUDGING_H_

#include <optional>
#include <utility>

#include "tests/oracle/oracle.h"

namespace oracle {

// Holds the oracle's lock; tells of what was found when it has let go of it.
class ABSL_SCOPED_LOCKABLE Oracle::Judging {
 public:
  explicit Judging(Oracle* oracle) ABSL_EXCLUSIVE_LOCK_FUNCTION(oracle->lock_)
      : oracle_(oracle) {
    oracle_->lock_.Lock();
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
