// Who stood for election, and who voted for whom: read from the RequestVote
// messages themselves as they cross the network.
//
// An election among idle servers is over within a millisecond, far too fast to
// see by looking at the servers now and then.
//
// Thread safety: safe; a leaf in the lock order.

#ifndef EXAMPLES_DEMO_BALLOTS_H_
#define EXAMPLES_DEMO_BALLOTS_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "labrpc/packet.h"
#include "raft/types.h"

namespace tests {

class Ballots {
 public:
  struct Candidacy {
    raft::ServerId candidate;
    raft::Term term;
  };

  // Takes note of a message. REQUIRES: ends are called "<from>-<to>".
  void Observe(const labrpc::Packet& packet) EXCLUDES(mu_);

  // The candidacies since the last call, in the order they were seen.
  std::vector<Candidacy> TakeNew() EXCLUDES(mu_);

  // Whose votes have reached the candidate so far, without its own.
  std::set<raft::ServerId> VotesFor(raft::ServerId candidate,
                                    raft::Term term) const EXCLUDES(mu_);

 private:
  using Key = std::pair<raft::Term, raft::ServerId>;

  mutable base::Mutex mu_;
  std::map<Key, std::set<raft::ServerId>> votes_ ABSL_GUARDED_BY(mu_);
  std::vector<Candidacy> new_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tests

#endif  // EXAMPLES_DEMO_BALLOTS_H_
