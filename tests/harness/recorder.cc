#include "tests/harness/recorder.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tests/harness/commands.h"

namespace harness {

using Json = nlohmann::ordered_json;
using raft::ServerId;
using raft::Term;

namespace {

constexpr int kSchema = 1;
// Of a command, or of the text of a step; the rest is not shown.
constexpr size_t kLongestText = 80;
constexpr size_t kLongestValue = 400;

std::string Shortened(std::string_view text) {
  if (text.size() <= kLongestText) return std::string(text);
  return std::string(text.substr(0, kLongestText)) + "...";
}

// Of a value beginning and end, with which clients and checks are concerned.
std::string ShortenedValue(std::string_view value) {
  if (value.size() <= kLongestValue) return std::string(value);
  const size_t half = kLongestValue / 2;
  std::string shown(value.substr(0, half));
  absl::StrAppend(&shown, "... ", value.size(), " bytes ...");
  return shown.append(value.substr(value.size() - half));
}

std::string FileName(const char* path) {
  const char* const slash = std::strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

// For a reader of a run, a reordered reply is one that came late.
std::string_view FateOf(const Message& message) {
  return message.fate == Message::Fate::kReordered
             ? "late"
             : labrpc::FateName(message.fate);
}

Json FieldsOf(const raft::RequestVoteArgs& args) {
  return {{"term", args.term},
          {"last_log_index", args.last_log_index},
          {"last_log_term", args.last_log_term}};
}

Json FieldsOf(const raft::RequestVoteReply& reply) {
  return {{"term", reply.term}, {"granted", reply.vote_granted}};
}

Json FieldsOf(const raft::AppendEntriesArgs& args) {
  return {{"term", args.term},
          {"prev_log_index", args.prev_log_index},
          {"prev_log_term", args.prev_log_term},
          {"entries", args.entries.size()},
          {"leader_commit", args.leader_commit}};
}

Json FieldsOf(const raft::AppendEntriesReply& reply) {
  Json fields = {{"term", reply.term}, {"success", reply.success}};
  if (!reply.success) {
    fields["conflict_term"] = reply.conflict_term;
    fields["conflict_index"] = reply.conflict_index;
  }
  return fields;
}

Json FieldsOf(const raft::InstallSnapshotArgs& args) {
  return {{"term", args.term},
          {"last_included_index", args.last_included_index},
          {"last_included_term", args.last_included_term},
          {"offset", args.offset},
          {"bytes", args.data.size()},
          {"done", args.done}};
}

Json FieldsOf(const raft::InstallSnapshotReply& reply) {
  Json fields = {{"term", reply.term}, {"installed", reply.installed}};
  if (!reply.installed) fields["next_offset"] = reply.next_offset;
  return fields;
}

Json FieldsOf(const Undecodable&) { return nullptr; }

}  // namespace

std::string EventLine(const Json& event) {
  return event.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/true,
                    Json::error_handler_t::replace) +
         "\n";
}

const char* Recorder::NameOf(Role role) {
  switch (role) {
    case Role::kDown:
      return "down";
    case Role::kFollower:
      return "follower";
    case Role::kCandidate:
      return "candidate";
    case Role::kLeader:
      return "leader";
  }
  return "?";
}

// To the microsecond.
double Recorder::SecondsSince(Clock::time_point time) const {
  const std::chrono::duration<double> passed = time - begin_;
  return std::round(passed.count() * 1e6) / 1e6;
}

std::string Recorder::TextOf(std::string_view command) const {
  std::string text;
  if (const ShowCommand show = show_command_) {
    text = show(command);
  } else if (const auto decoded = DecodeCommand(command); decoded.ok()) {
    text = ToString(*decoded);
  }
  return text.empty() ? "?" : Shortened(text);
}

Json Recorder::Event(std::string_view name) const {
  return {{"t", SecondsSince(Clock::now())}, {"event", name}};
}

Json Recorder::EventOf(std::string_view name, ServerId server) const {
  const Shown shown = ShownBy(server);
  Json event = Event(name);
  if (group_ != 0) event["group"] = group_;
  event["server"] = server;
  event["term"] = shown.term;
  event["role"] = NameOf(shown.role);
  return event;
}

Recorder::Shown Recorder::ShownBy(ServerId server) const {
  base::SpinLockHolder lock(&lock_);
  const auto found = shown_.find(server);
  return found == shown_.end() ? Shown() : found->second;
}

bool Recorder::IsRunning(ServerId server, int incarnation) const {
  const Shown shown = ShownBy(server);
  return shown.incarnation == incarnation && shown.role != Role::kDown;
}

// That incarnation is at least in that term, and has that role in it.
void Recorder::Shows(ServerId server, int incarnation, Term term, Role role) {
  {
    base::SpinLockHolder lock(&lock_);
    Shown& shown = shown_[server];
    if (shown.incarnation != incarnation || shown.role == Role::kDown) return;
    if (term < shown.term) return;  // old news
    if (term == shown.term && role == shown.role) return;
    // A candidate's request whose fate was decided after its election.
    const bool elected = term == shown.term && shown.role == Role::kLeader;
    if (elected && role == Role::kCandidate) return;
    shown.term = term;
    shown.role = role;
  }
  sink_(EventOf("role", server));
}

// A server that votes for another, or accepts entries, is a follower.
void Recorder::ShowsByReply(ServerId server, Term term, bool agrees) {
  const Shown shown = ShownBy(server);
  if (!agrees && term <= shown.term) return;
  Shows(server, shown.incarnation, term, Role::kFollower);
}

void Recorder::OnCluster(const Run& run, int servers) {
  {
    base::SpinLockHolder lock(&lock_);
    shown_.clear();
    last_config_ = 0;
  }
  show_command_ = nullptr;
  Json event = Event("run");
  event["schema"] = kSchema;
  event["test"] = run.test;
  event["seed"] = run.seed;
  event["mode"] = run.mode;
  event["servers"] = servers;
  if (!run.profile.empty()) event["profile"] = run.profile;
  sink_(event);
}

std::shared_ptr<Recorder> Recorder::OnGroup(int group, int servers) {
  Json event = Event("group");
  event["group"] = group;
  event["servers"] = servers;
  sink_(event);
  return std::shared_ptr<Recorder>(new Recorder(sink_, group, begin_));
}

void Recorder::OnTitle(std::string_view title) {
  if (group_ != 0) return;
  Json event = Event("begin");
  event["title"] = title;
  sink_(event);
}

void Recorder::OnIncarnationBegin(ServerId server, int incarnation) {
  {
    base::SpinLockHolder lock(&lock_);
    Shown& shown = shown_[server];
    shown = {.incarnation = incarnation,
             .term = shown.term,
             .role = Role::kFollower,
             .saved = shown.saved};
  }
  Json event = EventOf("life", server);
  event["life"] = incarnation;
  event["up"] = true;
  sink_(event);
}

void Recorder::OnIncarnationEnd(ServerId server) {
  {
    base::SpinLockHolder lock(&lock_);
    Shown& shown = shown_[server];
    if (std::exchange(shown.role, Role::kDown) == Role::kDown) return;
  }
  Json event = EventOf("life", server);
  event["life"] = ShownBy(server).incarnation;
  event["up"] = false;
  sink_(event);
}

void Recorder::OnLink(ServerId server, bool connected) {
  Json event = EventOf("link", server);
  event["connected"] = connected;
  sink_(event);
}

void Recorder::OnPartition(const std::vector<std::set<ServerId>>& parts) {
  Json event = Event("partition");
  if (group_ != 0) event["group"] = group_;
  event["parts"] = parts;
  sink_(event);
}

void Recorder::OnNetwork(std::string_view setting, bool on) {
  if (group_ != 0) return;
  Json event = Event("network");
  event[std::string(setting)] = on;
  sink_(event);
}

void Recorder::OnMessage(const Message& message) {
  const ServerId from = message.from();
  const int incarnation = message.link.incarnation;  // of a request's sender
  // An instance that is being killed may go on for a moment, cut off.
  if (!message.is_reply && message.fate == Message::Fate::kUndeliverable &&
      !IsRunning(from, incarnation)) {
    return;
  }
  std::visit(Overloaded{
                 [&](const raft::RequestVoteArgs& args) {
                   Shows(from, incarnation, args.term, Role::kCandidate);
                 },
                 [&](const raft::AppendEntriesArgs& args) {
                   Shows(from, incarnation, args.term, Role::kLeader);
                 },
                 [&](const raft::InstallSnapshotArgs& args) {
                   Shows(from, incarnation, args.term, Role::kLeader);
                 },
                 [&](const raft::RequestVoteReply& reply) {
                   ShowsByReply(from, reply.term, reply.vote_granted);
                 },
                 [&](const raft::AppendEntriesReply& reply) {
                   ShowsByReply(from, reply.term, reply.success);
                 },
                 [&](const raft::InstallSnapshotReply& reply) {
                   ShowsByReply(from, reply.term, reply.installed);
                 },
                 [](const Undecodable&) {},
             },
             message.body);
  Json fields =
      std::visit([](const auto& body) { return FieldsOf(body); }, message.body);
  if (fields.is_null()) return;
  Json event = MessageEvent(message);
  event["fields"] = std::move(fields);
  sink_(event);
}

Json Recorder::MessageEvent(const Message& message) const {
  Json event = EventOf(message.is_reply ? "reply" : "request", message.from());
  event["peer"] = message.to();
  event["call"] = message.call;
  event["rpc"] = message.rpc;
  if (!message.is_reply) event["sent"] = SecondsSince(message.sent);
  event["fate"] = FateOf(message);
  if (message.delay.count() > 0) {
    event["arrives"] = SecondsSince(Clock::now() + message.delay);
  }
  return event;
}

void Recorder::OnSave(ServerId server, int incarnation,
                      const std::optional<DiskState>& state) {
  if (!state.has_value() || !IsRunning(server, incarnation)) return;
  if (state->current_term > ShownBy(server).term) {
    Shows(server, incarnation, state->current_term,
          state->voted_for == server ? Role::kCandidate : Role::kFollower);
  }
  const raft::Index last =
      state->last_included_index + state->kept + state->entries.size();
  {
    base::SpinLockHolder lock(&lock_);
    shown_[server].saved = last;
  }
  Json event = EventOf("save", server);
  Json& fields = event["fields"];
  fields["current_term"] = state->current_term;
  fields["voted_for"] = nullptr;
  if (state->voted_for != raft::kNobody) fields["voted_for"] = state->voted_for;
  fields["log"] = last;
  if (state->last_included_index > 0) {
    fields["last_included_index"] = state->last_included_index;
  }
  sink_(event);
}

void Recorder::OnFlush(ServerId server, int incarnation,
                       std::chrono::microseconds took) {
  if (!IsRunning(server, incarnation)) return;
  Json event = EventOf("flush", server);
  event["began"] = SecondsSince(Clock::now() - took);
  event["fields"] = {{"durable", ShownBy(server).saved}};
  sink_(event);
}

void Recorder::OnApply(ServerId server, const raft::ApplyMsg& message) {
  if (message.kind == raft::ApplyMsg::Kind::kSnapshot) {
    Json event = EventOf("restore", server);
    event["fields"] = {{"last_included_index", message.index},
                       {"last_included_term", message.term},
                       {"bytes", message.snapshot.size()}};
    sink_(event);
    return;
  }
  Json event = EventOf("apply", server);
  event["fields"] = {{"index", message.index},
                     {"command", TextOf(message.command)}};
  sink_(event);
}

void Recorder::OnSnapshot(ServerId server, raft::Index index,
                          const base::Rope& snapshot) {
  Json event = EventOf("snapshot", server);
  event["fields"] = {{"last_included_index", index},
                     {"bytes", snapshot.size()}};
  sink_(event);
}

void Recorder::OnState(ServerId server, int incarnation, Term /*floor*/,
                       raft::State state) {
  const Shown shown = ShownBy(server);
  if (state.is_leader) {
    Shows(server, incarnation, state.term, Role::kLeader);
  } else if (state.term > shown.term || shown.role == Role::kLeader) {
    Shows(server, incarnation, state.term, Role::kFollower);
  }
}

void Recorder::OnStart(ServerId server, int incarnation,
                       std::string_view command, raft::StartResult result) {
  // Tests ask all servers in turn; a refusal is no news.
  if (!result.is_leader) return;
  Shows(server, incarnation, result.term, Role::kLeader);
  Json event = EventOf("start", server);
  event["fields"] = {{"index", result.index},
                     {"term", result.term},
                     {"is_leader", true},
                     {"command", TextOf(command)}};
  sink_(event);
}

void Recorder::OnOperation(const OperationEvent& operation) {
  Json event = Event("operation");
  event["t"] = SecondsSince(operation.time);
  event["client"] = operation.client;
  event["operation"] = operation.number;
  event["phase"] = operation.is_begin ? "begin" : "end";
  event["kind"] = operation.kind;
  event["key"] = ShortenedValue(operation.key);
  if (operation.value) event["value"] = ShortenedValue(*operation.value);
  if (operation.version) event["version"] = *operation.version;
  if (!operation.is_begin) event["answer"] = operation.answer;
  if (operation.result) event["result"] = ShortenedValue(*operation.result);
  if (operation.result_version) {
    event["result_version"] = *operation.result_version;
  }
  sink_(event);
}

void Recorder::OnConfig(const ConfigEvent& config) {
  {
    base::SpinLockHolder lock(&lock_);
    if (config.num <= last_config_) return;
    last_config_ = config.num;
  }
  Json event = Event("config");
  event["config"] = config.num;
  event["shards"] = config.shards;
  event["groups"] = config.groups;
  sink_(event);
}

void Recorder::OnShards(ServerId server, const ShardsEvent& shards) {
  Json event = EventOf("shards", server);
  event["fields"] = {{"config", shards.config},
                     {"served", shards.served},
                     {"to_confirm", shards.to_confirm},
                     {"coming", shards.coming},
                     {"leaving", shards.leaving}};
  sink_(event);
}

void Recorder::OnHistory(const HistoryEvent& history) {
  Json event = Event("history");
  event["text"] = history.text;
  event["key"] = ShortenedValue(history.key);
  if (history.first_impossible) {
    event["first_impossible"] = *history.first_impossible;
  }
  event["counterexample"] = history.counterexample;
  event["window"] = history.window;
  sink_(event);
}

void Recorder::OnStep(const StepEvent& step) {
  Json event = Event("step");
  event["phase"] = step.is_begin ? "begin" : "end";
  event["step"] = step.number;
  event["name"] = step.name;
  if (step.is_begin) {
    event["text"] = Shortened(step.text);
    event["where"] =
        absl::StrCat(FileName(step.place.file), ":", step.place.line);
  }
  sink_(event);
}

void Recorder::OnViolation(std::string_view rule, std::string_view section,
                           std::string_view text) {
  Json event = Event("violation");
  event["rule"] = rule;
  event["section"] = section;
  event["text"] = text;
  sink_(event);
}

void Recorder::OnFailure(std::string_view message, std::string_view place) {
  Json event = Event("failure");
  event["text"] = message;
  if (!place.empty()) event["where"] = place;
  sink_(event);
}

void Recorder::OnTestEnd(bool passed) {
  Json event = Event("end");
  event["passed"] = passed;
  sink_(event);
}

}  // namespace harness
