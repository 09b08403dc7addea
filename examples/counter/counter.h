// The README's example: a replicated counter, a whole service in 40 lines.

#ifndef EXAMPLES_COUNTER_COUNTER_H_
#define EXAMPLES_COUNTER_COUNTER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "rsm/rsm.h"
#include "rsm/typed.h"

// [docs]
// What every server has: the state, and how a command changes it.
struct Total {
  struct Command {
    int64_t n = 0;
    auto Fields() { return std::tie(n); }
  };
  using Result = int64_t;
  Result Apply(const Command& add) { return total += add.n; }

  int64_t total = 0;
  auto Fields() { return std::tie(total); }
};

// One server of a replicated counter.
class Counter {
 public:
  Counter(std::vector<std::shared_ptr<rpc::ClientEnd>> peers, raft::ServerId me,
          std::shared_ptr<persister::Persister> disk)
      : rsm_(std::move(peers), me, std::move(disk), std::make_unique<Machine>(),
             {.max_raft_state = 16 << 10}) {}

  // Adds `n` on all servers and returns the total; 0 reads it. Nothing: this
  // server does not lead, or no longer, and another should be asked.
  std::optional<int64_t> Add(int64_t n) {
    const Machine::Answer answer = Machine::Submit(&rsm_, {n});
    if (answer.outcome != rsm::Outcome::kDone) return std::nullopt;
    return answer.result;
  }

  // What the peers call; register it with the server's network.
  std::vector<rpc::Service> Services() { return rsm_.Services(); }

 private:
  using Machine = rsm::Typed<Total>;
  rsm::Rsm rsm_;
};
// [docs]

#endif  // EXAMPLES_COUNTER_COUNTER_H_
