#include "rsm/sessions.h"

#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "rpc/codec.h"

namespace rsm {
namespace {

// What stands in front of a command.
struct RequestHeader {
  bool is_open = false;
  Sessions::Id session = Sessions::kNone;
  uint64_t number = 0;

  auto Fields() { return std::tie(is_open, session, number); }
};
constexpr size_t kRequestHeaderBytes = 1 + 8 + 8;

// At the end of a snapshot: the bytes of the table, which stands before it.
constexpr size_t kTrailerBytes = 8;

std::string EncodeAnswer(Sessions::Status status, std::string_view value) {
  return std::string(1, static_cast<char>(status)).append(value);
}

// Takes that many bytes off the end.
absl::StatusOr<std::string> TakeTail(base::Rope* rope, uint64_t count) {
  if (count > rope->size()) {
    return absl::DataLossError(absl::StrCat(
        "truncated: ", count, " bytes needed, ", rope->size(), " left"));
  }
  std::string tail;
  rope->CopyTo(rope->size() - count, count, &tail);
  rope->Truncate(rope->size() - count);
  return tail;
}

}  // namespace

struct Sessions::Table {
  Id last_id = kNone;
  std::vector<Session> sessions;  // as in sessions_

  auto Fields() { return std::tie(last_id, sessions); }
};

Sessions::Sessions(std::unique_ptr<StateMachine> machine, size_t max_sessions,
                   Id last_id)
    : machine_(std::move(machine)),
      max_sessions_(max_sessions),
      last_id_(last_id) {
  CHECK(machine_ != nullptr) << "Sessions: the state machine is null";
  CHECK(max_sessions_ > 0) << "Sessions: no session is allowed";
}

std::string Sessions::EncodeOpen() {
  return rpc::Encode(RequestHeader{.is_open = true});
}

std::string Sessions::EncodeCommand(Id session, uint64_t number,
                                    std::string_view command) {
  return rpc::Encode(RequestHeader{.session = session, .number = number})
      .append(command);
}

absl::StatusOr<Sessions::Request> Sessions::DecodeRequest(
    std::string_view bytes) {
  const absl::StatusOr<RequestHeader> header =
      rpc::Decode<RequestHeader>(bytes.substr(0, kRequestHeaderBytes));
  if (!header.ok()) return header.status();
  if (header->is_open && bytes.size() > kRequestHeaderBytes) {
    return absl::DataLossError("malformed: bytes after what opens a session");
  }
  return Request{header->is_open, header->session, header->number,
                 bytes.substr(kRequestHeaderBytes)};
}

absl::StatusOr<Sessions::Answer> Sessions::Decode(std::string_view result) {
  if (result.empty() || static_cast<Status>(result[0]) > Status::kMalformed) {
    return absl::DataLossError("no result of Sessions");
  }
  return Answer{static_cast<Status>(result[0]), std::string(result.substr(1))};
}

absl::StatusOr<Sessions::Id> Sessions::DecodeId(std::string_view value) {
  return rpc::Decode<Id>(value);
}

std::string Sessions::Apply(std::string_view bytes) {
  const absl::StatusOr<Request> request = DecodeRequest(bytes);
  if (!request.ok()) return EncodeAnswer(Status::kMalformed, "");
  if (request->is_open) return Open();
  if (request->session == kNone || request->number == 0) {
    return EncodeAnswer(Status::kOk, machine_->Apply(request->command));
  }
  return Execute(*request);
}

std::string Sessions::Open() {
  if (sessions_.size() >= max_sessions_) {
    by_id_.erase(sessions_.front().id);
    sessions_.pop_front();
  }
  const Id id = ++last_id_;
  by_id_[id] = sessions_.insert(sessions_.end(), {id, 0, ""});
  return EncodeAnswer(Status::kOk, rpc::Encode(id));
}

std::string Sessions::Execute(const Request& request) {
  const auto found = by_id_.find(request.session);
  if (found == by_id_.end()) return EncodeAnswer(Status::kExpired, "");
  Session& session = *found->second;
  sessions_.splice(sessions_.end(), sessions_, found->second);
  if (request.number < session.number) return EncodeAnswer(Status::kStale, "");
  if (request.number > session.number) {
    session.value = machine_->Apply(request.command);
    session.number = request.number;
  }
  return EncodeAnswer(Status::kOk, session.value);
}

base::Rope Sessions::Snapshot() {
  base::Rope snapshot = machine_->Snapshot();
  const std::string table = rpc::Encode(
      Table{last_id_, std::vector(sessions_.begin(), sessions_.end())});
  snapshot.Append(table, rpc::Encode(uint64_t{table.size()}));
  return snapshot;
}

absl::Status Sessions::Restore(const base::Rope& snapshot) {
  base::Rope rest = snapshot;
  const absl::StatusOr<std::string> trailer = TakeTail(&rest, kTrailerBytes);
  if (!trailer.ok()) return trailer.status();
  const absl::StatusOr<std::string> bytes =
      TakeTail(&rest, rpc::Decode<uint64_t>(*trailer).value());
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<Table> table = rpc::Decode<Table>(*bytes);
  if (!table.ok()) return table.status();

  by_id_.clear();
  last_id_ = table->last_id;
  sessions_.assign(std::make_move_iterator(table->sessions.begin()),
                   std::make_move_iterator(table->sessions.end()));
  for (auto session = sessions_.begin(); session != sessions_.end();
       ++session) {
    if (session->id == kNone || session->id > last_id_ ||
        !by_id_.emplace(session->id, session).second) {
      return absl::DataLossError(
          absl::StrCat("malformed: session ", session->id));
    }
  }
  return machine_->Restore(rest);
}

}  // namespace rsm
