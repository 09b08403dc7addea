#include "tests/harness/scenario.h"

#include <map>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"

namespace harness {
namespace {

using raft::Index;
using raft::ServerId;
using raft::Term;

constexpr std::chrono::milliseconds kLook(5);

}  // namespace

Scenario::Scenario(int servers, std::string_view title, Place place)
    : cluster(servers, {.tap = tap.Handler()}, place) {
  cluster.Begin(title);
}

void Scenario::WaitUntil(const std::string& what,
                         const std::function<bool()>& is_so, Place place) {
  const Step step(cluster.observers(), "WaitUntil", what, place);
  const auto deadline = std::chrono::steady_clock::now() + kScenarioLimit;
  while (!is_so()) {
    cluster.CommittedAt(/*index=*/1, place);  // fails if an error was found
    if (std::chrono::steady_clock::now() > deadline) {
      Fail(Kind::kLiveness,
           absl::StrCat("scenario: waited in vain until ", what), place);
    }
    std::this_thread::sleep_for(kLook);
  }
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
  WaitUntil(
      absl::StrCat("S", server, " leads"),
      [&] {
        ReleaseRequestVotes(asks, &terms);
        return IsFollowed(server, followers, begin);
      },
      place);
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
  WaitUntil(absl::StrCat("a server leads a term above ", above), one_leads,
            place);
  return leader;
}

Index Scenario::Submit(ServerId leader, const Command& command, Place place) {
  const raft::StartResult result = cluster.Start(leader, command);
  if (!result.is_leader) {
    Fail(Kind::kLiveness,
         absl::StrCat("scenario: S", leader, " does not lead any more"), place);
  }
  return result.index;
}

void Scenario::AwaitApplied(Index index, const Command& command, int servers,
                            Place place) {
  WaitUntil(
      absl::StrCat(servers, " servers have applied index ", index),
      [&] { return cluster.CommittedAt(index, place).servers >= servers; },
      place);
  const Command applied = cluster.CommittedAt(index, place).command;
  if (applied != command) {
    Fail(Kind::kSafety,
         absl::StrCat("index ", index, " is ", ToString(applied),
                      ", but should be ", ToString(command)),
         place);
  }
}

void Scenario::CheckNotApplied(Index index, Place place) {
  const Applied applied = cluster.CommittedAt(index, place);
  if (applied.servers == 0) return;
  Fail(Kind::kSafety,
       absl::StrCat("index ", index, " was applied, by ", applied.servers,
                    " servers, though it may yet be lost"),
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

void Scenario::Heal() {
  tap.ForgetAll();
  for (ServerId server = 0; server < cluster.size(); ++server) {
    if (!cluster.IsUp(server)) cluster.StartServer(server);
    if (!cluster.IsConnected(server)) cluster.Connect(server);
  }
  tap.ReleaseAll(&cluster, AnyMessage());
}

}  // namespace harness
