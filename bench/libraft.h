// libraft, the Raft in C of Canonical's dqlite, as a cluster of three servers
// beside ours: Debian's, if it was there when this was built.
//
// All servers and the client are one thread. Messages go through a queue, their
// entries copied into one batch, as the library's own network reads them;
// nothing is encoded. What is appended is durable as soon as the queue comes to
// it. Its clock steps when there is nothing else to do.
//
// A command that is applied in the place of another is fatal.
//
// Thread safety: confined to one thread. Always true: command number n is the
// n-th that each server applies.

#ifndef BENCH_LIBRAFT_H_
#define BENCH_LIBRAFT_H_

#include <cstddef>
#include <cstdint>
#include <memory>

namespace bench {

class Libraft {
 public:
  static bool IsThere();

  // With a leader. REQUIRES: IsThere().
  explicit Libraft(size_t command_bytes);
  ~Libraft();
  Libraft(const Libraft&) = delete;
  Libraft& operator=(const Libraft&) = delete;

  // Gives the leader the next commands, with one call of the library.
  void Submit(uint64_t count);
  uint64_t submitted() const;

  // Runs the servers until the leader has applied as many, or all servers have
  // applied all.
  void AwaitLeader(uint64_t count);
  void AwaitAll();

 private:
  class Cluster;
  std::unique_ptr<Cluster> cluster_;
};

}  // namespace bench

#endif  // BENCH_LIBRAFT_H_
