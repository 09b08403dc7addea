// A client's ways to the servers of all groups that it has heard of.

#ifndef SHARDKV1_GROUP_CLIENTS_H_
#define SHARDKV1_GROUP_CLIENTS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "rpc/rpc.h"
#include "rsm/clerk.h"
#include "shardkv1/config.h"
#include "shardkv1/messages.h"

namespace shardkv1 {

// Thread safety: one call at a time.
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

// The same with what closes them, all at once.
struct ClosableClients {
  explicit ClosableClients(MakeEnd make_end)
      : groups(std::move(make_end), &closing) {}

  rsm::Closing closing;
  GroupClients groups;
};

// What a controller has of these for one change after the other: when it has
// closed them, to end the calls of a change, the next one has others.
//
// Thread safety: safe. Lock order: mu_, then that of a Closing.
class ClientsForChanges {
 public:
  explicit ClientsForChanges(MakeEnd make_end)
      : make_end_(std::move(make_end)),
        clients_(std::make_shared<ClosableClients>(make_end_)) {}

  std::shared_ptr<ClosableClients> Get() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    if (!closed_ && clients_->closing.IsClosed()) {
      clients_ = std::make_shared<ClosableClients>(make_end_);
    }
    return clients_;
  }

  // Closes them, and there are no others.
  void Close() EXCLUDES(mu_) {
    std::shared_ptr<ClosableClients> clients;
    {
      base::MutexLock lock(&mu_);
      closed_ = true;
      clients = clients_;
    }
    clients->closing.Close();
  }

 private:
  const MakeEnd make_end_;

  base::Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<ClosableClients> clients_ ABSL_GUARDED_BY(mu_);
};

}  // namespace shardkv1

#endif  // SHARDKV1_GROUP_CLIENTS_H_
