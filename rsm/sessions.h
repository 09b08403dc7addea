// Exactly-once execution for any state machine (section 6.3 of Ongaro's
// dissertation): a client that got no answer asks again, perhaps another
// server, and its command must not be executed twice.
//
// A client opens a session, which is a command itself, and numbers its commands
// 1, 2, ... in it; all attempts of one have the same number. The table of
// sessions is a part of the replicated state: of each it has the newest number
// that was executed, and the result. A command with that number is answered
// from the table, one with an older number is not executed: a client that has
// gone on to a newer number has had the answer, or has given it up.
//
// The table is bounded, or clients that died would fill it. When a session is
// opened above the bound, the one that was used longest ago is forgotten; "long
// ago" is counted in the log, so that all servers forget the same one. A client
// that was forgotten learns so: a command of a session that is not in the table
// is not executed, for it may have been executed already. Session numbers are
// never used again. So nothing is ever executed twice; what such a client
// cannot know is whether its last command was executed once or never.
//
// Thread safety: as StateMachine's; the static functions are safe.

#ifndef RSM_SESSIONS_H_
#define RSM_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/rope.h"
#include "rsm/state_machine.h"

namespace rsm {

class Sessions : public StateMachine {
 public:
  using Id = uint64_t;
  static constexpr Id kNone = 0;

  static constexpr size_t kMaxSessions = size_t{1} << 16;

  // Puts sessions before `machine`. The bound, at least 1, must be the same on
  // all servers, and so must `last_id`: no session gets a number up to that,
  // for an earlier table may have given it.
  explicit Sessions(std::unique_ptr<StateMachine> machine,
                    size_t max_sessions = kMaxSessions, Id last_id = kNone);

  // The client's side. The command that opens a session; its value decodes with
  // DecodeId().
  static std::string EncodeOpen();

  // Command `number` of a session. With kNone as the session, or number 0, it
  // is executed each time: for commands that change nothing.
  static std::string EncodeCommand(Id session, uint64_t number,
                                   std::string_view command);

  // What became of a command that was applied.
  enum class Status : uint8_t {
    kOk,         // executed, now or before; the value is the result
    kStale,      // its session has executed a newer number
    kExpired,    // its session is not in the table
    kMalformed,  // no command of Sessions
  };
  struct Answer {
    Status status = Status::kOk;
    std::string value;
  };
  static absl::StatusOr<Answer> Decode(std::string_view result);
  static absl::StatusOr<Id> DecodeId(std::string_view value);

  // What EncodeOpen() or EncodeCommand() encoded, for views of a log.
  struct Request {
    bool is_open = false;
    Id session = kNone;
    uint64_t number = 0;
    std::string_view command;  // a part of the bytes
  };
  static absl::StatusOr<Request> DecodeRequest(std::string_view bytes);

  std::string Apply(std::string_view bytes) override;
  base::Rope Snapshot() override;
  absl::Status Restore(const base::Rope& snapshot) override;

 private:
  struct Session {
    Id id = kNone;
    uint64_t number = 0;  // the newest that was executed
    std::string value;    // its result

    auto Fields() { return std::tie(id, number, value); }
  };
  struct Table;  // as it is in a snapshot

  std::string Open();
  std::string Execute(const Request& request);

  const std::unique_ptr<StateMachine> machine_;
  const size_t max_sessions_;

  Id last_id_;                   // given to a session
  std::list<Session> sessions_;  // the one used longest ago in front
  std::unordered_map<Id, std::list<Session>::iterator> by_id_;
};

}  // namespace rsm

#endif  // RSM_SESSIONS_H_
