#include "tests/harness/stage.h"

#include <algorithm>
#include <numeric>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tests {
namespace {

using Clock = std::chrono::steady_clock;
using raft::ServerId;
using std::chrono::milliseconds;

constexpr milliseconds kPoll(5);

bool Contains(const Stage::Servers& servers, ServerId server) {
  return std::find(servers.begin(), servers.end(), server) != servers.end();
}

}  // namespace

std::vector<Tap::Rule> Stage::RulesAmong(const Servers& servers) const {
  std::vector<Tap::Rule> rules = {
      {labrpc::Ruling::kDrop, [servers](const Message& m) {
         return !Contains(servers, m.from) || !Contains(servers, m.to);
       }}};
  if (held_throughout_) {
    rules.push_back({labrpc::Ruling::kHold, held_throughout_});
  }
  return rules;
}

void Stage::OnlyAmong(const Servers& servers) {
  tap.SetRules(RulesAmong(servers));
}

raft::Term Stage::ElectAmong(ServerId server, const Servers& servers,
                             Place place) {
  // The others' requests for votes pass, so that all stay near one term.
  std::vector<Tap::Rule> rules = RulesAmong(servers);
  rules.push_back({labrpc::Ruling::kDrop, [server](const Message& m) {
                     return (m.GrantsVote() && m.to != server) ||
                            (m.Appends() && m.from != server);
                   }});
  tap.SetRules(std::move(rules));
  raft::Term term = 0;
  const auto leads = [&] {
    const raft::State state = cluster.GetState(server);
    term = state.term;
    return state.is_leader &&
           std::all_of(servers.begin(), servers.end(), [&](ServerId other) {
             return cluster.GetState(other).term == term;
           });
  };
  Await(leads, "the leader that the scenario wants", place);
  tap.Drop(
      [server](const Message& m) { return !m.is_reply && m.from != server; });
  return term;
}

raft::Term Stage::Elect(ServerId server, Place place) {
  Servers all(static_cast<size_t>(cluster.size()));
  std::iota(all.begin(), all.end(), 0);
  return ElectAmong(server, all, place);
}

raft::Index Stage::Recover(const Command& command, Place place) {
  held_throughout_ = nullptr;
  tap.Reset();
  return cluster.Agree(command, cluster.size(), Retry::kYes, place);
}

raft::Index Stage::Start(ServerId server, const Command& command, Place place) {
  const raft::StartResult result = cluster.Start(server, command);
  if (!result.is_leader) {
    Fail(absl::StrCat("server ", server, " does not lead any more"), place);
  }
  return result.index;
}

void Stage::Await(const std::function<bool()>& holds, const char* what,
                  Place place, milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  while (!holds()) {
    if (Clock::now() > deadline) {
      Fail(absl::StrCat("missing after ", limit.count(), " ms: ", what), place);
    }
    std::this_thread::sleep_for(kPoll);
  }
}

void Stage::ExpectNotApplied(raft::Index index, Place place) {
  const Clock::time_point deadline = Clock::now() + milliseconds(500);
  while (Clock::now() < deadline) {
    const Applied applied = cluster.CommittedAt(index, place);
    if (applied.servers > 0) {
      Fail(absl::StrCat("index ", index, " is applied by ", applied.servers,
                        " servers, but must not count as committed"),
           place);
    }
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace tests
