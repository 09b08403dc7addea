#include "tests/isolation/hosted.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rpc/codec.h"

namespace isolation {

// ------------------------------------------------------------------- PeerEnd

void PeerEnd::CallFrameAsync(std::string_view method, rpc::Frame args,
                             DoneBytes done) {
  base::MutexLock lock(&mu_);
  if (is_closed_) return;
  pending_[++calls_] = std::move(done);
  wire_->Send({.kind = Kind::kCall,
               .call = calls_,
               .instance = instance_,
               .number = peer_,
               .name = std::string(method),
               .bytes = std::move(args).ToString()});
}

std::optional<std::string> PeerEnd::CallFrame(std::string_view method,
                                              rpc::Frame args) {
  // Shared with the callback, which may come after Close().
  struct Outcome {
    bool is_there = false;
    std::optional<std::string> bytes;
  };
  const auto outcome = std::make_shared<Outcome>();
  CallFrameAsync(method, std::move(args),
                 [this, outcome](std::optional<std::string> bytes) {
                   base::MutexLock lock(&mu_);
                   *outcome = {true, std::move(bytes)};
                   changed_.SignalAll();
                 });
  base::MutexLock lock(&mu_);
  while (!outcome->is_there && !is_closed_) changed_.Wait(&mu_);
  return outcome->bytes;
}

void PeerEnd::OnAnswer(const Message& answer) {
  DoneBytes done;
  {
    base::MutexLock lock(&mu_);
    const auto found = pending_.find(answer.call);
    if (found == pending_.end()) return;
    done = std::move(found->second);
    pending_.erase(found);
    ++running_;
  }
  done(answer.number == 0 ? std::nullopt : std::optional(answer.bytes));
  done = nullptr;
  base::MutexLock lock(&mu_);
  --running_;
  changed_.SignalAll();
}

void PeerEnd::Close() {
  std::map<uint64_t, DoneBytes> dropped;
  {
    base::MutexLock lock(&mu_);
    is_closed_ = true;
    dropped.swap(pending_);
    changed_.SignalAll();
    while (running_ > 0) changed_.Wait(&mu_);
  }
}

// -------------------------------------------------------------------- Hosted

namespace {

// Sends each save to the tests, which keep it, and remembers the last.
class Disk : public persister::Persister {
 public:
  Disk(Wire* wire, uint64_t instance, const MakeArgs& args)
      : wire_(wire),
        instance_(instance),
        raft_state_(args.raft_state),
        snapshot_(args.snapshot) {}

  void Save(base::Rope raft_state, base::Rope snapshot) override EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    snapshot_ = std::move(snapshot);
    SaveLocked(raft_state.ToString(), /*has_snapshot=*/true);
  }
  void SaveRaftState(base::Rope raft_state) override EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    SaveLocked(raft_state.ToString(), /*has_snapshot=*/false);
  }
  base::Rope ReadRaftState() const override EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    return raft_state_;
  }
  base::Rope ReadSnapshot() const override EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    return snapshot_;
  }

 private:
  // It is in the tests' hands before what follows on the wire.
  void SaveLocked(std::string raft_state, bool has_snapshot) REQUIRES(mu_) {
    const auto kept = std::mismatch(raft_state.begin(), raft_state.end(),
                                    raft_state_.begin(), raft_state_.end())
                          .first -
                      raft_state.begin();
    const SaveArgs args = {
        .kept = static_cast<uint64_t>(kept),
        .added = raft_state.substr(static_cast<size_t>(kept)),
        .has_snapshot = has_snapshot,
        .snapshot = has_snapshot ? snapshot_.ToString() : ""};
    raft_state_ = std::move(raft_state);
    wire_->Send({.kind = Kind::kSave,
                 .instance = instance_,
                 .bytes = rpc::Encode(args)});
  }

  Wire* const wire_;
  const uint64_t instance_;
  mutable base::Mutex mu_;
  std::string raft_state_ ABSL_GUARDED_BY(mu_);
  base::Rope snapshot_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

Hosted::Hosted(Wire* wire, uint64_t instance, int32_t peers)
    : wire_(wire), instance_(instance) {
  for (int32_t peer = 0; peer < peers; ++peer) {
    peers_.push_back(std::make_shared<PeerEnd>(wire, instance, peer));
  }
}

void Hosted::OnAnswer(const Message& answer) {
  int32_t peer = -1;
  std::from_chars(answer.name.data(), answer.name.data() + answer.name.size(),
                  peer);
  std::shared_ptr<PeerEnd> end;
  {
    base::MutexLock lock(&mu_);
    end = peers_.at(static_cast<size_t>(peer));
  }
  end->OnAnswer(answer);
}

std::vector<std::shared_ptr<rpc::ClientEnd>> Hosted::Peers() const {
  base::MutexLock lock(&mu_);
  return {peers_.begin(), peers_.end()};
}

std::shared_ptr<rpc::ClientEnd> Hosted::MakeEnd(const std::string& server) {
  base::MutexLock lock(&mu_);
  const auto peer = static_cast<int32_t>(peers_.size());
  peers_.push_back(std::make_shared<PeerEnd>(wire_, instance_, peer));
  wire_->Send({.kind = Kind::kEnd,
               .instance = instance_,
               .number = peer,
               .name = server});
  return peers_.back();
}

std::shared_ptr<persister::Persister> Hosted::MakeDisk(
    const MakeArgs& args) const {
  return std::make_shared<Disk>(wire_, instance_, args);
}

void Hosted::Offer(const std::vector<rpc::Service>& services) {
  base::MutexLock lock(&mu_);
  for (const rpc::Service& service : services) {
    for (const auto& [method, handler] : service.handlers()) {
      handlers_[absl::StrCat(service.name(), ".", method)] = handler;
    }
  }
}

std::string Hosted::Methods() const {
  base::MutexLock lock(&mu_);
  std::string methods;
  for (const auto& [method, handler] : handlers_) {
    absl::StrAppend(&methods, method, "\n");
  }
  return methods;
}

void Hosted::Handle(const Message& call, rpc::RespondBytes respond) {
  rpc::Service::Handler handler;
  {
    base::MutexLock lock(&mu_);
    const auto found = handlers_.find(call.name);
    if (found == handlers_.end()) return std::move(respond)(std::nullopt);
    handler = found->second;
  }
  absl::StatusOr<std::optional<std::string>> reply =
      handler(call.bytes, [&respond] { return std::move(respond); });
  if (!reply.ok()) return std::move(respond)(std::nullopt);
  if (reply->has_value()) std::move(respond)(*std::move(reply));
}

}  // namespace isolation
