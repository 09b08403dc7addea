#include "tests/harness/service_stage.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "gtest/gtest.h"
#include "tests/harness/report.h"

namespace harness {
namespace {

constexpr std::chrono::seconds kTimeLimit(120);
constexpr char kTimeLimitMessage[] = "test took longer than 120 seconds";

std::string PassedLineOf(Year year, const ServiceCosts& costs) {
  switch (year) {
    case Year::k2022:
      return ServicePassedLine(costs);
    case Year::k2025:
      return ServicePassedLine2025(costs);
    case Year::k2022Sharded:
      break;
  }
  return "  ... Passed";
}

}  // namespace

ServiceStage::ServiceStage(Options options, Place place)
    : options_(std::move(options)), place_(place), created_(Clock::now()) {
  if (options_.tap != nullptr) network_.SetTap(options_.tap);
}

ServiceStage::~ServiceStage() {
  Close();
  if (TookTooLong() && !HasFailed()) {
    ReportFailure({Kind::kLiveness, kTimeLimitMessage}, place_);
  }
  std::optional<Failure> unreported;
  {
    base::MutexLock lock(&mu_);
    if (!reported_) unreported = error_;
  }
  if (unreported.has_value()) ReportFailure(*unreported, place_);
  ReportExpense(place_);
}

void ServiceStage::Observe(const Observers& group) {
  if (!first_observers_.has_value()) first_observers_.emplace(group);
  observers_->Add(group);
  {
    base::MutexLock lock(&mu_);
    if (!group.any() || std::exchange(observed_, true)) return;
  }
  network_.SetObserver([observers = observers_](const labrpc::Packet& packet) {
    observers->OnPacket(packet);
  });
}

void ServiceStage::Open(bool reliable) {
  reliable_ = reliable;
  observers_->Tell(&ClusterObserver::OnNetwork, std::string_view("reliable"),
                   reliable);
  network_.Reliable(reliable);
  failure_watcher_ = std::thread([this] { AwaitFailure(); });
}

void ServiceStage::Close() {
  {
    base::MutexLock lock(&mu_);
    ended_ = true;
  }
  failed_or_ended_.SignalAll();
  if (failure_watcher_.joinable()) failure_watcher_.join();
}

void ServiceStage::Begin(std::string_view title) {
  LOG(INFO) << "TEST begin title=\"" << title
            << "\" servers=" << options_.servers;
  const std::string line = options_.year == Year::k2025
                               ? TitleLine2025(title, reliable_)
                               : TitleLine(title);
  Print(absl::StrCat(line, "\n"));
  observers_->Tell(&ClusterObserver::OnTitle, title);
  baseline_ = {Clock::now(), network_.GetTotalCount(), operations_};
}

void ServiceStage::End(Place place) {
  CheckError(place);
  if (TookTooLong()) Fail(Kind::kLiveness, kTimeLimitMessage, place);
  ReportExpense(place);
  if (testing::Test::HasFailure()) return;
  const ServiceCosts costs{.time = Clock::now() - baseline_.time,
                           .servers = options_.servers,
                           .rpcs = network_.GetTotalCount() - baseline_.rpcs,
                           .operations = operations_ - baseline_.operations};
  Print(absl::StrCat(PassedLineOf(options_.year, costs), "\n"));
}

void ServiceStage::Spawn(TestThreads* threads, std::function<void()> body) {
  threads->Start([this, body = std::move(body)] {
    try {
      body();
    } catch (const testing::AssertionException&) {
      CheckHasFailed();
    }
  });
}

void ServiceStage::Sleep(std::chrono::milliseconds duration, Place place) {
  const Clock::time_point deadline = Clock::now() + duration;
  {
    base::MutexLock lock(&mu_);
    while (!has_failed_ && failed_or_ended_.WaitUntil(&mu_, deadline)) {
    }
  }
  CheckError(place);
}

void ServiceStage::FoundError(Failure error) {
  {
    base::MutexLock lock(&mu_);
    const bool is_expense = error.kind == Kind::kEconomy;
    std::optional<Failure>& found = is_expense ? expense_ : error_;
    if (!found.has_value()) found = std::move(error);
    if (is_expense) return;
    has_failed_ = true;
  }
  failed_or_ended_.SignalAll();
}

void ServiceStage::CheckHasFailed() {
  {
    base::MutexLock lock(&mu_);
    has_failed_ = true;
  }
  failed_or_ended_.SignalAll();
}

bool ServiceStage::HasFailed() {
  base::MutexLock lock(&mu_);
  return has_failed_;
}

// The first check that meets an error reports it; it ends every thread that
// meets it.
void ServiceStage::CheckError(Place place) {
  std::optional<Failure> error;
  {
    base::MutexLock lock(&mu_);
    if (!has_failed_) return;
    if (!std::exchange(reported_, true)) error = error_;
  }
  if (!error.has_value()) EndFailedTest();
  Fail(*error, place);
}

void ServiceStage::AwaitFailure() {
  bool in_time = true;
  {
    base::MutexLock lock(&mu_);
    while (in_time && !has_failed_ && !ended_) {
      in_time = failed_or_ended_.WaitUntil(&mu_, created_ + kTimeLimit);
    }
    if (ended_) return;
  }
  // A call that never returns is ended too, so that the test can say so.
  if (!in_time) FoundError({Kind::kLiveness, kTimeLimitMessage});
  options_.on_failure();
}

// Whether there is a time limit to report; it is reported once.
bool ServiceStage::TookTooLong() {
  if (time_limit_reported_) return false;
  time_limit_reported_ = Clock::now() - created_ > kTimeLimit;
  return time_limit_reported_;
}

// What cost too much, once; it ends nothing.
void ServiceStage::ReportExpense(Place place) {
  std::optional<Failure> expense;
  {
    base::MutexLock lock(&mu_);
    expense.swap(expense_);
  }
  if (expense.has_value()) ReportFailure(*expense, place);
}

}  // namespace harness
