// Terms, votes and leaders (5.1, 5.2).

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "tests/oracle/oracle.h"

namespace oracle {

using harness::Link;
using raft::ServerId;
using raft::Term;

namespace {

uint64_t Bit(ServerId server) { return uint64_t{1} << server; }

}  // namespace

void Oracle::ShowsTermLocked(ServerId server, Term term) {
  Term& shown = ServerLocked(server).term;
  shown = std::max(shown, term);
}

// The server shows that to its service, which a crash ends with it: it need not
// be saved, and the crash may take it back.
void Oracle::ShowsLocallyLocked(ServerId server, Term term) {
  Term& shown = ServerLocked(server).local_term;
  shown = std::max(shown, term);
}

Term Oracle::TermSeenLocked(ServerId server) const {
  const Server& it = servers_[static_cast<size_t>(server)];
  return std::max(it.term, it.local_term);
}

void Oracle::HearsLocked(ServerId server, int incarnation, Term term) {
  constexpr size_t kMost = 64;
  Server& it = ServerLocked(server);
  if (it.incarnation != incarnation) return;
  if (!it.heard.empty() && it.heard.back().term >= term) return;
  it.heard.push_back({term, now_});
  if (it.heard.size() > kMost) it.heard.pop_front();
}

// A request of that term was begun at `sent`.
void Oracle::SpeaksLocked(const Link& link, Term term, Clock::time_point sent) {
  const Server& it = ServerLocked(link.from);
  if (it.incarnation != link.incarnation) return;
  const auto older = std::find_if(it.heard.rbegin(), it.heard.rend(),
                                  [this, sent](const Heard& heard) {
                                    return heard.time + options_.grace <= sent;
                                  });
  if (older == it.heard.rend() || term >= older->term) return;
  Violate(kStepsDown,
          absl::StrCat("S", link.from, " sends in term ", term,
                       " after it heard of term ", older->term,
                       "; a server that learns of a newer term, by a request ",
                       "or a reply, becomes a follower in it"));
}

void Oracle::VotesLocked(ServerId voter, Term term, ServerId candidate) {
  const auto [vote, is_new] =
      ServerLocked(voter).votes.try_emplace(term, candidate);
  if (is_new || vote->second == candidate) return;
  Violate(kOneVote,
          absl::StrCat("S", voter, " votes for both S", vote->second, " and S",
                       candidate, " in term ", term,
                       "; its one vote in a term outlives a restart"));
}

// An election that started at `sent`, in a term after the one in which the
// server's timer was reset, was decided upon later.
void Oracle::StandsLocked(const Link& link, Term term, Clock::time_point sent) {
  const Server& it = ServerLocked(link.from);
  if (it.incarnation != link.incarnation || term <= it.quiet.term) return;
  if (it.quiet.term == 0 || sent >= it.quiet.time + options_.patience) return;
  const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(
      sent - it.quiet.time);
  Violate(kElectionTimeout,
          absl::StrCat("S", link.from, " starts an election in term ", term,
                       " only ", after.count(),
                       " ms after it voted or replied to a leader in term ",
                       it.quiet.term,
                       "; either begins a new election timeout, drawn again ",
                       "from a range far above a round trip"));
}

void Oracle::LeadsLocked(ServerId server, Term term) {
  ServerLocked(server).led = true;
  TermRecord& record = terms_[term];
  if (record.leader == server) return;
  if (record.leader != raft::kNobody) {
    Violate(kElectionSafety, absl::StrCat("S", record.leader, " and S", server,
                                          " both lead term ", term));
    return;
  }
  record.leader = server;
  const Candidacy& candidacy = record.candidates[server];
  const auto votes =
      static_cast<size_t>(std::popcount(candidacy.voters | Bit(server)));
  if (votes < Majority()) {
    Violate(kElectedByMajority,
            absl::StrCat("S", server, " leads term ", term, " with ", votes,
                         " of the ", Majority(), " votes of that term that it ",
                         "needs, of ", servers_count_, " servers"));
    return;
  }
  // What leaders of earlier terms have committed (Figure 3).
  size_t index = committed_.size();
  while (index > 0 && committed_[index - 1].by >= term) --index;
  if (servers_count_ > 1 && candidacy.last.index < index) {
    Violate(kLeaderCompleteness,
            absl::StrCat("S", server, " leads term ", term,
                         " with a log that ends at index ",
                         candidacy.last.index, ", but index ", index,
                         " was committed in term ", committed_[index - 1].by,
                         ": one of its voters has that entry, and may not vote "
                         "for a log without it (5.4.1)"));
  }
}

void Oracle::BeatsLocked(const Link& link, const raft::AppendEntriesArgs& args,
                         Clock::time_point sent) {
  if (ServerLocked(link.from).incarnation != link.incarnation) return;
  Beats& beats = ServerLocked(link.from).beats[link.to];
  const Position prev{args.prev_log_index, args.prev_log_term};
  const bool has_news = !args.entries.empty() || beats.term != args.term ||
                        beats.prev != prev ||
                        beats.commit != args.leader_commit;
  beats.term = args.term;
  beats.prev = prev;
  beats.commit = args.leader_commit;
  if (has_news) return;
  beats.times.push_back(sent);
  while (beats.times.front() + std::chrono::seconds(1) <= sent) {
    beats.times.pop_front();
  }
  if (beats.times.size() <= options_.most_heartbeats) return;
  Violate(kHeartbeatRate,
          absl::StrCat("S", link.from, " has sent S", link.to, " ",
                       beats.times.size(), " heartbeats within a second; ",
                       "the lab asks for about 10, and its test allows ",
                       options_.most_heartbeats));
}

}  // namespace oracle
