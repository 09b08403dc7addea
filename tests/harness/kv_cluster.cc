#include "tests/harness/kv_cluster.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/harness/report.h"

namespace harness {
namespace {

std::set<raft::ServerId> AllOf(int servers) {
  std::set<raft::ServerId> all;
  for (raft::ServerId i = 0; i < servers; ++i) all.insert(all.end(), i);
  return all;
}

// What a Clerk's own errors say.
absl::Status ToStatus(kvraft::Err err) {
  const bool has_given_up =
      err == kvraft::Err::kNoServers || err == kvraft::Err::kClosed;
  if (!has_given_up) return absl::OkStatus();
  return absl::CancelledError(absl::StrCat("the Clerk gives up: ", Name(err)));
}

}  // namespace

KvClient::KvClient(KvCluster* cluster, int id, Ends servers)
    : cluster_(cluster), id_(id), clerk_(MakeKvClerk(std::move(servers))) {}

void KvClient::Connect(const std::set<raft::ServerId>& servers) {
  cluster_->stage_.group().ConnectClient(id_, servers);
}

void KvClient::ConnectAll() { Connect(AllOf(cluster_->size())); }

OperationEvent KvClient::Begin(porcupine::Kind kind, const std::string& key,
                               const std::string* value,
                               std::optional<uint64_t> version, Place place) {
  cluster_->stage_.CheckError(place);
  porcupine::Record record = BeginRecord(
      id_, kind, key, value == nullptr ? "" : *value, version.value_or(0));
  OperationEvent operation{.client = id_,
                           .time = TimeOf(record.call),
                           .is_begin = true,
                           .kind = porcupine::NameOf(kind),
                           .key = key,
                           .version = version};
  if (value != nullptr) operation.value = *value;
  operation.number = cluster_->history_.Begin(std::move(record));
  cluster_->stage_.observers().Tell(&ClusterObserver::OnOperation, operation);
  return operation;
}

// An operation that was given up stays pending.
void KvClient::End(OperationEvent operation, const kvraft::Reply& reply,
                   const absl::Status& error, Place place) {
  cluster_->stage_.CheckError(place);
  if (!error.ok()) {
    Fail(Kind::kSafety,
         absl::StrCat("client ", id_, ": ", std::string(error.message())),
         place);
  }
  operation.time = TimeOf(cluster_->history_.End(operation.number, reply));
  operation.is_begin = false;
  operation.answer = kvraft::Name(reply.err);
  cluster_->stage_.observers().Tell(&ClusterObserver::OnOperation, operation);
  if (counts_) cluster_->stage_.CountOperation();
}

std::string KvClient::Get(const std::string& key, Place place) {
  OperationEvent operation =
      Begin(porcupine::Kind::kGet, key, nullptr, {}, place);
  absl::StatusOr<std::string> value = clerk_->Get(key);
  const absl::Status error = value.status();
  kvraft::Reply reply{.err = kvraft::Err::kOk,
                      .value = std::move(value).value_or(""),
                      .revision = clerk_->revision()};
  operation.result = reply.value;
  End(operation, reply, error, place);
  return std::move(reply.value);
}

void KvClient::Write(porcupine::Kind kind, const std::string& key,
                     const std::string& value, Place place) {
  const OperationEvent operation = Begin(kind, key, &value, {}, place);
  const absl::Status error = kind == porcupine::Kind::kPut
                                 ? clerk_->Put(key, value)
                                 : clerk_->Append(key, value);
  End(operation, {.err = kvraft::Err::kOk, .revision = clerk_->revision()},
      error, place);
}

void KvClient::Put(const std::string& key, const std::string& value,
                   Place place) {
  Write(porcupine::Kind::kPut, key, value, place);
}

void KvClient::Append(const std::string& key, const std::string& value,
                      Place place) {
  Write(porcupine::Kind::kAppend, key, value, place);
}

kvraft::Reply KvClient::GetVersioned(const std::string& key, Place place) {
  OperationEvent operation =
      Begin(porcupine::Kind::kVersionedGet, key, nullptr, {}, place);
  kvraft::Reply reply = clerk_->GetVersioned(key);
  if (reply.err == kvraft::Err::kOk) {
    operation.result = reply.value;
    operation.result_version = reply.version;
  }
  End(operation, reply, ToStatus(reply.err), place);
  return reply;
}

kvraft::Err KvClient::PutVersioned(const std::string& key,
                                   const std::string& value, uint64_t version,
                                   Place place) {
  const OperationEvent operation =
      Begin(porcupine::Kind::kVersionedPut, key, &value, version, place);
  const kvraft::Err err = clerk_->PutVersioned(key, value, version);
  End(operation, {.err = err, .revision = clerk_->revision()}, ToStatus(err),
      place);
  return err;
}

KvCluster::KvCluster(Options options, Place place)
    : place_(place),
      random_(base::Random::ForOwner("cluster")),
      stage_({.servers = options.servers,
              .reliable = options.reliable,
              .year = options.year,
              .max_raft_state = options.max_raft_state,
              .make_service =
                  [this](Ends ends, raft::ServerId me,
                         std::shared_ptr<persister::Persister> disk,
                         rsm::Options rsm_options) {
                    return MakeServer(std::move(ends), me, std::move(disk),
                                      std::move(rsm_options));
                  },
              .make_raft = std::move(options.make_raft),
              .show_command = ShowKvCommand,
              .tap = std::move(options.tap),
              .on_failure = [this] { CloseClients(); },
              .make_observers = std::move(options.make_observers)},
             place) {}

KvCluster::~KvCluster() {
  CloseClients();
  if (!stage_.HasFailed()) return;
  const KvHistory::Verdict verdict = history_.Check();
  if (verdict.outcome == porcupine::Outcome::kIllegal &&
      !std::exchange(history_reported_, true)) {
    TellVerdict(verdict);
    ReportFailure({Kind::kSafety, verdict.text}, place_);
  }
}

Node KvCluster::MakeServer(Ends ends, raft::ServerId me,
                           std::shared_ptr<persister::Persister> disk,
                           rsm::Options options) {
  options.hooks.on_executed = [this, me](const raft::ApplyMsg& message,
                                         const std::string& result) {
    const std::optional<std::string> error =
        history_.OnExecuted(me, message, result);
    if (error.has_value()) stage_.FoundError({.message = *error});
  };
  options.hooks.on_snapshot = [this, me](raft::Index index,
                                         const base::Rope& snapshot) {
    const std::optional<std::string> error =
        history_.OnSnapshot(me, index, snapshot);
    if (error.has_value()) stage_.FoundError({.message = *error});
  };
  return MakeKvServer(std::move(ends), me, std::move(disk), std::move(options));
}

std::shared_ptr<KvClient> KvCluster::MakeClient() {
  return MakeClient(AllOf(size()));
}

std::shared_ptr<KvClient> KvCluster::MakeClient(
    const std::set<raft::ServerId>& servers) {
  const int id = [this] {
    base::MutexLock lock(&mu_);
    return clients_made_++;
  }();
  Ends ends = stage_.group().MakeClientEnds(id);
  {
    base::MutexLock lock(&mu_);
    for (size_t left = ends.size(); left > 1; --left) {
      std::swap(ends[left - 1], ends[random_.Below(left)]);
    }
  }
  std::shared_ptr<KvClient> client(new KvClient(this, id, std::move(ends)));
  client->Connect(servers);
  bool closed = false;
  {
    base::MutexLock lock(&mu_);
    closed = clients_closed_;
    std::erase_if(clients_, [](const auto& other) { return other.expired(); });
    clients_.push_back(client);
  }
  if (closed) client->clerk_->Close();
  return client;
}

void KvCluster::CloseClients() {
  std::vector<std::weak_ptr<KvClient>> clients;
  {
    base::MutexLock lock(&mu_);
    clients_closed_ = true;
    clients = clients_;
  }
  for (const std::weak_ptr<KvClient>& weak : clients) {
    if (const auto client = weak.lock()) client->clerk_->Close();
  }
}

void KvCluster::Spawn(TestThreads* threads, std::function<void()> body) {
  stage_.Spawn(threads, std::move(body));
}

void KvCluster::SpawnClientsAndWait(int clients, const ClientBody& body) {
  TestThreads threads([this] { stage_.CheckHasFailed(); });
  for (int i = 0; i < clients; ++i) {
    Spawn(&threads, [this, i, &body] { body(i, MakeClient().get()); });
  }
  threads.Join();
}

void KvCluster::Check(KvClient* client, const std::string& key,
                      const std::string& value, Place place) {
  const std::string got = client->Get(key, place);
  if (got == value) return;
  Fail(Kind::kSafety,
       absl::StrCat("Get(", key, "): expected:\n", value, "\nreceived:\n", got),
       place);
}

void KvCluster::CheckHistory(Place place) {
  const KvHistory::Verdict verdict = history_.Check();
  if (verdict.outcome == porcupine::Outcome::kOk) return;
  history_reported_ = true;
  TellVerdict(verdict);
  Fail(verdict.outcome == porcupine::Outcome::kIllegal ? Kind::kSafety
                                                       : Kind::kHarness,
       verdict.text, place);
}

void KvCluster::TellVerdict(const KvHistory::Verdict& verdict) {
  if (verdict.outcome != porcupine::Outcome::kIllegal) return;
  std::string text = verdict.text;
  HistoryEvent event{.text = {}};
  if (verdict.explanation.has_value()) {
    const std::string& note = verdict.explanation->log_note;
    text = absl::StrCat(verdict.explanation->sentence, note.empty() ? "" : "\n",
                        note);
    event.key = verdict.explanation->key;
    event.first_impossible = verdict.explanation->first_impossible;
    event.counterexample = verdict.explanation->counterexample;
    event.window = verdict.explanation->window;
  }
  event.text = text;
  stage_.observers().Tell(&ClusterObserver::OnHistory, event);
}

// By a new client. What it reads, the servers have: without that a Clerk of a
// test with one client could answer all by itself.
void KvCluster::ReadAllKeys(Place place) {
  const std::shared_ptr<KvClient> reader = MakeClient();
  reader->DoNotCount();
  for (const std::string& key : history_.Keys()) {
    if (stage_.year() == Year::k2022) {
      reader->Get(key, place);
    } else {
      reader->GetVersioned(key, place);
    }
  }
}

void KvCluster::End(Place place) {
  if (ClerksShareNothing()) ReadAllKeys(place);
  CheckHistory(place);
  stage_.End(place);
}

}  // namespace harness
