// Groups and the store of configurations without Raft or network, for unit
// tests of clients: a call is executed on the state machine at once, unless the
// test loses it.
//
// Thread safety: safe. Lock order: each mu_ is a leaf.

#ifndef TESTS_UNIT_SHARDKV1_WORLD_H_
#define TESTS_UNIT_SHARDKV1_WORLD_H_

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "kvraft/replicated_store.h"
#include "rpc/codec.h"
#include "rpc/rpc.h"
#include "shardkv1/config.h"
#include "shardkv1/group.h"
#include "shardkv1/group_clients.h"
#include "shardkv1/messages.h"

namespace shardkv1 {

class World {
 public:
  enum class Fate {
    kArrives,
    kIsLost,
    kReplyIsLost,
    kWaits,  // until its end is closed, and no longer than kLongest
  };
  static constexpr std::chrono::seconds kLongest{20};
  // What becomes of a client's call. Under no lock.
  using Decide = std::function<Fate(std::string_view method)>;

  // Group g has one server, "g".
  explicit World(const std::vector<Gid>& gids) {
    base::MutexLock lock(&mu_);
    for (const Gid gid : gids) groups_[absl::StrCat(gid)].emplace(gid);
  }

  static std::vector<std::string> ServersOf(Gid gid) {
    return {absl::StrCat(gid)};
  }

  // A client's way to all servers.
  MakeEnd EndsOf(Decide decide) {
    return [this, decide = std::move(decide)](const std::string& server) {
      return std::make_shared<End>(this, server, decide);
    };
  }
  std::vector<std::shared_ptr<rpc::ClientEnd>> StoreOf(Decide decide) {
    return {EndsOf(std::move(decide))("store")};
  }

  // The group is gone for good.
  void Remove(Gid gid) EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    groups_[absl::StrCat(gid)].reset();
  }

  // Asks the group itself.
  template <typename Args, typename Reply>
  Reply Ask(Gid gid, const rpc::Method<Args, Reply>& method, Args args)
      EXCLUDES(mu_) {
    return rpc::Decode<Reply>(
               *Execute(absl::StrCat(gid), method.name, rpc::Encode(args)))
        .value();
  }

  // The groups that serve the shard of that key.
  std::vector<Gid> ServersOfKey(const std::string& key) EXCLUDES(mu_) {
    std::vector<Gid> gids;
    for (const Gid gid : Gids()) {
      if (Ask(gid, kGet, {key}).err != Err::kWrongGroup) gids.push_back(gid);
    }
    return gids;
  }

  std::vector<Gid> Gids() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    std::vector<Gid> gids;
    for (const auto& [name, group] : groups_) {
      if (group.has_value()) gids.push_back(std::stoll(name));
    }
    return gids;
  }

  // Of the group's whole state.
  size_t Bytes(Gid gid) EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    return groups_.at(absl::StrCat(gid))->Snapshot().size();
  }

 private:
  class End : public rpc::ClientEnd {
   public:
    End(World* world, std::string server, Decide decide)
        : world_(world),
          server_(std::move(server)),
          decide_(std::move(decide)) {}
    void Close() override EXCLUDES(mu_) {
      {
        base::MutexLock lock(&mu_);
        closed_ = true;
      }
      close_called_.SignalAll();
    }

   protected:
    std::optional<std::string> CallFrame(std::string_view method,
                                         rpc::Frame args) override
        EXCLUDES(mu_) {
      const Fate fate = decide_ ? decide_(method) : Fate::kArrives;
      if (fate == Fate::kWaits) AwaitClose();
      if (fate == Fate::kIsLost || fate == Fate::kWaits) return std::nullopt;
      auto reply = world_->Execute(server_, method, std::move(args).ToString());
      if (fate == Fate::kReplyIsLost) return std::nullopt;
      return reply;
    }
    void CallFrameAsync(std::string_view /*method*/, rpc::Frame /*args*/,
                        DoneBytes /*done*/) override {}

   private:
    void AwaitClose() EXCLUDES(mu_) {
      const auto deadline = std::chrono::steady_clock::now() + kLongest;
      base::MutexLock lock(&mu_);
      while (!closed_ && close_called_.WaitUntil(&mu_, deadline)) {
      }
    }

    World* const world_;
    const std::string server_;
    const Decide decide_;

    base::Mutex mu_;
    base::CondVar close_called_;
    bool closed_ ABSL_GUARDED_BY(mu_) = false;
  };

  std::optional<std::string> Execute(const std::string& server,
                                     std::string_view method,
                                     const std::string& args) EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    if (server == "store") return ExecuteOnStoreLocked(method, args);
    std::optional<Group>& group = groups_[server];
    if (!group.has_value()) return std::nullopt;
    Command command;
    using Kind = kvraft::Command::Kind;
    if (method == kGet.name) {
      command.what = kvraft::Command{.kind = Kind::kGet,
                                     .key = rpc::Decode<GetArgs>(args)->key};
    } else if (method == kPut.name) {
      const PutArgs put = *rpc::Decode<PutArgs>(args);
      command.what =
          kvraft::Command{Kind::kPutVersion, put.key, put.value, put.version};
    } else if (method == kFreeze.name) {
      command.what = *rpc::Decode<FreezeArgs>(args);
    } else if (method == kInstall.name) {
      command.what = *rpc::Decode<InstallArgs>(args);
    } else {
      command.what = *rpc::Decode<DeleteArgs>(args);
    }
    return group->Apply(rpc::Encode(command));
  }

  std::string ExecuteOnStoreLocked(std::string_view method,
                                   const std::string& args) REQUIRES(mu_) {
    using Kind = kvraft::Command::Kind;
    kvraft::Reply reply;
    if (method == kvraft::kGet.name) {
      reply = store_.Apply(
          {.kind = Kind::kGet, .key = rpc::Decode<GetArgs>(args)->key});
    } else {
      const PutArgs put = *rpc::Decode<PutArgs>(args);
      reply =
          store_.Apply({Kind::kPutVersion, put.key, put.value, put.version});
    }
    return rpc::Encode(reply);
  }

  base::Mutex mu_;
  std::map<std::string, std::optional<Group>> groups_ ABSL_GUARDED_BY(mu_);
  kvraft::Store store_ ABSL_GUARDED_BY(mu_);
};

}  // namespace shardkv1

#endif  // TESTS_UNIT_SHARDKV1_WORLD_H_
