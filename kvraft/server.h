// One server of the key/value service: a Store with sessions around it, which
// an Rsm replicates.
//
// Every call, Get too, is answered by the execution of its own log entry, so
// that a leader that was replaced and does not know it answers nothing.

#ifndef KVRAFT_SERVER_H_
#define KVRAFT_SERVER_H_

#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "kvraft/messages.h"
#include "rpc/codec.h"
#include "rsm/rsm.h"

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

// By key; a hash table, for an ordered map is three times as slow with a
// million keys. It is encoded in the order of the keys: equal states are equal
// bytes.
struct Entries : std::unordered_map<std::string, Entry> {};
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

// Thread safety: safe.
class Server {
 public:
  // Makes server `me` of a group, as raft::Make() and Rsm do.
  Server(std::vector<std::shared_ptr<rpc::ClientEnd>> peers, raft::ServerId me,
         std::shared_ptr<persister::Persister> persister,
         rsm::Options options = {});

  // What Clerks and peers call. They may outlive the server.
  std::vector<rpc::Service> Services();

  raft::Raft& raft() { return rsm_->raft(); }

  // Ends the server: calls in progress are lost, threads joined. Idempotent.
  void Kill() { rsm_->Kill(); }

 private:
  const std::shared_ptr<rsm::Rsm> rsm_;
};

}  // namespace kvraft

#endif  // KVRAFT_SERVER_H_
