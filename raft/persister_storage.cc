#include "raft/persister_storage.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/logging.h"
#include "base/mutex.h"
#include "raft/entries.h"
#include "rpc/codec.h"

namespace raft {
namespace {

// Calls the disk. What it throws ends the process: what could not be saved must
// not be promised, and what was promised must not be forgotten.
template <typename Function>
auto CallDisk(const std::string& server, const char* failure,
              Function function) {
  std::string error = "what was thrown is no std::exception";
  try {
    return function();
  } catch (const std::exception& thrown) {
    error = thrown.what();
  } catch (...) {
  }
  LOG(FATAL) << server << ": the raft state " << failure << ": " << error;
}

}  // namespace

PersisterStorage::PersisterStorage(
    std::string server, std::shared_ptr<persister::Persister> persister,
    std::function<base::Rope()> log)
    : server_(std::move(server)),
      persister_(std::move(persister)),
      async_(dynamic_cast<persister::AsyncPersister*>(persister_.get())),
      log_(std::move(log)) {
  CHECK(persister_ != nullptr) << "Make(): the persister is null";
  Read();
}

void PersisterStorage::Read() {
  const base::Rope bytes = CallDisk(server_, "cannot be read", [this] {
    return persister_->ReadRaftState();
  });
  recovered_.snapshot = CallDisk(server_, "cannot be read",
                                 [this] { return persister_->ReadSnapshot(); });
  header_.snapshot_checksum = ChecksumOf(recovered_.snapshot);
  if (bytes.empty() && recovered_.snapshot.empty()) return;  // a new server

  // A server that forgot what it promised must not take part.
  absl::StatusOr<SavedState> saved = SavedStateReader().Read(bytes);
  CHECK(saved.ok()) << server_ << ": the saved raft state is damaged: "
                    << saved.status().message();
  const absl::Status matches = CheckSnapshot(*saved, recovered_.snapshot);
  CHECK(matches.ok()) << server_ << ": the saved snapshot is damaged: "
                      << matches.message();
  header_ = *saved;
  checksum_ = LogChecksum(header_.discarded);
  saved->entries.bytes().ForEachPiece(
      [this](std::string_view entries) { checksum_.AppendPacked(entries); });
  recovered_.term = saved->current_term;
  recovered_.voted_for = saved->voted_for;
  recovered_.snapshot_index = saved->last_included_index;
  recovered_.snapshot_term = saved->last_included_term;
  recovered_.last_index = saved->last_included_index + saved->entries.size();
  recovered_.entries = saved->entries.bytes();
  next_index_ = recovered_.last_index + 1;
}

persister::Recovered PersisterStorage::TakeRecovered() {
  return std::exchange(recovered_, {});
}

void PersisterStorage::OnDurable(std::function<void(Ticket)> function) {
  if (async_ != nullptr) async_->OnDurable(std::move(function));
}

PersisterStorage::Ticket PersisterStorage::SetVote(uint64_t term,
                                                   int64_t voted_for) {
  header_.current_term = term;
  header_.voted_for = static_cast<ServerId>(voted_for);
  header_bytes_.clear();
  return Save();
}

PersisterStorage::Ticket PersisterStorage::Append(uint64_t first_index,
                                                  std::string_view packed) {
  CHECK_EQ(first_index, next_index_) << "entries follow each other";
  next_index_ += checksum_.AppendPacked(packed);
  return Save();
}

PersisterStorage::Ticket PersisterStorage::TruncateFrom(uint64_t index) {
  if (index < next_index_) {
    checksum_.Truncate(log_());
    next_index_ = index;
  }
  return last();
}

PersisterStorage::Ticket PersisterStorage::InstallSnapshot(
    uint64_t index, uint64_t term, base::Rope snapshot) {
  const base::Rope log = log_();
  if (log.empty()) {
    checksum_ = LogChecksum();
  } else {
    // What was saved last still has the entries that are discarded.
    const base::Rope before = ReadLog();
    checksum_.DropFront(before, before.size() - log.size());
  }
  next_index_ = std::max(next_index_, index + 1);
  header_.last_included_index = index;
  header_.last_included_term = term;
  header_.discarded = checksum_.before();
  header_.snapshot_size = snapshot.size();
  header_.snapshot_checksum = TakeChecksum(snapshot);
  header_bytes_.clear();
  return Save(std::move(snapshot));
}

base::Rope PersisterStorage::ReadLog() const {
  base::Rope log = CallDisk(server_, "cannot be read",
                            [this] { return persister_->ReadRaftState(); });
  log.RemovePrefix(std::min(log.size(), SavedFrontBytes()));
  return log;
}

void PersisterStorage::PrepareSnapshot(const base::Rope& snapshot) {
  const Checksum checksum = ChecksumOf(snapshot);
  base::MutexLock lock(&prepared_mu_);
  prepared_ = Prepared{snapshot, checksum};
}

Checksum PersisterStorage::TakeChecksum(const base::Rope& snapshot) {
  base::MutexLock lock(&prepared_mu_);
  const std::optional<Prepared> prepared = std::move(prepared_);
  prepared_.reset();
  if (prepared.has_value() && prepared->snapshot.size() == snapshot.size() &&
      SharedPrefix(prepared->snapshot, snapshot) == snapshot.size()) {
    return prepared->checksum;
  }
  return ChecksumOf(snapshot);
}

// Raft state and snapshot belong together, and change in one save.
PersisterStorage::Ticket PersisterStorage::Save(
    std::optional<base::Rope> snapshot) {
  // Each entry is saved at once, but few change the header.
  if (header_bytes_.empty()) header_bytes_ = rpc::Encode(header_);
  base::Rope state = log_();
  state.Prepend(header_bytes_);
  state.Prepend(rpc::Encode(
      SavedSeal{.checksum = Extend(checksum_.value(), header_bytes_)}));
  return CallDisk(server_, "was not saved", [&]() -> Ticket {
    if (async_ != nullptr) {
      return async_->SaveLater(std::move(state), std::move(snapshot));
    }
    if (snapshot.has_value()) {
      persister_->Save(std::move(state), *std::move(snapshot));
    } else {
      persister_->SaveRaftState(std::move(state));
    }
    return 0;
  });
}

PersisterStorage::Ticket PersisterStorage::last() const {
  return async_ != nullptr ? async_->last() : 0;
}

bool PersisterStorage::WaitDurable(Ticket ticket) {
  base::Mutex::AssertNoneHeld("WaitDurable()");
  return async_ == nullptr || async_->WaitDurable(ticket);
}

void PersisterStorage::Close() {
  if (async_ != nullptr) async_->Close();
}

}  // namespace raft
