// What the recorder's events have shown of a sharded service: its groups, whose
// each shard is, and where it is served; and the sentences about it.
//
// Thread safety: confined to one thread.
// Always true: a sentence says nothing that the events did not show.

#ifndef EXAMPLES_DEMO_SHARD_VIEW_H_
#define EXAMPLES_DEMO_SHARD_VIEW_H_

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "raft/types.h"

namespace demo {

// One group, as the server of it knows that is the furthest.
struct GroupView {
  std::map<raft::ServerId, bool> up;
  raft::ServerId leader = raft::kNobody;
  raft::Term term = 0;  // the newest that had a leader
  int64_t config = 0;   // the group is at
  std::set<int> served;
  std::set<int> to_confirm;  // served too
  std::set<int> coming;
  std::set<int> leaving;  // copies

  bool Serves(int shard) const {
    return served.contains(shard) || to_confirm.contains(shard);
  }
};

class ShardView {
 public:
  static constexpr int kCtrlers = 0;

  // Takes the next event of a sharded service, and returns the sentence about
  // it, or nothing.
  std::string Take(const nlohmann::ordered_json& event);

  // Whether there is one: events then have to be given to it.
  bool IsThere() const { return !groups_.empty(); }

  // By number; the controller's is kCtrlers.
  const std::map<int, GroupView>& groups() const { return groups_; }
  int64_t config() const { return config_; }
  // The group of each shard; 0: none.
  const std::vector<int>& owners() const { return owners_; }

  // Each shard is served by its group, and no copy is left anywhere.
  bool IsSettled() const;

  // Of each shard that has moved: from the controller's decision until it was
  // served again, in milliseconds.
  const std::vector<double>& moves() const { return moves_; }
  size_t elections() const { return elections_; }

 private:
  std::string TakeConfig(const nlohmann::ordered_json& event);
  std::string TakeShards(int group, const nlohmann::ordered_json& event);
  std::string TakeRole(int group, const nlohmann::ordered_json& event);

  std::map<int, GroupView> groups_;
  int64_t config_ = 0;
  std::vector<int> owners_;
  std::map<int, double> moving_;  // shards that are not served yet; since when
  std::vector<double> moves_;
  size_t elections_ = 0;
};

}  // namespace demo

#endif  // EXAMPLES_DEMO_SHARD_VIEW_H_
