// A storage as it should be: the same changes, in plain values.
//
// Thread safety: compatible.

#ifndef TESTS_STORAGE_MODEL_H_
#define TESTS_STORAGE_MODEL_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/random.h"
#include "persister/storage.h"

namespace storage_test {

struct Entry {
  uint64_t term = 0;
  std::string bytes;
  friend bool operator==(const Entry&, const Entry&) = default;
};

// Returns them packed (persister/storage.h).
std::string Pack(const std::vector<Entry>& entries);

struct Model {
  uint64_t term = 0;
  int64_t voted_for = -1;
  uint64_t snapshot_index = 0;
  uint64_t snapshot_term = 0;
  std::string snapshot;
  std::vector<Entry> entries;  // the first has snapshot_index + 1

  uint64_t last_index() const { return snapshot_index + entries.size(); }

  void TruncateFrom(uint64_t index);
  void InstallSnapshot(uint64_t index, uint64_t term, std::string bytes);
  // One line, for a person.
  std::string ToString() const;

  friend bool operator==(const Model&, const Model&) = default;
};

Model ModelOf(const persister::Recovered& recovered);

// Makes one random change of the model and of the storage, and returns its
// ticket. Of kinds that tests want: entries with and without bytes, zeros, more
// than a segment of `segment_bytes`; votes; truncations; snapshots of the log's
// beginning, of all of it, and of more.
persister::Storage::Ticket RandomChange(base::Random* random,
                                        uint64_t segment_bytes, Model* model,
                                        persister::Storage* storage);

}  // namespace storage_test

#endif  // TESTS_STORAGE_MODEL_H_
