// Counts what was dropped because it does not decode, and logs the first of it.
//
// Thread safety: safe.

#ifndef RPC_DROP_COUNTER_H_
#define RPC_DROP_COUNTER_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "base/logging.h"

namespace rpc {

class DropCounter {
 public:
  // One more; `what` is the line to log.
  void Add(const std::string& what) {
    if (count_.fetch_add(1, std::memory_order_relaxed) > 0) return;
    LOG(WARNING) << what << ": dropped; further ones are only counted";
  }

  uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> count_{0};
};

}  // namespace rpc

#endif  // RPC_DROP_COUNTER_H_
