#include "tests/storage/model.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"

namespace storage_test {
namespace {

using base::Random;
using persister::Storage;

template <typename Number>
void AppendNumber(Number number, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&number), sizeof(number));
}

template <typename Number>
Number TakeNumber(std::string_view* bytes) {
  Number number = 0;
  CHECK_GE(bytes->size(), sizeof(number));
  std::memcpy(&number, bytes->data(), sizeof(number));
  bytes->remove_prefix(sizeof(number));
  return number;
}

std::string RandomBytes(Random* random, uint64_t segment_bytes) {
  const uint64_t kind = random->Below(20);
  if (kind == 0) return "";
  if (kind == 1) return std::string(random->Below(2000), '\0');
  if (kind == 2) return random->Name(static_cast<int>(segment_bytes));
  if (kind < 6) return random->Name(static_cast<int>(random->Below(900)));
  return random->Name(static_cast<int>(random->Below(40)));
}

Storage::Ticket AppendSome(Random* random, uint64_t segment_bytes, Model* model,
                           Storage* storage) {
  std::vector<Entry> entries(random->Between(1, 4));
  for (Entry& entry : entries) {
    entry = {model->term, RandomBytes(random, segment_bytes)};
  }
  const uint64_t first = model->last_index() + 1;
  model->entries.insert(model->entries.end(), entries.begin(), entries.end());
  return storage->Append(first, Pack(entries));
}

Storage::Ticket Vote(Random* random, Model* model, Storage* storage) {
  model->term += random->Below(3);
  model->voted_for = random->Between(-1, 4);
  return storage->SetVote(model->term, model->voted_for);
}

Storage::Ticket Truncate(Random* random, Model* model, Storage* storage) {
  const uint64_t index =
      random->Between(static_cast<int64_t>(model->snapshot_index) + 1,
                      static_cast<int64_t>(model->last_index()) + 1);
  model->TruncateFrom(index);
  return storage->TruncateFrom(index);
}

Storage::Ticket Snapshot(Random* random, Model* model, Storage* storage) {
  const uint64_t index =
      random->Between(static_cast<int64_t>(model->snapshot_index) + 1,
                      static_cast<int64_t>(model->last_index()) + 3);
  const std::string bytes = random->Name(static_cast<int>(random->Below(2000)));
  model->InstallSnapshot(index, model->term, bytes);
  return storage->InstallSnapshot(index, model->term, bytes);
}

}  // namespace

std::string Pack(const std::vector<Entry>& entries) {
  std::string packed;
  for (const Entry& entry : entries) {
    AppendNumber(entry.term, &packed);
    AppendNumber(static_cast<uint32_t>(entry.bytes.size()), &packed);
    packed.append(entry.bytes);
  }
  return packed;
}

void Model::TruncateFrom(uint64_t index) {
  entries.resize(std::min<size_t>(entries.size(), index - snapshot_index - 1));
}

void Model::InstallSnapshot(uint64_t index, uint64_t its_term,
                            std::string bytes) {
  const auto covered = std::min<size_t>(entries.size(), index - snapshot_index);
  entries.erase(entries.begin(),
                entries.begin() + static_cast<std::ptrdiff_t>(covered));
  snapshot_index = index;
  snapshot_term = its_term;
  snapshot = std::move(bytes);
}

std::string Model::ToString() const {
  uint64_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.bytes.size();
  return absl::StrCat("term ", term, ", vote ", voted_for, ", snapshot (",
                      snapshot_index, ", ", snapshot_term, ") of ",
                      snapshot.size(), " bytes, ", entries.size(),
                      " entries of ", bytes, " bytes");
}

Model ModelOf(const persister::Recovered& recovered) {
  Model model{.term = recovered.term,
              .voted_for = recovered.voted_for,
              .snapshot_index = recovered.snapshot_index,
              .snapshot_term = recovered.snapshot_term,
              .snapshot = recovered.snapshot.ToString(),
              .entries = {}};
  const std::string packed = recovered.entries.ToString();
  std::string_view rest = packed;
  while (!rest.empty()) {
    const auto term = TakeNumber<uint64_t>(&rest);
    const auto size = TakeNumber<uint32_t>(&rest);
    CHECK_GE(rest.size(), size);
    model.entries.push_back({term, std::string(rest.substr(0, size))});
    rest.remove_prefix(size);
  }
  CHECK_EQ(model.last_index(), recovered.last_index);
  return model;
}

Storage::Ticket RandomChange(Random* random, uint64_t segment_bytes,
                             Model* model, Storage* storage) {
  const uint64_t kind = random->Below(10);
  if (kind < 2) return Vote(random, model, storage);
  if (kind < 3) return Snapshot(random, model, storage);
  if (kind < 4) return Truncate(random, model, storage);
  return AppendSome(random, segment_bytes, model, storage);
}

}  // namespace storage_test
