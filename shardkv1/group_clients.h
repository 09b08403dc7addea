// A client's ways to the servers of all groups that it has heard of.
//
// Thread safety: one call at a time.

#ifndef SHARDKV1_GROUP_CLIENTS_H_
#define SHARDKV1_GROUP_CLIENTS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rpc/rpc.h"
#include "rsm/clerk.h"
#include "shardkv1/config.h"
#include "shardkv1/messages.h"

namespace shardkv1 {

class GroupClients {
 public:
  // `closing` outlives it, and closes all ends.
  GroupClients(MakeEnd make_end, rsm::Closing* closing)
      : make_end_(std::move(make_end)), closing_(closing) {}

  // The way to that group of the configuration, valid as long as this; null if
  // it is not there.
  rsm::GroupClient* Find(const Config& config, Gid gid) {
    const auto group = config.groups.find(gid);
    if (group == config.groups.end()) return nullptr;
    const auto known = clients_.find(group->second);
    if (known != clients_.end()) return &known->second;
    std::vector<std::shared_ptr<rpc::ClientEnd>> ends;
    for (const std::string& server : group->second) {
      ends.push_back(make_end_(server));
    }
    return &clients_.try_emplace(group->second, std::move(ends), closing_)
                .first->second;
  }

 private:
  const MakeEnd make_end_;
  rsm::Closing* const closing_;
  std::map<std::vector<std::string>, rsm::GroupClient> clients_;  // by servers
};

}  // namespace shardkv1

#endif  // SHARDKV1_GROUP_CLIENTS_H_
