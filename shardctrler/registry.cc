#include "shardctrler/registry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rpc/codec.h"

namespace shardctrler {

using base::MutexLock;

Config Configs::Latest() const {
  MutexLock lock(&mu_);
  return configs_.back();
}

std::optional<Config> Configs::Find(int64_t num) const {
  MutexLock lock(&mu_);
  if (num < 0 || num > configs_.back().num) return std::nullopt;
  return configs_[static_cast<size_t>(num)];
}

void Configs::Await(int64_t num, rpc::Responder<Reply> respond) {
  {
    MutexLock lock(&mu_);
    if (closed_) return;
    waiting_.emplace(std::max<int64_t>(num, 0), std::move(respond));
  }
  AnswerWaiting();
}

// A call fails when its responder is destroyed: that is left until the lock is
// free.
void Configs::Close() {
  Waiting failed;
  MutexLock lock(&mu_);
  closed_ = true;
  failed.swap(waiting_);
}

void Configs::AnswerWaiting() {
  std::vector<std::pair<rpc::Responder<Reply>, Config>> known;
  {
    MutexLock lock(&mu_);
    while (!waiting_.empty() &&
           waiting_.begin()->first <= configs_.back().num) {
      auto first = waiting_.extract(waiting_.begin());
      known.emplace_back(std::move(first.mapped()),
                         configs_[static_cast<size_t>(first.key())]);
    }
  }
  for (auto& [respond, config] : known) {
    std::move(respond).Send({.err = Err::kOk, .config = std::move(config)});
  }
}

void Configs::TellOfNew() {
  if (on_new_ != nullptr) on_new_(Latest());
  AnswerWaiting();
}

void Configs::Add(Config config) {
  {
    MutexLock lock(&mu_);
    configs_.push_back(std::move(config));
  }
  TellOfNew();
}

std::vector<Config> Configs::All() const {
  MutexLock lock(&mu_);
  return configs_;
}

void Configs::Replace(std::vector<Config> configs) {
  {
    MutexLock lock(&mu_);
    configs_ = std::move(configs);
  }
  TellOfNew();
}

std::string Registry::Apply(std::string_view command) {
  const absl::StatusOr<Command> decoded = rpc::Decode<Command>(command);
  if (!decoded.ok()) {
    return rpc::Encode(Reply{.err = Err::kRefused, .why = "no command"});
  }
  return rpc::Encode(std::visit(
      [this](const auto& args) { return Execute(args); }, decoded->call));
}

Reply Registry::Execute(const QueryArgs& args) const {
  std::optional<Config> config = configs_->Find(args.num);
  return {
      .err = Err::kOk,
      .config = config.has_value() ? *std::move(config) : configs_->Latest()};
}

Reply Registry::Execute(const JoinArgs& args) {
  return Follow(Join(configs_->Latest(), args.groups));
}

Reply Registry::Execute(const LeaveArgs& args) {
  return Follow(Leave(configs_->Latest(), args.gids));
}

Reply Registry::Execute(const MoveArgs& args) {
  return Follow(Move(configs_->Latest(), args.shard, args.gid));
}

Reply Registry::Follow(absl::StatusOr<Config> next) {
  if (!next.ok()) {
    return {.err = Err::kRefused, .why = std::string(next.status().message())};
  }
  if (next->num > configs_->Latest().num) configs_->Add(*std::move(next));
  return {.err = Err::kOk};
}

base::Rope Registry::Snapshot() { return rpc::Encode(configs_->All()); }

absl::Status Registry::Restore(const base::Rope& snapshot) {
  auto configs = rpc::Decode<std::vector<Config>>(snapshot.ToString());
  if (!configs.ok()) return configs.status();
  for (size_t i = 0; i < configs->size(); ++i) {
    if ((*configs)[i].num != static_cast<int64_t>(i)) {
      return absl::DataLossError(absl::StrCat("malformed: config ", i));
    }
  }
  if (configs->empty()) return absl::DataLossError("malformed: no config 0");
  configs_->Replace(*std::move(configs));
  return absl::OkStatus();
}

}  // namespace shardctrler
