#include "examples/demo/client.h"

#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/logging.h"
#include "examples/demo/sentences.h"

namespace tests {
namespace {

using raft::Clock;

constexpr std::chrono::seconds kPatience{20};  // with one command
constexpr std::chrono::seconds kRetryAfter{3};
constexpr std::chrono::milliseconds kAskAgainAfter{20};

bool Never(const ClusterView&) { return false; }

bool AllInReachApplied(const ClusterView& view, raft::Index index) {
  for (const ServerView& server : view) {
    if (server.link == Link::kUp && server.applied < index) return false;
  }
  return true;
}

}  // namespace

bool Client::CommitNext() {
  const std::string command = absl::StrCat("x=", committed_.size() + 1);
  const Clock::time_point give_up = Clock::now() + kPatience;
  while (!watcher_->MustEnd() && Clock::now() < give_up) {
    const Clock::time_point sent = Clock::now();
    const raft::StartResult taken = Submit(command);
    if (!taken.is_leader) {
      watcher_->Await(kAskAgainAfter, Never);
    } else if (WasApplied(command, taken)) {
      Note(command, taken, sent);
      return true;
    } else if (!watcher_->MustEnd()) {
      journal_->Add(absl::StrCat(command, " came to nothing as entry ",
                                 taken.index, " of term ", taken.term,
                                 "; the client tries again"));
    }
  }
  if (!watcher_->MustEnd()) {
    journal_->Fail(absl::StrCat("no majority committed ", command, " in 20 s"));
  }
  return false;
}

raft::StartResult Client::Submit(const std::string& command) {
  const ClusterView view = cluster_->View();
  for (size_t i = 0; i < view.size(); ++i) {
    const size_t server = (static_cast<size_t>(leader_) + i) % view.size();
    if (view[server].link != Link::kUp) continue;
    const auto id = static_cast<raft::ServerId>(server);
    const raft::StartResult result = cluster_->Submit(id, command);
    if (!result.is_leader) continue;
    leader_ = id;
    return result;
  }
  return {};
}

bool Client::WasApplied(const std::string& command,
                        const raft::StartResult& taken) {
  const auto settled = [this, &taken](const ClusterView& view) {
    const auto entry = cluster_->applied().At(taken.index);
    if (!entry.has_value()) return false;
    return entry->term != taken.term || AllInReachApplied(view, taken.index);
  };
  watcher_->Await(kRetryAfter, settled);
  const auto entry = cluster_->applied().At(taken.index);
  if (!entry.has_value() || entry->term != taken.term) return false;
  // One leader per term, and a leader never replaces its own entry.
  if (entry->command != command) {
    journal_->Fail(absl::StrCat("entry ", taken.index, " of term ", taken.term,
                                " should be ", command, ", not ",
                                entry->command));
  }
  return entry->command == command;
}

void Client::Note(const std::string& command, const raft::StartResult& taken,
                  Clock::time_point sent) {
  const auto entry = cluster_->applied().At(taken.index);
  CHECK(entry.has_value());
  const Committed done{command, taken.index, taken.term,
                       entry->first_applied - sent};
  const ClusterView view = cluster_->View();
  std::set<raft::ServerId> appliers;
  for (size_t i = 0; i < view.size(); ++i) {
    const bool runs = view[i].link != Link::kCrashed;
    if (runs && view[i].applied >= taken.index) {
      appliers.insert(static_cast<raft::ServerId>(i));
    }
  }
  journal_->Add(absl::StrFormat("%s committed in %.1f ms: entry %d, applied %s",
                                command, done.latency.count(), taken.index,
                                "by " + Names(appliers)));
  committed_.push_back(done);
}

}  // namespace tests
