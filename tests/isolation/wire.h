// What the tests and a process of what is under test say to each other: one
// kind of message, over a stream socket.
//
// Nothing that this process says is believed beyond what a server of the lab
// can say: calls, replies, saves, deliveries.

#ifndef TESTS_ISOLATION_WIRE_H_
#define TESTS_ISOLATION_WIRE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/mutex.h"
#include "persister/persister.h"
#include "raft/types.h"

namespace isolation {

// The socket, in the process of the Raft.
inline constexpr int kWireFd = 3;

enum class Kind : uint8_t {
  kHello,  // to the Raft's process, first
  // To it; each up to kKill is answered.
  kMake,      // bytes: MakeArgs; answer: the names of its methods
  kStart,     // bytes: the command; answer: StartAnswer
  kSnapshot,  // bytes: SnapshotArgs; answer: when Snapshot() has returned
  kState,     // answer: StateAnswer
  kHandle,    // name: of the method; bytes: its arguments; answer: its reply
  kClerk,     // bytes: ClerkCall; answer: ClerkAnswer (service_wire.h)
  kSubmit,    // bytes: the command; answer: SubmitAnswer
  kKill,      // answer: when Kill() or Close() has returned
  kForget,    // the tests hold the instance no longer
  kTaken,     // the service has taken the delivery
  kBye,       // the test has ended
  // From it.
  kCall,   // number: the peer; name, bytes: as above; answer: the reply
  kSave,   // bytes: SaveArgs
  kApply,  // bytes: Delivery
  kEnd,    // number: a new peer, the next one; name: of its server
  // In both directions.
  kAnswer,  // call: of the question; number: 1, or 0 if there is no answer
};

struct Message {
  Kind kind = Kind::kAnswer;
  uint64_t call = 0;      // chosen by the one that asks
  uint64_t instance = 0;  // of Raft; chosen by the tests
  int32_t number = 0;
  std::string name = {};
  std::string bytes = {};

  auto Fields() { return std::tie(kind, call, instance, number, name, bytes); }
};

struct MakeArgs {
  enum class What : uint8_t {
    kRaft,
    kServer,
    kClerk,
    kRsm,
    kCtrler,
    kCtrlerClerk,
    kShardServer,
    kShardClerk,
    kShardKV1Server,
    kShardKV1Clerk,
    kShardKV1Library
  };

  What what = What::kRaft;
  int32_t peers = 0;  // that it may call
  raft::ServerId me = 0;
  uint64_t seed = 0;
  int64_t max_raft_state = -1;  // a service's; -1: it takes no snapshots
  int64_t gid = 0;              // of a group of lab 4
  int32_t ctrlers = 0;          // the last peers are the controller's
  std::string raft_state = {};
  std::string snapshot = {};

  auto Fields() {
    return std::tie(what, peers, me, seed, max_raft_state, gid, ctrlers,
                    raft_state, snapshot);
  }
};

struct StartAnswer {
  raft::Index index = 0;
  raft::Term term = 0;
  bool is_leader = false;

  auto Fields() { return std::tie(index, term, is_leader); }
};

struct SnapshotArgs {
  raft::Index index = 0;
  std::string snapshot;

  auto Fields() { return std::tie(index, snapshot); }
};

struct StateAnswer {
  raft::Term term = 0;
  bool is_leader = false;

  auto Fields() { return std::tie(term, is_leader); }
};

// A long log is saved at each entry: what is new of it.
struct SaveArgs {
  uint64_t kept = 0;  // bytes of the raft state saved before, in front
  std::string added;
  bool has_snapshot = false;
  std::string snapshot;

  auto Fields() { return std::tie(kept, added, has_snapshot, snapshot); }
};

struct Delivery {
  bool is_snapshot = false;
  raft::Index index = 0;
  raft::Term term = 0;
  std::string bytes = {};

  auto Fields() { return std::tie(is_snapshot, index, term, bytes); }
};

// One end of the socket.
//
// Thread safety: Send() from any thread; Receive() from one.
class Wire {
 public:
  explicit Wire(int fd) : fd_(fd) {}

  // Messages arrive in the order in which they were sent. Does nothing if the
  // other side has ended.
  void Send(const Message& message) EXCLUDES(mu_);

  // The next message. Nothing at the end, and when what comes is none.
  std::optional<Message> Receive();

 private:
  bool ReceiveWhole(char* bytes, size_t size);

  const int fd_;
  base::Mutex mu_;  // held while sending: messages do not mix
};

}  // namespace isolation

#endif  // TESTS_ISOLATION_WIRE_H_
