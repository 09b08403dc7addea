// Case (h): the network alone. A service that does next to nothing, asked
// asynchronously with 64 calls in flight, by handlers that return the reply and
// by those that answer later, and by blocking calls.

#include <tuple>
#include <utility>

#include "base/mutex.h"
#include "bench/cases.h"
#include "bench/consumer.h"
#include "bench/measure.h"
#include "labrpc/network.h"
#include "rpc/rpc.h"

namespace bench {
namespace {

using base::MutexLock;
using benchmark::State;

constexpr int kInFlight = 64;

struct Number {
  uint64_t value = 0;
  auto Fields() { return std::tie(value); }
};
using NumberMethod = rpc::Method<Number, Number>;
constexpr NumberMethod kNext{"Bench.Next"};
constexpr NumberMethod kNextLater{"Bench.NextLater"};

// A network with one server that answers n with n + 1, and an end to it.
class Line {
 public:
  Line() : network_("bench"), end_(network_.MakeEnd("end")) {
    rpc::Service service("Bench");
    const auto next = [](const Number& number) {
      Number result;
      result.value = number.value + 1;
      return result;
    };
    service.Handle(kNext, next);
    service.HandleAsync(kNextLater, [next](const Number& number,
                                           rpc::Responder<Number> respond) {
      std::move(respond).Send(next(number));
    });
    auto server = std::make_shared<labrpc::Server>();
    server->AddService(std::move(service));
    network_.AddServer("server", std::move(server));
    network_.Connect("end", "server");
    network_.Enable("end", true);
  }

  rpc::ClientEnd& end() { return *end_; }

 private:
  labrpc::Network network_;
  const std::shared_ptr<rpc::ClientEnd> end_;
};

// Keeps kInFlight calls under way from one thread.
class Window {
 public:
  // Waits until there is room for another call.
  void Enter() EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    while (in_flight_ >= kInFlight) room_made_.Wait(&mu_);
    ++in_flight_;
  }
  void Leave() EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    if (in_flight_-- == kInFlight || in_flight_ == 0) room_made_.Signal();
  }
  void AwaitEmpty() EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    while (in_flight_ > 0) room_made_.Wait(&mu_);
  }

 private:
  base::Mutex mu_;
  base::CondVar room_made_;
  int in_flight_ ABSL_GUARDED_BY(mu_) = 0;
};

void Asynchronous(const NumberMethod& method, uint64_t calls, State* state) {
  Window window;
  Line line;
  const Clock::time_point begin = Clock::now();
  for (uint64_t i = 0; i < calls; ++i) {
    window.Enter();
    Number number;
    number.value = i;
    line.end().CallAsync(method, number,
                         [&window, i](const std::optional<Number>& reply) {
                           CHECK(reply.has_value());
                           CHECK_EQ(reply->value, i + 1);
                           window.Leave();
                         });
  }
  window.AwaitEmpty();
  const double seconds = Seconds(Clock::now() - begin);
  state->SetIterationTime(seconds);
  state->counters["per_second"] = static_cast<double>(calls) / seconds;
}

void Blocking(uint64_t calls, State* state) {
  Line line;
  std::vector<double> us;
  us.reserve(calls);
  for (uint64_t i = 0; i < calls; ++i) {
    Number number;
    number.value = i;
    const Clock::time_point begin = Clock::now();
    const std::optional<Number> reply = line.end().Call(kNext, number);
    us.push_back(1e6 * Seconds(Clock::now() - begin));
    CHECK(reply.has_value());
    CHECK_EQ(reply->value, i + 1);
  }
  state->SetIterationTime(1e-6 * Quantile(us, 0.5));
  state->counters["p50_us"] = Quantile(us, 0.5);
  state->counters["p99_us"] = Quantile(us, 0.99);
}

}  // namespace

void RegisterRpc(Scale scale) {
  const uint64_t blocking = Scaled(scale, 20'000, 50);
  const uint64_t calls = Scaled(scale, 1'000'000, 500);
  AddCase("rpc/asynchronous",
          [=](State& state) { Asynchronous(kNext, calls, &state); });
  AddCase("rpc/later",
          [=](State& state) { Asynchronous(kNextLater, calls, &state); });
  AddCase("rpc/blocking", [=](State& state) { Blocking(blocking, &state); });
  AddCase("rpc/blocking/one_cpu", [=](State& state) {
    const PinnedTo pinned(AllowedCpus().front());
    Blocking(blocking, &state);
  });
}

}  // namespace bench
