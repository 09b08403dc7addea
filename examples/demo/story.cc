#include "examples/demo/story.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"
#include "examples/demo/sentences.h"

namespace tests {
namespace {

using raft::ServerId;

// Far more than any of it takes, also on a slow machine under a sanitizer.
constexpr std::chrono::seconds kLimit{20};

bool SameAs(const ServerView& a, const ServerView& b) {
  return a.log == b.log && a.applied == b.applied;
}

// All run, hold the same log, and have applied the whole of it.
bool AllAgree(const ClusterView& view) {
  return std::all_of(view.begin(), view.end(), [&](const ServerView& server) {
    return server.link == Link::kUp && SameAs(server, view.front()) &&
           server.applied == server.log.size();
  });
}

}  // namespace

bool Story::Tell() {
  return Elect() && Replicate() && CutOffLeader() && RejoinOldLeader() &&
         CrashFollower() && RestartIt() && CheckClaims();
}

bool Story::Elect() {
  const size_t servers = cluster_->View().size();
  for (size_t i = 0; i < servers; ++i) {
    cluster_->StartServer(static_cast<ServerId>(i));
  }
  journal_->BeginAct({1, "Five servers start; nobody leads",
                      "Who hears of no leader for a random time stands for "
                      "election;",
                      "the votes of a majority make it the leader."});
  journal_->Add("S0 to S4 are started, with empty logs");
  return Await("a leader is elected",
               [](const ClusterView& view) {
                 return LeaderOf(view) != std::nullopt;
               }) &&
         Pause(1.5);
}

bool Story::Replicate() {
  journal_->BeginAct({2, "A client sends commands to the leader",
                      "The leader sends each one to all others as an entry of "
                      "its log.",
                      "What a majority holds is committed, and all apply it."});
  return Commit(5) && Pause(1.2);
}

bool Story::CutOffLeader() {
  journal_->BeginAct({3, "The leader is cut off from all others",
                      "It goes on taking commands, which cannot commit: no "
                      "majority hears it.",
                      "The others elect a new leader, and go on without it."});
  if (!CutOffWhoLeads()) return false;
  while (doomed_.size() < 3) {
    if (!Pause(0.4) || !Doom()) return false;
  }
  return AwaitNewLeader() && Pause(0.8) && Commit(4) && Pause(1.8);
}

// An idle leader may lose its office at this very moment, if the machine is
// very slow; then it is the next one's turn.
bool Story::CutOffWhoLeads() {
  while (!watcher_->MustEnd()) {
    const auto has_leader = [](const ClusterView& view) {
      return LeaderOf(view).has_value();
    };
    if (!Await("a leader is elected", has_leader)) return false;
    const std::optional<ServerId> leader = LeaderOf(cluster_->View());
    if (!leader.has_value()) continue;
    old_leader_ = *leader;
    cluster_->CutOff(old_leader_);
    old_term_ = Look(old_leader_).term;
    journal_->Add(absl::StrCat(Name(old_leader_), " is cut off"));
    if (Look(old_leader_).role == raft::Role::kLeader) return true;
    cluster_->Rejoin(old_leader_);
    journal_->Add(absl::StrCat(Name(old_leader_),
                               " did not lead any more and is reconnected"));
  }
  return false;
}

bool Story::Doom() {
  const std::string command = absl::StrCat("y=", doomed_.size() + 1);
  const raft::StartResult taken = cluster_->Submit(old_leader_, command);
  if (!taken.is_leader || taken.term != old_term_) {
    journal_->Fail(absl::StrCat(Name(old_leader_),
                                " is cut off, but does not lead term ",
                                old_term_, " any more"));
    return false;
  }
  doomed_.push_back(command);
  journal_->Add(absl::StrCat(Name(old_leader_), ", cut off, takes ", command,
                             " as entry ", taken.index, " of term ",
                             taken.term));
  return true;
}

bool Story::AwaitNewLeader() {
  return Await("the others elect a new leader",
               [this](const ClusterView& view) {
                 const std::optional<ServerId> leader = LeaderOf(view);
                 return leader.has_value() &&
                        view[static_cast<size_t>(*leader)].term > old_term_;
               });
}

bool Story::RejoinOldLeader() {
  const std::string old_leader = Name(old_leader_);
  journal_->BeginAct(
      {4, "The old leader comes back",
       "It hears of the newer term and follows. Its entries that never "
       "committed",
       "are overwritten by those that did: its log is repaired."});
  if (!Pause(0.8)) return false;
  const std::vector<raft::Term> conflicting = Look(old_leader_).log;
  journal_->Add(old_leader + " is connected again");
  cluster_->Rejoin(old_leader_);
  const auto repaired = [this, &conflicting](const ClusterView& view) {
    const ServerView& old = view[static_cast<size_t>(old_leader_)];
    return AllAgree(view) && !Leads(old) && old.log != conflicting;
  };
  if (!Await("the old leader's log is repaired", repaired)) return false;
  journal_->Add(old_leader + "'s log is repaired: all five are the same");
  return Pause(2.2);
}

bool Story::CrashFollower() {
  const auto has_leader = [](const ClusterView& view) {
    return AllAgree(view) && LeaderOf(view).has_value();
  };
  if (!Await("there is a leader", has_leader)) return false;
  const ClusterView view = cluster_->View();
  const ServerId leader = LeaderOf(view).value_or(old_leader_);
  victim_ = (leader + 1) % static_cast<ServerId>(view.size());
  before_crash_ = Look(victim_);
  journal_->BeginAct({5, "A server crashes",
                      "All it had in memory is lost; what it saved on its disk "
                      "remains.",
                      "The others are still a majority, and go on."});
  cluster_->Crash(victim_);
  journal_->Add(absl::StrCat(Name(victim_), " crashes; its disk holds ",
                             Look(victim_).disk_bytes, " bytes"));
  return Pause(1.2) && Commit(3) && Pause(1.2);
}

bool Story::RestartIt() {
  journal_->BeginAct({6, "The crashed server restarts from its disk",
                      "It remembers term, vote and log, gets what it missed, "
                      "and applies",
                      "everything again from the first entry on."});
  const ServerView remembered = cluster_->StartServer(victim_);
  const std::string victim = Name(victim_);
  journal_->Add(absl::StrCat(victim, " restarts; it remembers term ",
                             remembered.term, " and ", remembered.log.size(),
                             " entries"));
  // All were committed, so nothing may differ.
  if (remembered.log != before_crash_.log ||
      remembered.term < before_crash_.term) {
    journal_->Fail(victim + " does not remember what it had before the crash");
    return false;
  }
  if (!Await(victim + " catches up", AllAgree)) return false;
  const size_t entries = Look(victim_).log.size();
  journal_->Add(absl::StrCat(victim, " has caught up: it got ",
                             entries - remembered.log.size(),
                             " entries, and applied all ", entries));
  return Pause(1.5) && Commit(3) && Pause(1.5);
}

bool Story::CheckClaims() {
  if (!Await("all five logs are the same, and applied", AllAgree)) return false;
  const std::vector<ApplyRecord::Entry> applied = cluster_->applied().All();
  for (const Client::Committed& done : client_.committed()) {
    const bool there = done.index <= applied.size() &&
                       applied[done.index - 1].command == done.command;
    if (!there) journal_->Fail(done.command + " was committed, and is lost");
  }
  for (const ApplyRecord::Entry& entry : applied) {
    const bool doomed =
        std::count(doomed_.begin(), doomed_.end(), entry.command) > 0;
    if (doomed) journal_->Fail(entry.command + " was applied without majority");
  }
  return !watcher_->MustEnd();
}

bool Story::Commit(int commands) {
  for (int i = 0; i < commands; ++i) {
    if (!client_.CommitNext() || !Pause(0.35)) return false;
  }
  return true;
}

bool Story::Await(const std::string& claim,
                  const std::function<bool(const ClusterView&)>& holds) {
  if (watcher_->Await(kLimit, holds)) return true;
  if (!watcher_->MustEnd()) {
    journal_->Fail(absl::StrCat("not within 20 s: ", claim));
  }
  return false;
}

bool Story::Pause(double seconds) {
  const auto never = [](const ClusterView&) { return false; };
  watcher_->Await(std::chrono::duration<double>(seconds / speed_), never);
  return !watcher_->MustEnd();
}

ServerView Story::Look(ServerId server) const {
  return cluster_->View()[static_cast<size_t>(server)];
}

}  // namespace tests
