#include "tests/harness/kv_history.h"

#include <chrono>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "porcupine/check.h"
#include "porcupine/report.h"

namespace harness {
namespace {

using porcupine::Answer;
using porcupine::Kind;
using porcupine::Outcome;
using porcupine::Record;

// When the first operation began.
std::chrono::steady_clock::time_point Epoch() {
  static const auto epoch = std::chrono::steady_clock::now();
  return epoch;
}

int64_t Now() {
  const auto epoch = Epoch();
  return std::chrono::nanoseconds(std::chrono::steady_clock::now() - epoch)
      .count();
}

size_t Hash(std::string_view bytes) {
  return std::hash<std::string_view>()(bytes);
}

Answer AnswerOf(kvraft::Err err) {
  switch (err) {
    case kvraft::Err::kNoKey:
      return Answer::kErrNoKey;
    case kvraft::Err::kVersion:
      return Answer::kErrVersion;
    case kvraft::Err::kMaybe:
      return Answer::kErrMaybe;
    default:
      return Answer::kOk;
  }
}

// What the operation asks for.
KvCall CallOf(const Record& record) {
  const Kind kind =
      record.kind == Kind::kVersionedGet ? Kind::kGet : record.kind;
  return {kind, record.key, record.argument, record.version};
}

bool IsAnswered(const Record& record) {
  return record.returned.has_value() && record.answer != Answer::kErrMaybe;
}

}  // namespace

Record BeginRecord(int client, Kind kind, const std::string& key,
                   const std::string& argument, uint64_t version) {
  Record record;
  record.client = client;
  record.key = key;
  record.kind = kind;
  record.argument = argument;
  record.version = version;
  record.call = Now();
  return record;
}

std::chrono::steady_clock::time_point TimeOf(int64_t time) {
  return Epoch() + std::chrono::nanoseconds(time);
}

size_t KvHistory::Begin(Record record) {
  base::MutexLock lock(&mu_);
  records_.push_back(std::move(record));
  revisions_.push_back(0);
  return records_.size() - 1;
}

int64_t KvHistory::End(size_t operation, const kvraft::Reply& reply) {
  const int64_t now = Now();
  base::MutexLock lock(&mu_);
  Record& record = records_[operation];
  record.returned = now;
  record.result = reply.value;
  if (record.kind == Kind::kVersionedGet) {
    record.result_version = reply.version;
  }
  // Other reads do not tell an empty value from none.
  const bool is_versioned =
      record.kind == Kind::kVersionedGet || record.kind == Kind::kVersionedPut;
  if (is_versioned) record.answer = AnswerOf(reply.err);
  revisions_[operation] = reply.revision;
  return now;
}

size_t KvHistory::size() const {
  base::MutexLock lock(&mu_);
  return records_.size();
}

KvHistory::Writes KvHistory::CountWrites() const {
  base::MutexLock lock(&mu_);
  Writes writes;
  for (const Record& record : records_) {
    const KvCall call = CallOf(record);
    if (std::get<0>(call) == Kind::kGet) continue;
    ++writes[call].begun;
    if (IsAnswered(record)) ++writes[call].answered;
  }
  return writes;
}

std::set<std::string> KvHistory::Keys() const {
  base::MutexLock lock(&mu_);
  std::set<std::string> keys;
  for (const Record& record : records_) keys.insert(record.key);
  return keys;
}

size_t KvHistory::Executions(const std::string& key,
                             const std::string& value) const {
  base::MutexLock lock(&mu_);
  size_t count = 0;
  for (const auto& [index, entry] : log_) {
    const KvCall& call = entry.execution.call;
    const bool is_it = entry.execution.is_write && std::get<1>(call) == key &&
                       std::get<2>(call) == value;
    if (is_it) ++count;
  }
  return count;
}

std::optional<std::string> KvHistory::OnExecuted(raft::ServerId server,
                                                 const raft::ApplyMsg& message,
                                                 std::string_view result) {
  const size_t command_hash = Hash(message.command);
  const size_t result_hash = Hash(result);
  base::MutexLock lock(&mu_);
  const auto [found, is_new] = log_.try_emplace(message.index);
  Entry& entry = found->second;
  if (is_new) {
    entry.server = server;
    entry.term = message.term;
    entry.command_hash = command_hash;
    entry.result_hash = result_hash;
    if (reads_log_) {
      entry.execution = ReadExecution(message.command, result);
    }
    return std::nullopt;
  }
  if (entry.command_hash != command_hash || entry.term != message.term) {
    return absl::StrCat("state machine safety (5.4.3): S", server, " and S",
                        entry.server, " execute different commands at index ",
                        message.index);
  }
  if (entry.result_hash != result_hash) {
    return absl::StrCat("state machines differ: S", server, " and S",
                        entry.server, " have the same command at index ",
                        message.index, " and get different results");
  }
  return std::nullopt;
}

std::optional<std::string> KvHistory::OnSnapshot(raft::ServerId server,
                                                 raft::Index index,
                                                 const base::Rope& snapshot) {
  // Others need not encode equal states as equal bytes.
  if (!reads_log_) return std::nullopt;
  const size_t hash = Hash(snapshot.ToString());
  base::MutexLock lock(&mu_);
  const auto [found, is_new] = snapshots_.try_emplace(index, hash);
  if (is_new || found->second == hash) return std::nullopt;
  return absl::StrCat("state machines differ: the snapshot that S", server,
                      " takes at index ", index,
                      " is not the one that another server took there");
}

void KvHistory::Match(raft::Index index, Record* record, Unmatched* unmatched) {
  record->log_index = index;
  const auto found = unmatched->find(CallOf(*record));
  if (found != unmatched->end()) found->second.erase(index);
}

// Gives each record the index of its execution, as far as there is one.
KvHistory::Matching KvHistory::MatchLocked() {
  std::map<uint64_t, raft::Index> by_revision;
  Matching matching;
  for (auto& [index, entry] : log_) {
    // What was executed before repeats its revision.
    KvExecution& execution = entry.execution;
    if (execution.revision == 0) continue;
    if (!by_revision.try_emplace(execution.revision, index).second) {
      execution.is_write = false;
      continue;
    }
    if (execution.is_write) matching.surplus[execution.call].insert(index);
  }
  for (size_t i = 0; i < records_.size(); ++i) {
    // Without a revision the answer does not say which execution it is of.
    if (!IsAnswered(records_[i]) || revisions_[i] == 0) continue;
    if (!reads_log_) {
      records_[i].log_index = revisions_[i];  // says the order as well
      continue;
    }
    const auto found = by_revision.find(revisions_[i]);
    if (found != by_revision.end() &&
        CallOf(records_[i]) == log_.at(found->second).execution.call) {
      Match(found->second, &records_[i], &matching.surplus);
    } else {
      matching.unfounded.push_back(i);
    }
  }
  for (Record& record : records_) {
    if (IsAnswered(record)) continue;
    const auto found = matching.surplus.find(CallOf(record));
    if (found == matching.surplus.end() || found->second.empty()) continue;
    Match(*found->second.begin(), &record, &matching.surplus);
  }
  return matching;
}

KvHistory::Verdict KvHistory::Check() {
  base::MutexLock lock(&mu_);
  const Matching matching = MatchLocked();
  const porcupine::Verdict checked =
      porcupine::Check(records_, {.unit = porcupine::Unit::kNanoseconds})
          .value();
  Verdict verdict{.outcome = checked.outcome};
  if (!checked.explanations.empty()) {
    verdict.explanation = checked.explanations.front();
  }
  if (checked.outcome != Outcome::kOk) {
    verdict.text = absl::StrCat(checked.outcome == Outcome::kIllegal
                                    ? "history is not linearizable\n"
                                    : "linearizability is unknown\n",
                                porcupine::ReportOf(records_, checked));
  }
  const std::vector<std::string> faults = FaultsLocked(matching);
  if (faults.empty()) return verdict;
  verdict.outcome = Outcome::kIllegal;
  absl::StrAppend(&verdict.text, verdict.text.empty() ? "" : "\n", faults[0]);
  if (faults.size() > 1) {
    absl::StrAppend(&verdict.text, "\nand ", faults.size() - 1, " more");
  }
  return verdict;
}

// Exactly-once: what a session executes has a number above all before, across
// snapshots and restarts too. What it only answers again repeats a revision.
std::vector<std::string> KvHistory::SessionFaults(
    const std::map<raft::Index, Entry>& log) {
  std::vector<std::string> faults;
  std::set<uint64_t> revisions;
  std::map<uint64_t, uint64_t> last_numbers;  // by session
  for (const auto& [index, entry] : log) {
    const KvExecution& execution = entry.execution;
    if (execution.revision == 0 || execution.session == 0 ||
        execution.number == 0 || !revisions.insert(execution.revision).second) {
      continue;
    }
    uint64_t& last = last_numbers[execution.session];
    if (execution.number <= last) {
      faults.push_back(absl::StrCat(
          "session ", execution.session, " decreases: index ", index,
          " of the log executes its number ", execution.number,
          " though number ", last, " was executed before"));
    }
    last = std::max(last, execution.number);
  }
  return faults;
}

std::vector<std::string> KvHistory::FaultsLocked(
    const Matching& matching) const {
  std::vector<std::string> faults = SessionFaults(log_);
  for (const auto& [write, indexes] : matching.surplus) {
    if (indexes.empty()) continue;
    faults.push_back(absl::StrCat(
        "executed more often than clients asked for: index ", *indexes.begin(),
        " of the log writes \"", std::get<2>(write), "\" to key \"",
        std::get<1>(write), "\""));
  }
  for (const size_t i : matching.unfounded) {
    faults.push_back(absl::StrCat(
        "answered without an execution: client ", records_[i].client,
        " has revision ", revisions_[i], " as the answer to a ",
        porcupine::NameOf(records_[i].kind), " of key \"", records_[i].key,
        "\", which the log does not have there"));
  }
  return faults;
}

}  // namespace harness
