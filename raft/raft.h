// A replicated log that a service builds on: the Raft consensus algorithm (the
// extended paper, "In Search of an Understandable Consensus Algorithm").
//
// A service makes one Raft per server, gives commands to the leader's Start(),
// and executes what every server delivers on its apply channel. Servers
// communicate through the ends of rpc/rpc.h only, and remember across crashes
// through their Persister or Storage. This header is all that a user includes.
//
// Thread safety: safe. No call waits for a peer or a disk; Kill() joins
// threads, and makes durable what the storage still has to write.

#ifndef RAFT_RAFT_H_
#define RAFT_RAFT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/channel.h"
#include "base/random.h"
#include "base/rope.h"
#include "persister/persister.h"
#include "persister/storage.h"
#include "raft/timing.h"
#include "raft/types.h"
#include "rpc/rpc.h"

namespace raft {

// Where a server delivers what is committed; capacity 0 is the course's
// rendezvous, 1,024 or more suits a service.
using ApplyChannel = base::Channel<ApplyMsg>;

struct Options {
  // Precedes the server's number in log lines, "G101/S2", where one process
  // runs servers of several groups.
  std::string name = {};

  Timing timing = {};

  // Checks at each release of the lock what must hold (raft/invariants.h); what
  // does not ends the process.
  bool check_invariants = true;

  // Delivers on the apply channel also what GetState() says, soon after it has
  // changed: a service then knows without asking that a command which it waits
  // for may have lost its place. Of changes in quick succession only the last
  // one need be delivered; entries that are committed come first.
  bool announce_state = false;

  // Draws the election timeouts; seeded by the operating system if not given.
  std::optional<base::Random> random = {};

  // Every "now" of the instance. Tests of one without threads may set it.
  std::function<Clock::time_point()> clock = Clock::now;
};

// What a server knows at one moment, for logs, tables and tests.
struct Status {
  // A follower as its leader sees it (Figure 2, volatile state on leaders).
  struct Follower {
    Index match_index = 0;
    Index next_index = 1;
    bool responsive = false;     // answers, as far as is known
    bool gets_snapshot = false;  // lacks entries that were discarded (7)
    bool lost_log = false;       // lacks what it had acknowledged: a lost disk
  };

  Role role = Role::kFollower;
  Term term = 0;
  ServerId voted_for = kNobody;  // in this term
  ServerId leader = kNobody;     // of this term, as far as is known: a hint
  Index first_index = 1;         // of the log, were there an entry
  Index last_index = 0;
  Term last_term = 0;    // of the entry there, discarded or not
  size_t log_bytes = 0;  // of the entries from first_index on
  Index commit_index = 0;
  Index last_applied = 0;
  Index durable_index = 0;          // the log is on the disk up to there
  uint64_t malformed_requests = 0;  // dropped: no peer's id, broken entries
  std::vector<Follower> followers = {};  // by server; empty unless it leads
};

class Raft {
 public:
  Raft() = default;
  Raft(const Raft&) = delete;
  Raft& operator=(const Raft&) = delete;
  virtual ~Raft() = default;  // Kill(), if that has not been done

  // Gives the service's next command, any bytes, to the leader. Returns at
  // once: {index, term, true} if this server believes that it leads, where the
  // command will stand if it ever commits; otherwise is_leader is false and
  // nothing was done. There is no guarantee that the command will commit. A
  // command above kMaxCommandBytes is refused by every server: too_large is
  // true then.
  virtual StartResult Start(std::string_view command) = 0;

  // Tells that the service has stored in `snapshot`, any bytes, the effect of
  // all entries up to `index`: the log discards them (7). A server that lacks
  // them, this one after a restart or another one, gets the snapshot instead,
  // on its apply channel. To be called on every server, by the thread that
  // reads that channel; waits for no peer and no delivery. Ignored if a
  // snapshot covers `index` already. REQUIRES: `index` was delivered here.
  virtual void Snapshot(Index index, base::Rope snapshot) = 0;

  // The current term, and whether this server believes that it leads.
  virtual State GetState() const = 0;

  virtual Status GetStatus() const = 0;

  // What the peers call, to be registered with the server's network. They keep
  // the instance alive.
  virtual std::vector<rpc::Service> Services() = 0;

  // Ends this instance: closes the apply channel (a blocked delivery is given
  // up) and the ends, and joins the threads. When it returns nothing of the
  // instance runs any more; Start() says "not leader", calls from peers get an
  // empty reply. Idempotent; a second caller waits for the first.
  // REQUIRES: not called by a callback of an end, nor under a lock that the
  // service takes there.
  virtual void Kill() = 0;
};

// Makes server `me` of a cluster: peers[j] leads to server j, peers[me] is not
// used and may be null, nothing else may. Resumes from what `persister` holds,
// and delivers its snapshot, if there is one, before anything else; empty
// means a new server, damaged ends the process (raft/saved_state.h), and
// so does a disk that fails, now or later (persister/persister.h). Waits for
// no delivery, but the snapshot's may begin before it returns. The instance is
// the only one to send on `apply_channel` and closes it in Kill(). The last
// reference may not be dropped by a callback of one of the ends.
std::shared_ptr<Raft> Make(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
                           ServerId me,
                           std::shared_ptr<persister::Persister> persister,
                           std::shared_ptr<ApplyChannel> apply_channel,
                           Options options = {});

// The same on a storage that has just been opened, which tells later when a
// change is durable. Only this Raft uses it, and closes it in Kill(). While it
// has no room (Storage::HasRoom) the server leads no more, and takes no
// entries.
std::shared_ptr<Raft> MakeWithStorage(
    std::vector<std::shared_ptr<rpc::ClientEnd>> peers, ServerId me,
    std::shared_ptr<persister::Storage> storage,
    std::shared_ptr<ApplyChannel> apply_channel, Options options = {});

}  // namespace raft

#endif  // RAFT_RAFT_H_
