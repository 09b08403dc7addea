// One instance of what is under test, in the process that has it: gives it its
// peers and its disk, and sends what goes out to the tests.

#ifndef TESTS_ISOLATION_HOSTED_H_
#define TESTS_ISOLATION_HOSTED_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "persister/persister.h"
#include "rpc/rpc.h"
#include "tests/isolation/wire.h"

namespace isolation {

// Leads to one peer.
//
// Thread safety: safe. Lock order: mu_ is above the wire's own.
class PeerEnd : public rpc::ClientEnd {
 public:
  PeerEnd(Wire* wire, uint64_t instance, int32_t peer)
      : wire_(wire), instance_(instance), peer_(peer) {}

  // The call's outcome: runs its callback, on the caller's thread.
  void OnAnswer(const Message& answer) EXCLUDES(mu_);

  void Close() override EXCLUDES(mu_);

 protected:
  std::optional<std::string> CallFrame(std::string_view method,
                                       rpc::Frame args) override EXCLUDES(mu_);
  void CallFrameAsync(std::string_view method, rpc::Frame args,
                      DoneBytes done) override EXCLUDES(mu_);

 private:
  Wire* const wire_;
  const uint64_t instance_;
  const int32_t peer_;

  base::Mutex mu_;
  base::CondVar changed_;
  bool is_closed_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t calls_ ABSL_GUARDED_BY(mu_) = 0;
  int running_ ABSL_GUARDED_BY(mu_) = 0;  // callbacks
  std::map<uint64_t, DoneBytes> pending_ ABSL_GUARDED_BY(mu_);
};

// Thread safety: safe. Lock order: mu_ is above the wire's own.
class Hosted {
 public:
  // `peers` is their number.
  Hosted(Wire* wire, uint64_t instance, int32_t peers);
  virtual ~Hosted() = default;
  Hosted(const Hosted&) = delete;
  Hosted& operator=(const Hosted&) = delete;

  // Makes what is under test, once, before any Serve(). It may call its peers
  // at once: OnAnswer() works already.
  virtual void Make(const MakeArgs& args) = 0;

  // Answers any other question of the tests; nothing: there is no answer. May
  // block, and may answer later.
  virtual void Serve(const Message& question, rpc::RespondBytes respond) = 0;

  // The tests have taken what was delivered.
  virtual void OnTaken() {}

  void OnAnswer(const Message& answer) EXCLUDES(mu_);

  // The names of the methods that peers may call, on a line each.
  std::string Methods() const EXCLUDES(mu_);

 protected:
  std::vector<std::shared_ptr<rpc::ClientEnd>> Peers() const EXCLUDES(mu_);
  // Leads to the server with that name.
  std::shared_ptr<rpc::ClientEnd> MakeEnd(const std::string& server)
      EXCLUDES(mu_);
  // Sends each save to the tests, which keep it, and remembers the last.
  std::shared_ptr<persister::Persister> MakeDisk(const MakeArgs& args) const;
  void Offer(const std::vector<rpc::Service>& services) EXCLUDES(mu_);
  void Handle(const Message& call, rpc::RespondBytes respond) EXCLUDES(mu_);

  Wire* const wire_;
  const uint64_t instance_;

 private:
  mutable base::Mutex mu_;
  std::vector<std::shared_ptr<PeerEnd>> peers_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, rpc::Service::Handler> handlers_ ABSL_GUARDED_BY(mu_);
};

// Defined by what this program is for. Makes an instance of a kind (MakeArgs).
std::shared_ptr<Hosted> MakeHosted(Wire* wire, uint64_t instance,
                                   const MakeArgs& args);

}  // namespace isolation

#endif  // TESTS_ISOLATION_HOSTED_H_
