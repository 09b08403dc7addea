// What clients of the key/value service did, when, and what the servers
// executed for them; and whether that was linearizable.
//
// An operation is recorded when it begins, and is pending until it ends: one
// that never does may have been executed or not. Times are of one monotonic
// clock, taken before the call and after the return.
//
// The servers' log is the first order that is tried: the answer to an operation
// carries the revision of its execution (kvraft/messages.h); what was executed
// and not answered is recognized by what it wrote. All servers must have
// executed the same at each index, with the same result. Of a kvraft whose log
// the tests cannot read (kv_log.h), no more is known than what clients saw.
//
// Thread safety: safe. Lock order: mu_ is a leaf.

#ifndef TESTS_HARNESS_KV_HISTORY_H_
#define TESTS_HARNESS_KV_HISTORY_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/rope.h"
#include "kvraft/messages.h"
#include "porcupine/explanation.h"
#include "porcupine/history.h"
#include "porcupine/outcome.h"
#include "raft/types.h"
#include "tests/harness/kv_log.h"

namespace harness {

// An operation of a client that begins now. `version` is the one to replace.
porcupine::Record BeginRecord(int client, porcupine::Kind kind,
                              const std::string& key,
                              const std::string& argument = "",
                              uint64_t version = 0);

// The time that a record has.
std::chrono::steady_clock::time_point TimeOf(int64_t time);

class KvHistory {
 public:
  // Without the log a revision says the order of the executions of a key, and
  // nothing more.
  explicit KvHistory(bool reads_log = CanReadLog()) : reads_log_(reads_log) {}

  // An operation has begun: returns its number.
  size_t Begin(porcupine::Record record) EXCLUDES(mu_);
  // It ends now, with that answer: returns the time.
  int64_t End(size_t operation, const kvraft::Reply& reply) EXCLUDES(mu_);

  // A server has executed an entry: `message` and `result` are what its Rsm
  // has. Returns an error if another server, or an earlier incarnation, has
  // executed another command at that index or got another result.
  std::optional<std::string> OnExecuted(raft::ServerId server,
                                        const raft::ApplyMsg& message,
                                        std::string_view result) EXCLUDES(mu_);

  // A server takes that snapshot. Returns an error if one of that index was not
  // the same.
  std::optional<std::string> OnSnapshot(raft::ServerId server,
                                        raft::Index index,
                                        const base::Rope& snapshot)
      EXCLUDES(mu_);

  // Whether all that was done up to now is linearizable, each answer is that of
  // an execution, each write was executed at most as often as clients asked for
  // it, and no session executed a number again or a lower one; if not, why, in
  // words.
  struct Verdict {
    porcupine::Outcome outcome = porcupine::Outcome::kOk;
    std::string text = {};                                   // several lines
    std::optional<porcupine::Explanation> explanation = {};  // the first key
  };
  Verdict Check() EXCLUDES(mu_);

  size_t size() const EXCLUDES(mu_);

  // Each write that was begun, equal ones together.
  struct Asked {
    size_t begun = 0;
    size_t answered = 0;  // of these
    size_t executed = 0;  // 0 where the log is not read
  };
  using Writes = std::map<KvCall, Asked>;
  Writes CountWrites() const EXCLUDES(mu_);

  // All that operations were called with.
  std::set<std::string> Keys() const EXCLUDES(mu_);

  // How often a write has been executed: that value, put or appended, at that
  // key.
  size_t Executions(const std::string& key, const std::string& value) const
      EXCLUDES(mu_);

 private:
  // An entry of the log, on the server that executed it first.
  struct Entry {
    raft::ServerId server = 0;
    raft::Term term = 0;
    size_t command_hash = 0;
    size_t result_hash = 0;
    KvExecution execution;
  };

  // Executed writes that no operation is known to have asked for: their
  // indexes, by what they wrote. Equal ones cannot be told apart.
  using Unmatched = std::map<KvCall, std::set<raft::Index>>;

  struct Matching {
    Unmatched surplus;
    std::vector<size_t> unfounded;  // records that the log contradicts
  };

  static std::vector<std::string> SessionFaults(
      const std::map<raft::Index, Entry>& log);
  static void Match(raft::Index index, porcupine::Record* record,
                    Unmatched* unmatched);
  Matching MatchLocked() REQUIRES(mu_);
  std::vector<std::string> FaultsLocked(const Matching& matching) const
      REQUIRES(mu_);

  const bool reads_log_;

  mutable base::Mutex mu_;
  porcupine::History records_ ABSL_GUARDED_BY(mu_);
  std::vector<uint64_t> revisions_ ABSL_GUARDED_BY(mu_);  // of their answers
  std::map<raft::Index, Entry> log_ ABSL_GUARDED_BY(mu_);
  std::map<raft::Index, size_t> snapshots_ ABSL_GUARDED_BY(mu_);  // hashes
};

}  // namespace harness

#endif  // TESTS_HARNESS_KV_HISTORY_H_
