#include "tests/oracle/history.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace oracle {
namespace {

using Fate = harness::Message::Fate;

std::string Name(raft::ServerId server) {
  return server == raft::kNobody ? "none" : absl::StrCat("S", server);
}

const char* Suffix(Fate fate) {
  switch (fate) {
    case Fate::kDelivered:
      return "";
    case Fate::kLost:
      return " (lost)";
    case Fate::kUndeliverable:
      return " (undeliverable)";
    case Fate::kRefused:
      return " (refused)";
    case Fate::kReordered:
      return " (late)";
  }
  return "";
}

std::string Position(const Event& event) {
  return absl::StrCat("(", event.index, ",", event.index_term, ")");
}

std::string Message(const Event& event, const char* what) {
  return absl::StrCat(Name(event.server), " -> ", Name(event.peer), " T",
                      event.term, " ", what);
}

std::string Text(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kRequestVote:
      return absl::StrCat(Message(event, "RequestVote"),
                          " last=", Position(event), Suffix(event.fate));
    case Event::Kind::kRequestVoteReply:
      return absl::StrCat(
          Message(event, event.yes ? "vote granted" : "no vote"),
          Suffix(event.fate));
    case Event::Kind::kAppendEntries:
      return absl::StrCat(Message(event, "AppendEntries"),
                          " prev=", Position(event), " entries=", event.entries,
                          " commit=", event.commit, Suffix(event.fate));
    case Event::Kind::kAppendEntriesReply:
      return absl::StrCat(
          Message(event, event.yes ? "success" : "rejected"),
          event.yes ? absl::StrCat(" up to ", Position(event)) : "",
          Suffix(event.fate));
    case Event::Kind::kInstallSnapshot:
      return absl::StrCat(Message(event, "InstallSnapshot"),
                          " last=", Position(event), event.yes ? " done" : "",
                          Suffix(event.fate));
    case Event::Kind::kInstallSnapshotReply:
      return absl::StrCat(
          Message(event, event.yes ? "installed" : "chunk answered"),
          " last=", Position(event), Suffix(event.fate));
    case Event::Kind::kSave:
      return absl::StrCat(
          Name(event.server), " T", event.term,
          " saves vote=", Name(event.peer), " last=", Position(event),
          event.commit == 0 ? "" : absl::StrCat(" snapshot=", event.commit));
    case Event::Kind::kApply:
      return absl::StrCat(Name(event.server), " applies ", Position(event));
    case Event::Kind::kApplySnapshot:
      return absl::StrCat(Name(event.server), " applies a snapshot up to ",
                          Position(event));
    case Event::Kind::kSnapshot:
      return absl::StrCat(Name(event.server), " takes a snapshot up to ",
                          event.index);
    case Event::Kind::kState:
      return absl::StrCat(Name(event.server), " T", event.term,
                          event.yes ? " leads" : " does not lead");
    case Event::Kind::kStart:
      return absl::StrCat(Name(event.server), " T", event.term,
                          " takes a command for ", event.index);
    case Event::Kind::kIncarnationBegins:
      return absl::StrCat(Name(event.server), " starts, incarnation ",
                          event.entries);
    case Event::Kind::kIncarnationEnds:
      return absl::StrCat(Name(event.server), " crashes");
  }
  return "";
}

}  // namespace

std::string History::ToString(
    std::chrono::steady_clock::time_point begin) const {
  const uint64_t shown = std::min<uint64_t>(count_, events_.size());
  std::string text;
  for (uint64_t i = count_ - shown; i < count_; ++i) {
    const Event& event = events_[i % events_.size()];
    const std::chrono::duration<double> time = event.time - begin;
    absl::StrAppend(&text, absl::StrFormat("\n  %8.4f ", time.count()),
                    Text(event));
  }
  return text;
}

}  // namespace oracle
