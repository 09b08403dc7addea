#include "shardkv1/change.h"

#include <utility>

#include "shardkv1/messages.h"

namespace shardkv1 {
namespace {

using base::MutexLock;

// After a round of all servers of a group.
constexpr std::chrono::milliseconds kPause(20);

}  // namespace

Change::Change(const Config& from, const Config& to,
               std::shared_ptr<ClosableClients> clients)
    : num_(to.num), clients_(std::move(clients)) {
  GroupClients& groups = clients_->groups;
  std::vector<Move> moves;
  for (int32_t shard = 0; shard < kShards; ++shard) {
    const Gid old_owner = from.shards[static_cast<size_t>(shard)];
    const Gid new_owner = to.shards[static_cast<size_t>(shard)];
    if (old_owner == new_owner) continue;
    moves.push_back(
        {shard, groups.Find(from, old_owner), groups.Find(to, new_owner)});
  }
  {
    MutexLock lock(&mu_);
    running_ = moves.size();
  }
  for (const Move& move : moves) {
    threads_.emplace_back([this, move] {
      const bool has_moved = Run(move);
      MutexLock lock(&mu_);
      --running_;
      failed_ = failed_ || !has_moved;
      ended_.SignalAll();
    });
  }
}

Change::~Change() {
  for (std::thread& thread : threads_) thread.join();
}

bool Change::Await(std::chrono::milliseconds duration) {
  const auto deadline = std::chrono::steady_clock::now() + duration;
  MutexLock lock(&mu_);
  while (running_ > 0 && ended_.WaitUntil(&mu_, deadline)) {
  }
  return running_ == 0;
}

bool Change::HasSucceeded() {
  MutexLock lock(&mu_);
  return running_ == 0 && !failed_;
}

void Change::Stop() { clients_->closing.Close(); }

// The shard is deleted when the new owner has it, and not before.
bool Change::Run(const Move& move) {
  if (!Copy(move)) return false;
  if (move.from == nullptr) return true;
  return Ask(move.from, kDelete, {{num_, move.shard}}).has_value();
}

// In parts. That the shard is deleted already means that the new owner has had
// all of it, from another controller.
bool Change::Copy(const Move& move) {
  uint64_t offset = 0;
  FreezeReply part{.err = Err::kOk};
  do {
    if (move.from != nullptr) {
      auto reply =
          Ask(move.from, kFreeze, FreezeArgs{{num_, move.shard}, offset});
      if (!reply.has_value()) return false;
      if (reply->total == 0) return true;
      part = *std::move(reply);
    }
    const size_t size = part.bytes.size();
    if (move.to == nullptr) return true;
    const auto reply =
        Ask(move.to, kInstall,
            InstallArgs{
                {num_, move.shard}, offset, part.total, std::move(part.bytes)});
    if (!reply.has_value()) return false;
    offset += size;
  } while (offset < part.total);
  return true;
}

// Nothing if a group refuses: a later change has begun, so this one is over.
// And nothing once the clients are closed.
template <typename Args, typename Reply>
std::optional<Reply> Change::Ask(rsm::GroupClient* group,
                                 const rpc::Method<Args, Reply>& method,
                                 const Args& args) {
  do {
    bool ignored = false;
    std::optional<Reply> reply = group->AskOnce(method, args, &ignored);
    if (reply.has_value() && reply->err != Err::kOk) return std::nullopt;
    if (reply.has_value()) return reply;
  } while (clients_->closing.Pause(kPause));
  return std::nullopt;
}

}  // namespace shardkv1
