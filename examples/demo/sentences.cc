#include "examples/demo/sentences.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tests {
namespace {

using Log = std::vector<raft::Term>;

// "entries 6-8 of term 1": those of `log` behind its first `kept`, and the
// terms they were made in.
std::string Entries(const Log& log, size_t kept) {
  const size_t first = kept + 1;
  const std::string which =
      log.size() == first ? absl::StrCat("entry ", first)
                          : absl::StrCat("entries ", first, "-", log.size());
  const raft::Term from = log[kept];
  const raft::Term to = log.back();
  return absl::StrCat(which, " of ",
                      from == to ? absl::StrCat("term ", from)
                                 : absl::StrCat("terms ", from, "-", to));
}

std::optional<std::string> Overwritten(raft::ServerId server, const Log& before,
                                       const Log& after) {
  const auto parting =
      std::mismatch(before.begin(), before.end(), after.begin(), after.end());
  if (parting.first == before.end()) return std::nullopt;
  const auto kept = static_cast<size_t>(parting.first - before.begin());
  std::string gone =
      absl::StrCat(Name(server), " drops ", Entries(before, kept));
  if (after.size() == kept) return gone;
  return absl::StrCat(gone, ", takes over ", Entries(after, kept));
}

// A server that is not up.
std::string DescribeMissing(raft::ServerId server, const ServerView& view) {
  if (view.link == Link::kCrashed) return Name(server) + " is down.";
  if (!Leads(view)) return Name(server) + " is cut off.";
  return absl::StrCat(Name(server),
                      " is cut off; it still believes that it leads term ",
                      view.term, ".");
}

}  // namespace

std::string Name(raft::ServerId server) { return absl::StrCat("S", server); }

std::string Names(const std::set<raft::ServerId>& servers) {
  if (servers.empty()) return "nobody";
  return absl::StrJoin(servers, " ",
                       [](std::string* out, raft::ServerId server) {
                         absl::StrAppend(out, Name(server));
                       });
}

std::vector<std::string> DescribeChanges(const ClusterView& before,
                                         const ClusterView& after) {
  std::vector<std::string> sentences;
  for (size_t i = 0; i < before.size(); ++i) {
    const ServerView& was = before[i];
    const ServerView& is = after[i];
    if (was.link == Link::kCrashed || is.link == Link::kCrashed) continue;
    const auto server = static_cast<raft::ServerId>(i);
    if (Leads(was) && !Leads(is)) {
      sentences.push_back(absl::StrCat(Name(server),
                                       " steps down: it led term ", was.term,
                                       " and has heard of term ", is.term));
    }
    std::optional<std::string> overwritten =
        Overwritten(server, was.log, is.log);
    if (overwritten.has_value()) sentences.push_back(*std::move(overwritten));
  }
  return sentences;
}

std::string DescribeSituation(const ClusterView& view) {
  std::vector<std::string> sentences;
  const std::optional<raft::ServerId> leader = LeaderOf(view);
  if (leader.has_value()) {
    const raft::Term term = view[static_cast<size_t>(*leader)].term;
    sentences.push_back(absl::StrCat(Name(*leader), " leads term ", term, "."));
  }
  bool believer = false;
  for (size_t i = 0; i < view.size(); ++i) {
    if (view[i].link == Link::kUp) continue;
    sentences.push_back(
        DescribeMissing(static_cast<raft::ServerId>(i), view[i]));
    believer = believer || Leads(view[i]);
  }
  if (!leader.has_value()) {
    sentences.push_back(believer ? "Nobody else leads." : "Nobody leads.");
  }
  return absl::StrJoin(sentences, " ");
}

}  // namespace tests
