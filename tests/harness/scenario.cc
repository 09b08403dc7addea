#include "tests/harness/scenario.h"

#include <map>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace harness {
namespace {

using raft::Index;
using raft::ServerId;
using raft::Term;

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook(5);

// The course gives a cluster as long to commit.
constexpr std::chrono::seconds kControlLimit(10);
constexpr std::chrono::milliseconds kControlPause(500);
constexpr int64_t kControlCommand = 9999;

RaftClusterOptions WithTap(RaftClusterOptions options, labrpc::Tap tap) {
  options.tap = std::move(tap);
  return options;
}

}  // namespace

Scenario::Scenario(int servers, std::string_view title,
                   RaftClusterOptions options, Place place)
    : cluster(servers, WithTap(std::move(options), tap.Handler()), place) {
  tap.SetBlame([this] { return FindBlame(); });
  cluster.Begin(title);
}

void Scenario::WaitUntil(const std::string& what,
                         const std::function<bool()>& is_so, Place place) {
  if (!ComesTrue(what, is_so, place)) FailInVain(what, FindBlame(), place);
}

void Scenario::Expect(bool is_so, const std::string& what, Place place) {
  if (!is_so) Fail(Kind::kHarness, absl::StrCat("expected ", what), place);
}

void Scenario::Require(const std::string& what, const std::string& rule,
                       const std::function<bool()>& is_so, Place place) {
  if (ComesTrue(what, is_so, place)) return;
  FailInVain(what, {Kind::kLiveness, rule}, place);
}

