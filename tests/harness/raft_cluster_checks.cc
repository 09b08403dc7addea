// What a test may ask of a cluster. Numbers and messages are the course's.

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/harness/raft_cluster.h"
#include "tests/harness/report.h"

namespace harness {
namespace {

using std::chrono::milliseconds;

constexpr int kLeaderRounds = 10;
constexpr milliseconds kAgreeLimit(10'000);  // for one Agree()
constexpr milliseconds kCommitLimit(2'000);  // for a leader that took a command
constexpr milliseconds kCommitPoll(20);
constexpr milliseconds kNoLeaderPause(50);

}  // namespace

raft::ServerId RaftCluster::CheckOneLeader(Place place) {
  const Step step(observers_, "CheckOneLeader", "", place);
  for (int round = 0; round < kLeaderRounds; ++round) {
    Sleep(milliseconds(450 + random_.Below(100)));

    std::map<raft::Term, std::vector<raft::ServerId>> leaders;
    CheckError(place);
    for (const Member& member : Connected()) {
      const raft::State state = StateOf(member);
      if (state.is_leader) leaders[state.term].push_back(member.server);
    }
    for (const auto& [term, servers] : leaders) {
      if (servers.size() > 1) {
        Fail(Kind::kSafety,
             absl::StrCat("term ", term, " has ", servers.size(),
                          " (>1) leaders"),
             place);
      }
    }
    // An old leader that has just come back may still claim a lower term.
    if (!leaders.empty()) return leaders.rbegin()->second.front();
  }
  Fail(Kind::kLiveness, "expected one leader, got none", place);
}

raft::Term RaftCluster::CheckTerms(Place place) {
  const Step step(observers_, "CheckTerms", "", place);
  CheckError(place);
  std::optional<raft::Term> common;
  for (const Member& member : Connected()) {
    const raft::Term term = StateOf(member).term;
    if (term != common.value_or(term)) {
      Fail(Kind::kLiveness, "servers disagree on term", place);
    }
    common = term;
  }
  return common.value_or(0);
}

void RaftCluster::CheckNoLeader(Place place) {
  const Step step(observers_, "CheckNoLeader", "", place);
  CheckError(place);
  for (const Member& member : Connected()) {
    if (StateOf(member).is_leader) {
      Fail(Kind::kSafety,
           absl::StrCat("expected no leader, but ", member.server,
                        " claims to be leader"),
           place);
    }
  }
}

Applied RaftCluster::CommittedAt(raft::Index index, Place place) {
  CheckError(place);
  base::MutexLock lock(&mu_);
  return log_.At(index);
}

// A reader or an observer has found an error; the first one tells most.
void RaftCluster::FoundError(Failure error) {
  base::MutexLock lock(&mu_);
  std::optional<Failure>& found =
      error.kind == Kind::kEconomy ? expense_ : error_;
  if (!found.has_value()) found = std::move(error);
}

// What cost too much, once; it ends nothing.
void RaftCluster::ReportExpense(Place place) {
  std::optional<Failure> expense;
  {
    base::MutexLock lock(&mu_);
    expense.swap(expense_);
  }
  if (expense.has_value()) ReportFailure(*expense, place);
}

// The first check that meets an error reports it; it ends every thread that
// meets it.
void RaftCluster::CheckError(Place place) {
  std::optional<Failure> error;
  bool reported = false;
  {
    base::MutexLock lock(&mu_);
    error = error_;
    reported = std::exchange(error_reported_, error.has_value());
  }
  if (!error.has_value()) return;
  if (reported) EndFailedTest();
  Fail(*error, place);
}

std::optional<Command> RaftCluster::Wait(raft::Index index, int servers,
                                         std::optional<raft::Term> start_term,
                                         Place place) {
  const Step step(observers_, "Wait",
                  absl::StrCat("index ", index, " on ", servers, " servers"),
                  place);
  milliseconds pause = kFirstPause;
  for (int i = 0; i < kMostPauses; ++i) {
    if (CommittedAt(index, place).servers >= servers) break;
    Sleep(pause);
    pause = NextPause(pause);
    if (start_term.has_value() && AnyTermAbove(*start_term)) {
      return std::nullopt;
    }
  }
  Applied applied = CommittedAt(index, place);
  if (applied.servers < servers) {
    Fail(Kind::kLiveness,
         absl::StrCat("only ", applied.servers, " decided for index ", index,
                      "; wanted ", servers),
         place);
  }
  return std::move(applied.command);
}

bool RaftCluster::AnyTermAbove(raft::Term term) {
  for (raft::ServerId i = 0; i < servers_; ++i) {
    if (GetState(i).term > term) return true;
  }
  return false;
}

raft::Index RaftCluster::Agree(const Command& command, int servers, Retry retry,
                               Place place) {
  const Step step(observers_, "Agree",
                  absl::StrCat(ToString(command), " on ", servers, " servers"),
                  place);
  const Clock::time_point deadline =
      Clock::now() + Hurried(Clock::duration(kAgreeLimit));
  int position = 0;
  while (Clock::now() < deadline && !Finished()) {
    const std::optional<raft::Index> index = Submit(command, &position);
    if (!index.has_value()) {
      Sleep(kNoLeaderPause);
      continue;
    }
    if (AwaitAgreement(*index, command, servers, place)) return *index;
    if (retry == Retry::kNo) break;
  }
  if (Finished()) return 0;
  Fail(Kind::kLiveness,
       absl::StrCat("one(", ToString(command), ") failed to reach agreement"),
       place);
}

// Asks each connected server once, from the one after `*position` on, and
// leaves there the last one asked. Returns the index that a leader gave.
std::optional<raft::Index> RaftCluster::Submit(const Command& command,
                                               int* position) {
  for (int i = 0; i < servers_; ++i) {
    *position = Next(*position);
    if (!IsConnected(*position)) continue;
    const raft::StartResult result = Start(*position, command);
    if (result.is_leader) return result.index;
  }
  return std::nullopt;
}

// Another command at that index is no error: a newer leader has overwritten
// ours, and Agree() may submit it again.
bool RaftCluster::AwaitAgreement(raft::Index index, const Command& command,
                                 int servers, Place place) {
  const Clock::time_point deadline =
      Clock::now() + Hurried(Clock::duration(kCommitLimit));
  while (Clock::now() < deadline && !Finished()) {
    const Applied applied = CommittedAt(index, place);
    if (applied.servers > 0 && applied.servers >= servers &&
        applied.command == command) {
      return true;
    }
    Sleep(kCommitPoll);
  }
  return false;
}

}  // namespace harness
