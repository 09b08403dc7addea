#include "examples/demo/view.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace demo {
namespace {

using raft::Index;
using raft::ServerId;
using raft::Term;

std::string Names(const std::set<ServerId>& servers) {
  return absl::StrJoin(servers, " ", [](std::string* out, ServerId server) {
    absl::StrAppend(out, Name(server));
  });
}

// "entries 6-8 of terms 1-2": those of `log` after its first `kept`.
std::string Entries(const std::vector<Term>& log, size_t kept) {
  const auto range = [](const char* one, const char* more, auto from, auto to) {
    return from == to ? absl::StrCat(one, " ", from)
                      : absl::StrCat(more, " ", from, "-", to);
  };
  return range("entry", "entries", kept + 1, log.size()) + " of " +
         range("term", "terms", log[kept], log.back());
}

// The end of a long value, which is what is new.
std::string EndOf(const std::string& value) {
  constexpr size_t kShown = 24;
  if (value.size() <= kShown) return absl::StrCat("\"", value, "\"");
  return absl::StrCat("\"...", value.substr(value.size() - kShown), "\"");
}

// Whether the two hold the same entries, as far as neither has discarded them.
bool AreSame(const ServerView& a, const ServerView& b) {
  const auto known = static_cast<ptrdiff_t>(std::max(a.discarded, b.discarded));
  return a.log.size() == b.log.size() &&
         std::equal(a.log.begin() + known, a.log.end(), b.log.begin() + known);
}

}  // namespace

std::string Name(ServerId server) { return absl::StrCat("S", server); }

std::string View::Take(const Json& event) {
  const std::string name = event.at("event");
  if (name == "say") return event.at("text");
  if (name == "committed") return TakeCommitted(event);
  if (name == "operation") return TakeOperation(event);
  if (name == "group" || shards_.IsThere()) return shards_.Take(event);
  if (name == "partition") return TakePartition(event);
  // A command may be applied before its Start() has returned, but the client
  // began to ask earlier.
  const bool asks = name == "step" && event.at("name") == "Agree" &&
                    event.at("phase") == "begin";
  if (asks) sent_ = event.at("t");
  return event.contains("server") ? TakeOfServer(name, event) : "";
}

std::string View::TakeOfServer(const std::string& name, const Json& event) {
  const ServerId id = event.at("server");
  ServerView& server = At(id);
  const Json fields = event.value("fields", Json::object());
  if (name == "role") return TakeRole(id, event);
  if (name == "log") return TakeLog(id, event);
  if (name == "request") return TakeRequest(id, event);
  if (name == "restore") return TakeRestore(id, event);
  if (name == "life") {
    server = {.incarnation = event.at("life"),
              .up = event.at("up"),
              .term = server.term,
              .log = std::move(server.log),  // is on its disk
              .discarded = server.discarded};
  } else if (name == "link") {
    server.connected = event.at("connected");
  } else if (name == "apply") {
    if (server.up) server.applied = fields.at("index");
    first_applied_.try_emplace(fields.at("index"), event.at("t"));
  } else if (name == "reply" && fields.value("granted", false) &&
             event.at("fate") == "delivered") {
    votes_[{fields.at("term"), event.at("peer")}].insert(id);
  } else if (name == "start" && !server.connected) {
    return absl::StrCat(Name(id), ", cut off, takes ",
                        fields.at("command").get<std::string>(), " as entry ",
                        fields.at("index").get<Index>(), " of term ",
                        fields.at("term").get<Term>());
  }
  return "";
}

std::string View::TakeRole(ServerId id, const Json& event) {
  ServerView& server = At(id);
  const ServerView before = server;
  server.term = event.at("term");
  server.role = event.at("role");
  if (server.role == before.role && server.term == before.term) return "";
  if (server.Leads()) return TakeElection(id, server.term);
  if (server.role == "candidate") {
    return absl::StrCat(Name(id), " starts an election in term ", server.term);
  }
  if (!before.Leads()) return "";
  return absl::StrCat(Name(id), " steps down: it led term ", before.term,
                      " and has heard of term ", server.term);
}

std::string View::TakeElection(ServerId id, Term term) {
  const ServerId leader = leaders_.try_emplace(term, id).first->second;
  if (leader != id) {
    violation_ =
        absl::StrCat(Name(leader), " and ", Name(id), " both lead term ", term);
  }
  return absl::StrCat(Name(id), " becomes leader of term ", term, ": votes of ",
                      Names(votes_[{term, id}]), " and its own");
}