bool Scenario::ComesTrue(const std::string& what,
                         const std::function<bool()>& is_so, Place place) {
  const Step step(cluster.observers(), "WaitUntil", what, place);
  const auto deadline = Clock::now() + kScenarioLimit;
  while (!is_so()) {
    cluster.CommittedAt(/*index=*/1, place);  // fails if an error was found
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

// The Raft's fault is what it does not do when it is left alone either.
Blame Scenario::FindBlame() {
  Heal();
  if (CommitsUndisturbed()) {
    return {Kind::kHarness,
            "left alone the cluster commits, so this Raft may be right; the "
            "scenario could not be set up"};
  }
  return {Kind::kLiveness, absl::StrCat("left alone the cluster commits "
                                        "nothing within ",
                                        kControlLimit.count(), " s either")};
}

bool Scenario::CommitsUndisturbed() {
  const Command command = kControlCommand;
  const auto deadline = Clock::now() + kControlLimit;
  std::set<Index> taken;
  while (Clock::now() < deadline) {
    for (ServerId server = 0; server < cluster.size(); ++server) {
      const raft::StartResult result = cluster.Start(server, command);
      if (result.is_leader) taken.insert(result.index);
    }
    std::this_thread::sleep_for(kControlPause);
    for (const Index index : taken) {
      const Applied applied = cluster.CommittedAt(index);
      if (applied.servers == cluster.size() && applied.command == command) {
        return true;
      }
    }
  }
  return false;
}

Term Scenario::Elect(ServerId server, Place place) {
  std::vector<ServerId> followers;
  for (ServerId other = 0; other < cluster.size(); ++other) {
    if (other != server && cluster.IsConnected(other)) {
      followers.push_back(other);
    }
  }
  return Elect(server, followers, place);
}

Term Scenario::Elect(ServerId server, const std::vector<ServerId>& followers,
                     Place place) {
  std::vector<ServerId> all = followers;
  all.push_back(server);
  // A leader that all follow keeps the others quiet; only `server` does not
  // hear it, and so starts an election, in a term that is new to all.
  const bool has_leader = HasLeader(all);
  const Match beats = AppendEntries().NotFrom(server);
  // Without one every server starts elections, of which no other hears.
  const Match asks = RequestVotes().From(server).ToOneOf(followers);
  const int rules[] = {tap.Drop(has_leader ? beats.To(server) : beats),
                       tap.Drop(RequestVotes().NotFrom(server)),
                       tap.Hold(asks)};
  const size_t begin = tap.Now();
  std::map<size_t, Term> terms;
  const std::string what = absl::StrCat("S", server, " to lead");
  const bool leads = ComesTrue(
      what,
      [&] {
        ReleaseRequestVotes(asks, &terms);
        return IsFollowed(server, followers, begin);
      },
      place);
  if (!leads) {
    const std::string fault = ElectionFault(server, begin);
    FailInVain(what,
               fault.empty() ? FindBlame() : Blame{Kind::kLiveness, fault},
               place);
  }
  for (const int rule : rules) tap.Forget(rule);
  tap.ReleaseAll(&cluster, asks);
  return cluster.GetState(server).term;
}

// Releases a candidate's request at once if its term is new to the receiver,
// and else when the receiver has begun a newer one. So the candidate learns of
// each new term, by a refusal, which does not put off its next election; and
// that one is in a term new to all. `terms` has the receiver's term when the
// request came, by the request's number.
void Scenario::ReleaseRequestVotes(const Match& asks,
                                   std::map<size_t, Term>* terms) {
  for (const TapMessage& request : tap.Held(asks)) {
    const Term now = cluster.GetState(request.to()).term;
    const Term then = terms->try_emplace(request.number, now).first->second;
    if (now < request.RequestTerm() || now > then) {
      tap.Release(&cluster, request);
    }
  }
}

// Says whether one of `servers` leads a term which they are all in.
bool Scenario::HasLeader(const std::vector<ServerId>& servers) {
  bool has_leader = false;
  std::set<Term> terms;
  for (const ServerId server : servers) {
    const raft::State state = cluster.GetState(server);
    has_leader |= state.is_leader;
    terms.insert(state.term);
  }
  return has_leader && terms.size() == 1;
}

// Says whether `leader` leads and all `followers` have answered it in its term
// since `begin`.
bool Scenario::IsFollowed(ServerId leader,
                          const std::vector<ServerId>& followers,
                          size_t begin) {
  const raft::State state = cluster.GetState(leader);
  if (!state.is_leader) return false;
  std::set<ServerId> missing(followers.begin(), followers.end());
  for (const TapMessage& reply : tap.Seen(
           AppendEntriesReplies().To(leader).InTerm(state.term).After(begin))) {
    if (reply.ReplyTerm() == state.term) missing.erase(reply.from());
  }
  return missing.empty();
}

// What `server` has not done since `begin` though the paper asks it; empty if
// there is nothing. No other server was heard by it, and none stood.
std::string Scenario::ElectionFault(ServerId server, size_t begin) {
  const std::string name = absl::StrCat("S", server);
  const raft::State state = cluster.GetState(server);
  if (state.is_leader) {
    return absl::StrCat(name, " leads term ", state.term,
                        ", but not all others have answered it there (5.1)");
  }
  std::map<Term, std::set<ServerId>> votes;
  for (const TapMessage& request :
       tap.Seen(RequestVotes().From(server).After(begin))) {
    votes[request.RequestTerm()].insert(server);
  }
  if (votes.empty()) {
    return absl::StrCat(name,
                        " starts no election, though it hears no leader (5.2)");
  }
  for (const TapMessage& vote :
       tap.Seen(RequestVoteReplies().To(server).Agreeing().After(begin))) {
    votes[vote.RequestTerm()].insert(vote.from());
  }
  for (const auto& [term, voters] : votes) {
    if (voters.size() <= static_cast<size_t>(cluster.size()) / 2) continue;
    if (tap.Count(AppendEntries().From(server).InTerm(term)) > 0) continue;
    return absl::StrCat(name, " has ", voters.size(), " votes in term ", term,
                        " with its own, and does not lead it (5.2)");
  }
  return "";
}

ServerId Scenario::AwaitLeader(Term above, Place place) {
  ServerId leader = raft::kNobody;
  const auto one_leads = [&] {
    Term newest = above;
    for (ServerId server = 0; server < cluster.size(); ++server) {
      if (!cluster.IsConnected(server)) continue;
      const raft::State state = cluster.GetState(server);
      if (!state.is_leader || state.term <= newest) continue;
      leader = server;
      newest = state.term;
    }
    return leader != raft::kNobody;
  };
  Require(absl::StrCat("a server to lead a term above ", above),
          "a majority is connected (5.2)", one_leads, place);
  return leader;
}

Index Scenario::Submit(ServerId leader, const Command& command, Place place) {
  const raft::StartResult result = cluster.Start(leader, command);
  if (!result.is_leader) {
    const Blame blame = FindBlame();
    Fail(blame.kind,
         absl::StrCat("scenario: S", leader, " does not lead any more, and is ",
                      "in term ", result.term, "; ", blame.why),
         place);
  }
  takers_[result.index] = {leader, result.term};
  return result.index;
}

void Scenario::AwaitApplied(Index index, const Command& command, int servers,
                            Place place) {
  const std::string what =
      absl::StrCat(servers, " servers to apply index ", index);
  const bool is_applied = ComesTrue(
      what,
      [&] { return cluster.CommittedAt(index, place).servers >= servers; },
      place);
  if (!is_applied) {
    const auto [leader, term] = takers_[index];
    const raft::State state = cluster.GetState(leader);
    if (state.is_leader && state.term == term) {
      FailInVain(what,
                 {Kind::kLiveness,
                  absl::StrCat("S", leader, ", which took it ", "in term ",
                               term, ", still leads (5.3)")},
                 place);
    }
    FailInVain(what, FindBlame(), place);
  }
  const Command applied = cluster.CommittedAt(index, place).command;
  if (applied != command) {
    Fail(Kind::kSafety,
         absl::StrCat("index ", index, " is ", ToString(applied),
                      ", but should be ", ToString(command),
                      ", which was committed there (5.4)"),
         place);
  }
}

void Scenario::CheckNotApplied(Index index, Place place) {
  const Applied applied = cluster.CommittedAt(index, place);
  if (applied.servers == 0) return;
  Fail(Kind::kSafety,
       absl::StrCat("index ", index, " was applied, by ", applied.servers,
                    " servers, though a leader may yet overwrite it: no entry ",
                    "of its leader's own term is on a majority (5.4.2)"),
       place);
}

void Scenario::AwaitTwoHeartbeats(ServerId leader, ServerId follower,
                                  Place place) {
  const auto now = std::chrono::steady_clock::now();
  tap.Await(AppendEntriesReplies().From(follower).To(leader).Where(
                "begun from now on",
                [now](const TapMessage& reply) { return reply.sent > now; }),
            /*count=*/2, place);
}

TapMessage Scenario::Answer(const TapMessage& request, Place place) {
  tap.Release(&cluster, request);
  return tap.Require(AnyMessage().Where("that answers what was released",
                                        [&request](const TapMessage& message) {
                                          return message.is_reply &&
                                                 message.call == request.call;
                                        }),
                     absl::StrCat("S", request.to(), " is up and was asked"),
                     place);
}

void Scenario::Heal() {
  tap.ForgetAll();
  for (ServerId server = 0; server < cluster.size(); ++server) {
    cluster.PauseService(server, false);
    if (!cluster.IsUp(server)) cluster.StartServer(server);
    if (!cluster.IsConnected(server)) cluster.Connect(server);
  }
  tap.ReleaseAll(&cluster, AnyMessage());
}

}  // namespace harness
