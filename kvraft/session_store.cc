#include "kvraft/session_store.h"

#include <algorithm>
#include <utility>

#include "rpc/codec.h"

namespace kvraft {

SessionStore::SessionStore(rsm::Sessions::Id last_id)
    : machine_(new Machine),
      sessions_(std::unique_ptr<Machine>(machine_), rsm::Sessions::kMaxSessions,
                last_id) {}

// Has the sessions' snapshot, or its restoration, without them.
template <typename Body>
void SessionStore::WithoutEntries(Body body) {
  Entries kept = std::exchange(entries(), {});
  body();
  entries() = std::move(kept);
}

void SessionStore::Freeze() {
  WithoutEntries([this] { table_ = sessions_.Snapshot().ToString(); });
}

Part SessionStore::Read(Cursor at, size_t bytes) const {
  base::MutexLock lock(&mu_);
  const Entries& entries = machine_->machine().entries;
  if (sorted_.size() < entries.size()) {
    for (const auto& entry : entries) sorted_.push_back(&entry);
    std::sort(sorted_.begin(), sorted_.end(),
              [](const auto* a, const auto* b) { return a->first < b->first; });
  }
  // The table comes last, as if it were one more entry.
  const std::pair<const std::string, Entry> table = {"", {table_}};
  Part part = {.total = sorted_.size() + 1, .pieces = {}, .next = at};
  for (size_t size = 0; size < bytes && part.next.entry < part.total;) {
    const size_t entry = part.next.entry;
    const auto& [key, stored] =
        entry < sorted_.size() ? *sorted_[entry] : table;
    const size_t begin = std::min<size_t>(part.next.byte, stored.value.size());
    part.pieces.push_back(
        {key, stored.value.substr(begin, bytes - size), stored.version});
    const size_t end = begin + part.pieces.back().value.size();
    part.next =
        end < stored.value.size() ? Cursor{entry, end} : Cursor{entry + 1, 0};
    size += key.size() + (end - begin) + sizeof(Piece);
  }
  return part;
}

absl::Status SessionStore::Add(Cursor at, const Part& part) {
  entries().reserve(part.total);
  for (const Piece& piece : part.pieces) {
    if (++at.entry == part.total) {
      table_ += piece.value;
      continue;
    }
    Entry& entry = entries()[piece.key];
    entry.value += piece.value;
    entry.version = piece.version;
  }
  if (part.next.entry < part.total) return absl::OkStatus();
  absl::Status status;
  WithoutEntries(
      [&] { status = sessions_.Restore(std::exchange(table_, {})); });
  return status;
}

SessionStore::Saved SessionStore::Save() {
  return {sessions_.Snapshot(), table_};
}

absl::Status SessionStore::Restore(const Saved& saved) {
  table_ = saved.table;
  return sessions_.Restore(saved.sessions);
}

void save(rpc::ByteWriter& writer, const SharedStore& store) {
  writer(store->Save());
}

void load(rpc::ByteReader& reader, SharedStore& store) {
  SessionStore::Saved saved;
  reader(saved);
  store = std::make_shared<SessionStore>();
  const absl::Status status = store->Restore(saved);
  if (!status.ok()) throw cereal::Exception(std::string(status.message()));
}

}  // namespace kvraft
