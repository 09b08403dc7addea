// What Clerks ask servers of the key/value service, and what these answer.

#ifndef KVRAFT_MESSAGES_H_
#define KVRAFT_MESSAGES_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <tuple>

#include "rpc/rpc.h"

namespace kvraft {

// The longest key, in bytes; with its value it must fit into a command of Raft
// (raft::kMaxCommandBytes).
inline constexpr size_t kMaxKeyBytes = 4096;

enum class Err : uint8_t {
  kOk,
  kNoKey,        // the key does not exist
  kVersion,      // the key has another version; nothing was changed
  kWrongLeader,  // not executed: this server does not lead
  kLost,      // unknown: it leads no more, the next leader may execute it yet
  kTooLarge,  // not executed, here and elsewhere: above the limits
  kSession,   // not executed: the session is unknown, or past that number
  // A Clerk's own answers.
  kMaybe,      // unknown, and stays so: executed once or not at all
  kNoServers,  // not executed: the Clerk has none
  kClosed,     // unknown: the Clerk was closed
};

// "OK", "ErrNoKey", ...; "ErrUnknown" of what a message may hold besides.
constexpr const char* Name(Err err) {
  constexpr const char* kNames[] = {
      "OK",          "ErrNoKey",   "ErrVersion", "ErrWrongLeader", "ErrLost",
      "ErrTooLarge", "ErrSession", "ErrMaybe",   "ErrNoServers",   "ErrClosed"};
  const auto number = static_cast<size_t>(err);
  return number < std::size(kNames) ? kNames[number] : "ErrUnknown";
}

struct GetArgs {
  std::string key;
  auto Fields() { return std::tie(key); }
};

// Session and number name the call, however often it is sent (rsm/sessions.h).
struct PutAppendArgs {
  std::string key;
  std::string value;
  bool append = false;
  uint64_t session = 0;
  uint64_t number = 0;  // from 1
  auto Fields() { return std::tie(key, value, append, session, number); }
};

// Executed if the key has that version; 0: if it does not exist.
struct PutArgs {
  std::string key;
  std::string value;
  uint64_t version = 0;
  auto Fields() { return std::tie(key, value, version); }
};

struct OpenSessionArgs {
  auto Fields() { return std::tie(); }
};

struct OpenSessionReply {
  Err err = Err::kWrongLeader;
  uint64_t session = 0;
  auto Fields() { return std::tie(err, session); }
};

struct Reply {
  Err err = Err::kWrongLeader;
  std::string value = {};  // Get's
  uint64_t version = 0;    // of the key, after this: counts its writes
  uint64_t revision = 0;   // of the service: counts all executions
  auto Fields() { return std::tie(err, value, version, revision); }
};

inline constexpr rpc::Method<GetArgs, Reply> kGet{"KVServer.Get"};
inline constexpr rpc::Method<PutAppendArgs, Reply> kPutAppend{
    "KVServer.PutAppend"};
inline constexpr rpc::Method<PutArgs, Reply> kPut{"KVServer.Put"};
inline constexpr rpc::Method<OpenSessionArgs, OpenSessionReply> kOpenSession{
    "KVServer.OpenSession"};

}  // namespace kvraft

#endif  // KVRAFT_MESSAGES_H_
