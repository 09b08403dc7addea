// The process of what is under test: makes instances of it as the tests ask,
// and passes on what goes in and out (wire.h).
//
// Invariant: the main thread only reads, so that the tests can always send;
// what may block runs on the pool.

#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/logging.h"
#include "base/mutex.h"
#include "labrpc/timer_queue.h"
#include "labrpc/worker_pool.h"
#include "rpc/codec.h"
#include "tests/isolation/hosted.h"
#include "tests/isolation/wire.h"

namespace isolation {
namespace {

class Host {
 public:
  // Returns when the test has ended.
  void Run() {
    while (std::optional<Message> message = wire_.Receive()) {
      if (message->kind == Kind::kBye) break;
      OnMessage(*std::move(message));
    }
    pool_.Shutdown();
    timers_.Shutdown();
  }

 private:
  using HostedRef = std::shared_ptr<Hosted>;

  void OnMessage(Message message) {
    if (message.kind == Kind::kHello) return;
    if (message.kind == Kind::kTaken) {
      if (const HostedRef hosted = Find(message.instance)) hosted->OnTaken();
      return;
    }
    pool_.Submit([this, message = std::move(message)] { Serve(message); });
  }

  void Serve(const Message& message) {
    if (message.kind == Kind::kMake) return Make(message);
    if (message.kind == Kind::kForget) return Forget(message.instance);
    const HostedRef hosted = Find(message.instance);
    if (hosted == nullptr) {
      if (message.kind != Kind::kAnswer) Answer(message, std::nullopt);
    } else if (message.kind == Kind::kAnswer) {
      hosted->OnAnswer(message);
    } else {
      hosted->Serve(message, [this, message](std::optional<std::string> reply) {
        Answer(message, std::move(reply));
      });
    }
  }

  void Make(const Message& message) EXCLUDES(mu_) {
    const auto args = *rpc::Decode<MakeArgs>(message.bytes);
    const HostedRef hosted = MakeHosted(&wire_, message.instance, args);
    {
      base::MutexLock lock(&mu_);
      all_[message.instance] = hosted;
    }
    hosted->Make(args);
    Answer(message, hosted->Methods());
  }

  HostedRef Find(uint64_t instance) EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    const auto found = all_.find(instance);
    return found == all_.end() ? nullptr : found->second;
  }

  void Forget(uint64_t instance) EXCLUDES(mu_) {
    HostedRef forgotten;
    base::MutexLock lock(&mu_);
    const auto found = all_.find(instance);
    if (found == all_.end()) return;
    forgotten = std::move(found->second);
    all_.erase(found);
  }

  void Answer(const Message& question, std::optional<std::string> bytes) {
    wire_.Send({.kind = Kind::kAnswer,
                .call = question.call,
                .instance = question.instance,
                .number = bytes.has_value() ? 1 : 0,
                .bytes = std::move(bytes).value_or("")});
  }

  Wire wire_{kWireFd};
  base::Mutex mu_;
  std::map<uint64_t, HostedRef> all_ ABSL_GUARDED_BY(mu_);
  labrpc::TimerQueue timers_;
  labrpc::WorkerPool pool_{&timers_};
};

}  // namespace
}  // namespace isolation

int main(int, char** argv) {
  setenv("TZ", "UTC", /*replace=*/0);
  FLAGS_logtostderr = true;
  google::InitGoogleLogging(argv[0]);
  isolation::Host().Run();
  return 0;
}
