// What the servers replicate: keys and their values. A kvraft need not offer
// this header; tests read the log by it. Implemented in server.cc.

#ifndef KVRAFT_REPLICATED_STORE_H_
#define KVRAFT_REPLICATED_STORE_H_

#include <cstdint>
#include <string>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "kvraft/messages.h"
#include "rpc/codec.h"

namespace kvraft {

// What a log entry asks for.
struct Command {
  enum class Kind : uint8_t { kGet, kPut, kAppend, kPutVersion };

  Kind kind = Kind::kGet;
  std::string key;
  std::string value = {};  // but for kGet
  uint64_t version = 0;    // kPutVersion: the one to replace
  auto Fields() { return std::tie(kind, key, value, version); }
};

struct Entry {
  std::string value;
  uint64_t version = 0;  // counts the writes of the key; 0: it does not exist
  auto Fields() { return std::tie(value, version); }
};

// By key; a flat hash table, for with a million keys an ordered map is three
// times as slow, and one with nodes costs a command a sixth more. It is encoded
// in the order of the keys: equal states are equal bytes.
struct Entries : absl::flat_hash_map<std::string, Entry> {};
void save(rpc::ByteWriter& writer, const Entries& entries);
void load(rpc::ByteReader& reader, Entries& entries);

// The state machine (rsm/typed.h).
struct Store {
  using Command = kvraft::Command;
  using Result = Reply;
  Reply Apply(const Command& command);

  Entries entries;
  uint64_t revision = 0;  // counts the commands
  auto Fields() { return std::tie(entries, revision); }
};

}  // namespace kvraft

#endif  // KVRAFT_REPLICATED_STORE_H_
