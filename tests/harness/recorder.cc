#include "tests/harness/recorder.h"

#include <fcntl.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "base/logging.h"
#include "raft/messages.h"
#include "rpc/codec.h"
#include "tests/harness/commands.h"
#include "tests/harness/link.h"
#include "tests/oracle/disk.h"
#include "tests/runner/run_log.h"

namespace harness {

using Json = nlohmann::ordered_json;
using Packet = labrpc::Packet;
using raft::ServerId;
using raft::Term;

namespace {

constexpr int kSchema = 1;
// Of a command, or the text of a step, so much is shown.
constexpr size_t kLongestText = 80;

// Nothing here includes the simulator; its program is called so.
const char* Mode() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return program.filename() == "raft_sim" ? "simulated" : "real";
}

std::string Shortened(std::string_view text) {
  if (text.size() <= kLongestText) return std::string(text);
  return std::string(text.substr(0, kLongestText)) + "...";
}

std::string TextOf(std::string_view command) {
  const absl::StatusOr<Command> decoded = DecodeCommand(command);
  return decoded.ok() ? Shortened(ToString(*decoded)) : "?";
}

std::string FileName(const char* path) {
  const char* const slash = std::strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

// For a reader of a run, a reordered reply is one that came late.
std::string_view FateOf(const Packet& packet) {
  return packet.fate == Packet::Fate::kReordered
             ? "late"
             : labrpc::FateName(packet.fate);
}

const char* RpcOf(const Packet& packet) {
  return packet.method == raft::kRequestVote.name     ? "RequestVote"
         : packet.method == raft::kAppendEntries.name ? "AppendEntries"
                                                      : nullptr;
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

}  // namespace

Recorder* Recorder::OfProcess() {
  static Recorder* const recorder = []() -> Recorder* {
    const char* const path = std::getenv("TRACE");
    if (path == nullptr || *path == '\0') return nullptr;
    // Whole lines at the end of the file: the kernel keeps them apart.
    const int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    PCHECK(fd >= 0) << "TRACE=" << path << " cannot be written";
    return new Recorder(fd, oracle::DecoderOfTheRaft());
  }();
  return recorder;
}

Recorder::Run& Recorder::TheRun() {
  static Run run;
  return run;
}

void Recorder::SetRun(std::string test, uint64_t seed) {
  TheRun() = {.test = std::move(test), .seed = seed};
}

Recorder::Recorder(int fd, oracle::DecodeDisk decode)
    : fd_(fd), decode_(std::move(decode)), begin_(Clock::now()) {}

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

Json Recorder::Event(std::string_view name) const {
  return {{"t", SecondsSince(Clock::now())}, {"event", name}};
}

Json Recorder::EventOf(std::string_view name, ServerId server) const {
  const Shown shown = ShownBy(server);
  Json event = Event(name);
  event["server"] = server;
  event["term"] = shown.term;
  event["role"] = NameOf(shown.role);
  return event;
}

// One call of write() for a line: no lock is needed.
void Recorder::Write(const Json& event) const {
  tests::WriteAll(fd_, event.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/true,
                                  Json::error_handler_t::replace) +
                           "\n");
}

Recorder::Shown Recorder::ShownBy(ServerId server) const {
  base::SpinLockHolder lock(&lock_);
  const auto found = shown_.find(server);
  return found == shown_.end() ? Shown() : found->second;
}

bool Recorder::IsAlive(ServerId server, int life) const {
  const Shown shown = ShownBy(server);
  return shown.life == life && shown.role != Role::kDown;
}

// That life of the server is at least in that term, and plays that role in it.
void Recorder::Shows(ServerId server, int life, Term term, Role role) {
  {
    base::SpinLockHolder lock(&lock_);
    Shown& shown = shown_[server];
    if (shown.life != life || shown.role == Role::kDown) return;
    if (term < shown.term) return;  // old news
    if (term == shown.term && role == shown.role) return;
    shown.term = term;
    shown.role = role;
  }
  Write(EventOf("role", server));
}

void Recorder::ClusterBegins(int servers) {
  {
    base::SpinLockHolder lock(&lock_);
    shown_.clear();
  }
  Json event = Event("run");
  event["schema"] = kSchema;
  event["test"] = TheRun().test;
  event["seed"] = TheRun().seed;
  event["mode"] = Mode();
  event["servers"] = servers;
  if (const char* profile = std::getenv("SIM_PROFILE")) {
    event["profile"] = profile;
  }
  Write(event);
}

void Recorder::TestBegins(std::string_view title) {
  Json event = Event("begin");
  event["title"] = title;
  Write(event);
}

void Recorder::LifeBegins(ServerId server, int life) {
  {
    base::SpinLockHolder lock(&lock_);
    shown_[server] = {
        .life = life, .term = shown_[server].term, .role = Role::kFollower};
  }
  Json event = EventOf("life", server);
  event["life"] = life;
  event["up"] = true;
  Write(event);
}

void Recorder::LifeEnds(ServerId server) {
  {
    base::SpinLockHolder lock(&lock_);
    Shown& shown = shown_[server];
    if (std::exchange(shown.role, Role::kDown) == Role::kDown) return;
  }
  Json event = EventOf("life", server);
  event["life"] = ShownBy(server).life;
  event["up"] = false;
  Write(event);
}

void Recorder::Links(ServerId server, bool connected) {
  Json event = EventOf("link", server);
  event["connected"] = connected;
  Write(event);
}

void Recorder::NetworkIs(std::string_view what, bool yes) {
  Json event = Event("network");
  event[std::string(what)] = yes;
  Write(event);
}

void Recorder::Sees(const Packet& packet) {
  const std::optional<Link> link = ParseLink(packet.end);
  if (!link.has_value() || RpcOf(packet) == nullptr) return;
  if (packet.kind == Packet::Kind::kReply) {
    SeesReply(packet, link->to, link->from);
  } else if (packet.fate != Packet::Fate::kUndeliverable ||
             IsAlive(link->from, link->life)) {
    SeesRequest(packet, link->from, link->life, link->to);
  }
}

Json Recorder::MessageEvent(const Packet& packet, ServerId from,
                            ServerId to) const {
  const bool is_reply = packet.kind == Packet::Kind::kReply;
  Json event = EventOf(is_reply ? "reply" : "request", from);
  event["peer"] = to;
  event["call"] = packet.call;
  event["rpc"] = RpcOf(packet);
  if (!is_reply) event["sent"] = SecondsSince(packet.sent);
  event["fate"] = FateOf(packet);
  if (packet.delay.count() > 0) {
    event["arrives"] = SecondsSince(Clock::now() + packet.delay);
  }
  return event;
}

void Recorder::SeesRequest(const Packet& packet, ServerId from, int life,
                           ServerId to) {
  Json fields;
  if (packet.method == raft::kRequestVote.name) {
    const auto args = rpc::Decode<raft::RequestVoteArgs>(packet.bytes);
    if (!args.ok()) return;
    Shows(from, life, args->term, Role::kCandidate);
    fields = FieldsOf(*args);
  } else {
    const auto args = rpc::Decode<raft::AppendEntriesArgs>(packet.bytes);
    if (!args.ok()) return;
    Shows(from, life, args->term, Role::kLeader);
    fields = FieldsOf(*args);
  }
  Json event = MessageEvent(packet, from, to);
  event["fields"] = std::move(fields);
  Write(event);
}

void Recorder::SeesReply(const Packet& packet, ServerId from, ServerId to) {
  const Shown shown = ShownBy(from);
  Json fields;
  if (packet.method == raft::kRequestVote.name) {
    const auto reply = rpc::Decode<raft::RequestVoteReply>(packet.bytes);
    if (!reply.ok()) return;
    // Who votes for another is no candidate, and no leader.
    if (reply->vote_granted || reply->term > shown.term) {
      Shows(from, shown.life, reply->term, Role::kFollower);
    }
    fields = FieldsOf(*reply);
  } else {
    const auto reply = rpc::Decode<raft::AppendEntriesReply>(packet.bytes);
    if (!reply.ok()) return;
    if (reply->success || reply->term > shown.term) {
      Shows(from, shown.life, reply->term, Role::kFollower);
    }
    fields = FieldsOf(*reply);
  }
  Json event = MessageEvent(packet, from, to);
  event["fields"] = std::move(fields);
  Write(event);
}

void Recorder::Saved(ServerId server, int life, std::string_view bytes) {
  if (decode_ == nullptr || !IsAlive(server, life)) return;
  const std::optional<oracle::DiskState> state = decode_(bytes);
  if (!state.has_value()) return;
  if (state->current_term > ShownBy(server).term) {
    Shows(server, life, state->current_term,
          state->voted_for == server ? Role::kCandidate : Role::kFollower);
  }
  Json event = EventOf("save", server);
  Json& fields = event["fields"];
  fields["current_term"] = state->current_term;
  fields["voted_for"] = nullptr;
  if (state->voted_for != raft::kNobody) fields["voted_for"] = state->voted_for;
  fields["log"] = state->base_index + state->entries.size();
  Write(event);
}

void Recorder::Applied(ServerId server, const raft::ApplyMsg& message) {
  Json event = EventOf("apply", server);
  event["fields"] = {{"index", message.index},
                     {"command", TextOf(message.command)}};
  Write(event);
}

void Recorder::Stated(ServerId server, int life, raft::State state) {
  const Shown shown = ShownBy(server);
  if (state.is_leader) {
    Shows(server, life, state.term, Role::kLeader);
  } else if (state.term > shown.term || shown.role == Role::kLeader) {
    Shows(server, life, state.term, Role::kFollower);
  }
}

void Recorder::Started(ServerId server, int life, std::string_view command,
                       raft::StartResult result) {
  // Tests ask all servers in turn; a refusal is no news.
  if (!result.is_leader) return;
  Shows(server, life, result.term, Role::kLeader);
  Json event = EventOf("start", server);
  event["fields"] = {{"index", result.index},
                     {"term", result.term},
                     {"is_leader", true},
                     {"command", TextOf(command)}};
  Write(event);
}

uint64_t Recorder::StepBegins(std::string_view name, std::string_view text,
                              Place place) {
  uint64_t step = 0;
  {
    base::SpinLockHolder lock(&lock_);
    step = ++steps_;
  }
  Json event = Event("step");
  event["phase"] = "begin";
  event["step"] = step;
  event["name"] = name;
  event["text"] = Shortened(text);
  event["where"] = FileName(place.file) + ":" + std::to_string(place.line);
  Write(event);
  return step;
}

void Recorder::StepEnds(uint64_t step, std::string_view name) {
  Json event = Event("step");
  event["phase"] = "end";
  event["step"] = step;
  event["name"] = name;
  Write(event);
}

void Recorder::Violated(const oracle::Violation& violation) {
  Json event = Event("violation");
  event["rule"] = violation.rule.name;
  event["section"] = violation.rule.section;
  event["text"] = violation.what;
  Write(event);
}

void Recorder::Failed(std::string_view message, std::string_view place) {
  Json event = Event("failure");
  event["text"] = message;
  if (!place.empty()) event["where"] = place;
  Write(event);
}

void Recorder::TestEnds(bool passed) {
  Json event = Event("end");
  event["passed"] = passed;
  Write(event);
}

}  // namespace harness
