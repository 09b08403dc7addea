// In the tests: one instance of what is under test, which lives in another
// process; does for it what goes out, calls to peers and saves.

#ifndef TESTS_ISOLATION_REMOTE_H_
#define TESTS_ISOLATION_REMOTE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/rope.h"
#include "persister/persister.h"
#include "rpc/codec.h"
#include "rpc/rpc.h"
#include "tests/isolation/raft_process.h"
#include "tests/isolation/raw_bytes.h"
#include "tests/isolation/wire.h"

namespace isolation {

using Ends = std::vector<std::shared_ptr<rpc::ClientEnd>>;

// What the other process said is not what it should be: it is the fault of what
// is under test.
template <typename T>
T DecodeOrDie(std::string_view bytes) {
  absl::StatusOr<T> value = rpc::Decode<T>(bytes);
  CHECK(value.ok()) << "the process under test: " << value.status().message();
  return *std::move(value);
}

// The other process has its part as long as this is alive: while the tests or a
// running call hold it.
//
// Thread safety: safe, but for Make() and Kill(). Lock order: mu_ is a leaf.
class Remote : public Listener {
 public:
  // Makes an end that leads to the server with that name.
  using MakeEnd =
      std::function<std::shared_ptr<rpc::ClientEnd>(const std::string&)>;

  // `disk` is null if it has none, `make_end` if it may make no ends.
  Remote(RaftProcess* process, Ends peers,
         std::shared_ptr<persister::Persister> disk,
         MakeEnd make_end = nullptr);
  ~Remote() override;
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;

  // Has it made, first of all; returns the names of its methods. Peers, seed
  // and what is on the disk are filled in. REQUIRES: `me` is this.
  std::vector<std::string> Make(const std::shared_ptr<Remote>& me,
                                MakeArgs args, base::Random* random);

  // Blocks for the answer; nothing if there is none.
  std::optional<std::string> Ask(Kind kind, std::string_view name = {},
                                 std::string_view bytes = {}) const;
  // Returns at once; `done` gets it on the reader's thread, and must not block.
  void AskAsync(Kind kind, std::string_view name, std::string_view bytes,
                RaftProcess::Done done) const;
  void Tell(Message message) const;

  // Has it handle a call: answers as it does, or as little.
  void Answer(std::string_view method, const RawBytes& args,
              rpc::Responder<RawBytes> respond) const;

  // Ends the ends that lead to its peers.
  void ClosePeers() EXCLUDES(mu_);

  void OnMessage(Message message) override;

 protected:
  virtual void OnApply(Message&& message);

  RaftProcess* const process_;

 private:
  // It makes few, or one for each call; more than this is an attack.
  static constexpr size_t kMostPeers = size_t{1} << 16;

  void OnCall(Message message) EXCLUDES(mu_);
  void OnSave(const Message& message);
  void OnEnd(const Message& message) EXCLUDES(mu_);

  const std::shared_ptr<persister::Persister> disk_;
  const MakeEnd make_end_;
  uint64_t id_ = 0;
  base::Rope saved_;  // for the reader's thread

  base::Mutex mu_;
  Ends peers_ ABSL_GUARDED_BY(mu_);
  bool is_closed_ ABSL_GUARDED_BY(mu_) = false;  // its peers are
};

}  // namespace isolation

#endif  // TESTS_ISOLATION_REMOTE_H_
