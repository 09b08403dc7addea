// A fuzzer (libFuzzer) of what reads the files of a FileStorage: any bytes end
// in a Status, whatever they say of themselves. Called by `make fuzz`.
//
// The first byte of an input says what the rest is: the bytes of a segment, or
// of one without a header, or of a snapshot; or records, or a header, which get
// the checksums that are right, so that what they say is looked at.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/logging.h"
#include "persister/files/batch.h"
#include "persister/files/crc32c.h"
#include "persister/files/directory.h"
#include "persister/files/recovery.h"
#include "persister/files/simulated_files.h"
#include "tests/storage/model.h"

namespace {

using persister::BatchHeader;
using persister::Identity;
using persister::LogState;
using persister::SegmentHeader;
using persister::SimulatedFiles;
using persister::SnapshotHeader;

constexpr char kDirectory[] = "/data";
constexpr Identity kIdentity = {.cluster = 1, .server = 2};

// Makes a file, in a folder that is there.
void Put(SimulatedFiles* files, const std::string& path,
         std::string_view bytes) {
  const auto file = files->Create(path);
  CHECK(file.ok());
  CHECK((*file)->Write(0, bytes).ok());
}

std::string HeaderOf(const LogState& start, uint64_t file_bytes) {
  std::string header = persister::Encode(SegmentHeader{.identity = kIdentity,
                                                       .sequence = 1,
                                                       .file_bytes = file_bytes,
                                                       .first_batch = 1,
                                                       .start = start});
  header.resize(persister::kFirstBatchOffset);
  return header;
}

// A segment with one batch, of these records.
std::string SegmentOf(const LogState& start, std::string_view records) {
  BatchHeader header{
      .bytes = static_cast<uint32_t>(sizeof(BatchHeader) + records.size()),
      .records_crc = persister::Crc32c(records),
      .segment = 1,
      .number = 1};
  const auto bytes = [&header] {
    return std::string(reinterpret_cast<const char*>(&header), sizeof(header));
  };
  header.header_crc =
      persister::Crc32c(bytes().substr(0, offsetof(BatchHeader, header_crc)));
  const std::string batch = bytes() + std::string(records);
  return HeaderOf(start, persister::kFirstBatchOffset + batch.size()) + batch;
}

// The segments of a directory whose first is `segment`; `snapshot` is that of
// entry 1 of term 1.
void RecoverFrom(std::string_view segment, std::string_view snapshot) {
  SimulatedFiles files;
  CHECK(files.MakeDirectory(kDirectory).ok());
  CHECK(files.MakeDirectory(persister::WalDirectory(kDirectory)).ok());
  CHECK(files.MakeDirectory(persister::SnapshotDirectory(kDirectory)).ok());
  Put(&files, persister::SegmentPath(kDirectory, 1), segment);
  Put(&files, persister::SnapshotPath(kDirectory, 1, 1), snapshot);
  const auto recovery = persister::Recover(&files, kDirectory, kIdentity);
  if (!recovery.ok()) {
    CHECK_NE(persister::ExitStatusOf(recovery.status()),
             persister::kExitDiskFailed);
    return;
  }
  const storage_test::Model model = storage_test::ModelOf(recovery->recovered);
  CHECK_EQ(model.last_index() + 1, recovery->state.next_index);
}

// The state that bytes are, and what follows them.
LogState TakeState(std::string_view* bytes) {
  LogState state;
  if (bytes->size() < sizeof(state)) return state;
  std::memcpy(&state, bytes->data(), sizeof(state));
  bytes->remove_prefix(sizeof(state));
  return state;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const char kind = input[0];
  input.remove_prefix(1);
  const LogState with_snapshot{
      .next_index = 2, .snapshot_index = 1, .snapshot_term = 1};
  switch (kind % 5) {
    case 0:
      RecoverFrom(input, "");
      break;
    case 1:
      RecoverFrom(HeaderOf({}, persister::kFirstBatchOffset + input.size()) +
                      std::string(input),
                  "");
      break;
    case 2:
      RecoverFrom(SegmentOf({}, input), "");
      break;
    case 3: {
      const LogState state = TakeState(&input);
      RecoverFrom(SegmentOf(state, input), "");
      break;
    }
    default: {
      SnapshotHeader header{.identity = kIdentity, .index = 1, .term = 1};
      header.bytes = input.size();
      header.crc = persister::Crc32c(input.substr(input.size() / 2));
      RecoverFrom(SegmentOf(with_snapshot, ""),
                  persister::Encode(header) + std::string(input));
      RecoverFrom(SegmentOf(with_snapshot, ""), input);
    }
  }
  return 0;
}