std::string View::TakeLog(ServerId id, const Json& event) {
  ServerView& server = At(id);
  if (event.at("incarnation") != server.incarnation) return "";
  const Index discarded = event.at("last_included_index");
  std::vector<Term> log(discarded);
  const size_t kept_end = discarded + event.at("kept").get<size_t>();
  for (size_t i = discarded; i < kept_end; ++i) log.push_back(server.log.at(i));
  for (const Json& term : event.at("terms")) log.push_back(term);
  const std::vector<Term> before = std::exchange(server.log, log);
  server.discarded = discarded;
  if (before.size() <= discarded) return "";
  const auto known = static_cast<ptrdiff_t>(discarded);
  const auto [end, _] = std::mismatch(before.begin() + known, before.end(),
                                      log.begin() + known, log.end());
  if (end == before.end()) return "";
  const auto kept = static_cast<size_t>(end - before.begin());
  std::string sentence =
      absl::StrCat(Name(id), " drops ", Entries(before, kept));
  if (log.size() == kept) return sentence;
  return absl::StrCat(sentence, ", takes over ", Entries(log, kept));
}

std::string View::TakeRequest(ServerId id, const Json& event) {
  // To a server that cannot be reached there are many.
  if (event.at("rpc") != "InstallSnapshot") return "";
  if (event.at("fate") != "delivered") return "";
  const Json& fields = event.at("fields");
  return absl::StrCat(Name(id), " sends ", Name(event.at("peer")),
                      " a snapshot in place of entries 1-",
                      fields.at("last_included_index").get<Index>(), ": ",
                      fields.at("bytes").get<uint64_t>(), " bytes");
}

std::string View::TakeRestore(ServerId id, const Json& event) {
  const Index index = event.at("fields").at("last_included_index");
  if (At(id).up) At(id).applied = index;
  return absl::StrCat(Name(id), " applies a snapshot in place of entries 1-",
                      index);
}

std::string View::TakeCommitted(const Json& event) {
  const Index index = event.at("index");
  latencies_.push_back((first_applied_.at(index) - sent_) * 1000);
  std::set<ServerId> appliers;
  for (ServerId i = 0; i < kServers; ++i) {
    if (at(i).up && at(i).applied >= index) appliers.insert(i);
  }
  return absl::StrFormat("%s committed in %.1f ms: entry %d, applied by %s",
                         event.at("command").get<std::string>(),
                         latencies_.back(), index, Names(appliers));
}

// A client's first operation is worth a sentence, and each that took long.
std::string View::TakeOperation(const Json& event) {
  const int number = event.at("client");
  ClientView& client = clients_[number];
  if (event.at("phase") == "begin") {
    client.call = absl::StrCat(event.at("kind").get<std::string>(), "(\"",
                               event.at("key").get<std::string>(), "\"");
    if (event.contains("value")) {
      absl::StrAppend(&client.call, ", \"",
                      event.at("value").get<std::string>(), "\"");
    }
    client.call += ")";
    client.answer.clear();
    client.waiting = true;
    client.called = event.at("t");
    return "";
  }
  const double took = event.at("t").get<double>() - client.called;
  client.waiting = false;
  ++client.done;
  client.answer = absl::StrFormat(": %s in %.1f ms",
                                  event.contains("result")
                                      ? EndOf(event.at("result"))
                                      : event.at("answer").get<std::string>(),
                                  took * 1000);
  latencies_.push_back(took * 1000);
  if (client.done > 1 && took < kLongWait) return "";
  return absl::StrCat("C", number, "'s ", client.call, client.answer);
}

std::string View::TakePartition(const Json& event) {
  partition_ = absl::StrJoin(
      event.at("parts"), " | ", [](std::string* out, const Json& part) {
        out->append(Names(part.get<std::set<ServerId>>()));
      });
  return partition_.empty() ? "the network is whole"
                            : "the network is divided: " + partition_;
}

// A newer log may be among the events that were not taken yet.
void View::TakeCommit(ServerId id, Index commit) {
  ServerView& server = At(id);
  server.commit = std::min(commit, Index{server.log.size()});
}

std::optional<ServerId> View::Leader() const {
  std::optional<ServerId> leader;
  for (ServerId i = 0; i < kServers; ++i) {
    if (!at(i).connected || !at(i).Leads()) continue;
    if (!leader.has_value() || at(*leader).term < at(i).term) leader = i;
  }
  return leader;
}

bool View::AllAgree() const {
  return std::all_of(servers_.begin(), servers_.end(), [&](const auto& server) {
    return server.connected && AreSame(server, servers_.front()) &&
           server.applied == server.log.size();
  });
}

std::string View::Situation() const {
  const std::optional<ServerId> leader = Leader();
  std::string text = "No connected server leads.";
  if (leader.has_value()) {
    text = absl::StrCat(Name(*leader), " leads term ", at(*leader).term, ".");
  }
  if (!partition_.empty()) absl::StrAppend(&text, " Divided: ", partition_);
  for (ServerId i = 0; i < kServers; ++i) {
    if (at(i).connected) continue;
    absl::StrAppend(&text, " ", Name(i), at(i).up ? " is cut off" : " is down");
    if (at(i).Leads()) {
      absl::StrAppend(&text, "; it still believes that it leads term ",
                      at(i).term);
    }
    absl::StrAppend(&text, ".");
  }
  return text;
}

}  // namespace demo
