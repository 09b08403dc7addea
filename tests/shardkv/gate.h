// What scenarios of the sharded service have in common: a tap on the network
// that holds and loses messages, and how they wait.
//
// Thread safety: Gate is safe, its lock is a leaf; the functions are for a
// test's main thread.

#ifndef TESTS_SHARDKV_GATE_H_
#define TESTS_SHARDKV_GATE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/mutex.h"
#include "labrpc/network.h"
#include "raft/types.h"
#include "shardkv/group.h"
#include "tests/harness/failure.h"
#include "tests/harness/shard_cluster.h"

namespace tests {

class Gate {
 public:
  // Whether a message is meant. It may keep a state: one message at a time.
  using IsMeant = std::function<bool(const labrpc::Packet&)>;

  labrpc::Tap MakeTap() {
    return [this](const labrpc::Packet& packet) { return Rule(packet); };
  }

  // From here on holds such messages, or loses them.
  void Hold(IsMeant held) EXCLUDES(mu_);
  void Drop(IsMeant dropped) EXCLUDES(mu_);
  // Loses the first such message, and holds others from there on.
  void DropOne(IsMeant dropped, IsMeant held_then) EXCLUDES(mu_);

  // How many are held.
  size_t held() EXCLUDES(mu_);

  // Interferes with no message any more; those that are held stay so.
  void Forget() EXCLUDES(mu_);
  // The same, and releases them.
  void Open(labrpc::Network* network) EXCLUDES(mu_);

 private:
  labrpc::Ruling Rule(const labrpc::Packet& packet) EXCLUDES(mu_);

  base::Mutex mu_;
  IsMeant held_ ABSL_GUARDED_BY(mu_);
  IsMeant dropped_ ABSL_GUARDED_BY(mu_);
  IsMeant dropped_once_ ABSL_GUARDED_BY(mu_);
  IsMeant held_then_ ABSL_GUARDED_BY(mu_);
  std::vector<uint64_t> calls_ ABSL_GUARDED_BY(mu_);
};

bool IsRequest(const labrpc::Packet& packet, std::string_view method);

// Whether the message is to a server of that group, or the answer of one.
bool IsOfGroup(const labrpc::Packet& packet, int group);

// A request that carries log entries of a group.
struct Appending {
  raft::Term term = 0;
  raft::Index leader_commit = 0;
  std::vector<std::pair<raft::Index, shardkv::Command>> entries;

  // The index of the first entry of that kind; 0: there is none.
  template <typename Entry>
  raft::Index Find() const {
    for (const auto& [index, command] : entries) {
      if (std::holds_alternative<Entry>(command.what)) return index;
    }
    return 0;
  }
};
// Of an AppendEntries to that group; nothing if it is another message.
std::optional<Appending> AppendingTo(const labrpc::Packet& packet, int group);

// Waits until `is_so`; fails after 20 s.
void WaitUntil(harness::ShardCluster* cluster, const std::string& what,
               const std::function<bool()>& is_so,
               harness::Place place = harness::Place::Here());

// Has group 101 join while calls of that method, one for each shard that moves
// to it, are held; waits until five are.
void JoinWithHeld(harness::ShardCluster* cluster, Gate* gate,
                  std::string_view method,
                  harness::Place place = harness::Place::Here());

// Whether that server has taken that configuration, and what was coming by it
// is there.
bool HasAll(harness::ShardCluster* cluster, int group, raft::ServerId server,
            int64_t num);

}  // namespace tests

#endif  // TESTS_SHARDKV_GATE_H_
