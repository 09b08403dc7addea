#include "shardkv1/controller.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "shardkv1/change.h"

namespace shardkv1 {
namespace {

using Stored = ConfigStore::Stored;

// How long a change may take until this controller looks whether another one
// has finished it.
constexpr std::chrono::milliseconds kPatience(100);

absl::Status Lost(const Config& config) {
  return absl::AbortedError(
      absl::StrCat("another change than to ", ToString(config), " was made"));
}

}  // namespace

Controller::Controller(std::vector<std::shared_ptr<rpc::ClientEnd>> store,
                       MakeEnd make_end)
    : store_(std::move(store)), clients_(std::move(make_end)) {}

absl::Status Controller::InitConfig(const Config& config) {
  for (const char* key : {ConfigStore::kNext, ConfigStore::kCurrent}) {
    const absl::StatusOr<bool> posted = store_.Put(key, config, /*version=*/0);
    if (!posted.ok()) return posted.status();
    if (!*posted) return absl::AlreadyExistsError("there is a configuration");
  }
  return absl::OkStatus();
}

// The next one first: a current one that is read later and precedes it is the
// one from which the change is being made.
absl::StatusOr<Controller::Posted> Controller::Read() {
  absl::StatusOr<Stored> next = store_.Get(ConfigStore::kNext);
  if (!next.ok()) return next.status();
  absl::StatusOr<Stored> current = store_.Get(ConfigStore::kCurrent);
  if (!current.ok()) return current.status();
  return Posted{*std::move(next), *std::move(current)};
}

absl::Status Controller::InitController() {
  const absl::StatusOr<Posted> posted = Read();
  if (!posted.ok()) return posted.status();
  const auto& [next, current] = *posted;
  if (next.config.num <= current.config.num) return absl::OkStatus();
  return Carry(current, next.config);
}

absl::StatusOr<Config> Controller::Query() {
  absl::StatusOr<Stored> current = store_.Get(ConfigStore::kCurrent);
  if (!current.ok()) return current.status();
  return std::move(current->config);
}

absl::Status Controller::ChangeConfigTo(const Config& config) {
  const absl::StatusOr<Posted> posted = Read();
  if (!posted.ok()) return posted.status();
  const auto& [next, current] = *posted;
  const bool is_at_rest = next.config.num == current.config.num;
  if (!is_at_rest || config.num != current.config.num + 1) return Lost(config);
  const absl::StatusOr<bool> is_won =
      store_.Put(ConfigStore::kNext, config, next.version);
  if (!is_won.ok()) return is_won.status();
  return *is_won ? Carry(current, config) : Lost(config);
}

// The change to `next` has been posted. Whether this controller posts its end
// too, or another one has, does not matter.
absl::Status Controller::Carry(const Stored& current, const Config& next) {
  Change change(current.config, next, clients_.Get());
  while (!change.Await(kPatience)) {
    const absl::StatusOr<Stored> now = store_.Get(ConfigStore::kCurrent);
    const bool is_over = !now.ok() || now->config.num >= next.num;
    if (!is_over) continue;
    change.Stop();
    return now.status();
  }
  if (!change.HasSucceeded()) {
    const absl::StatusOr<Config> now = Query();
    if (!now.ok()) return now.status();
    return now->num >= next.num ? absl::OkStatus() : Lost(next);
  }
  return store_.Put(ConfigStore::kCurrent, next, current.version).status();
}

void Controller::Close() {
  clients_.Close();
  store_.Close();
}

}  // namespace shardkv1
