// Case (o): a storage in files, and what the disk allows.
//
// A record is an entry of 256 bytes. A plain file gets the same bytes for it as
// a FileStorage writes.

#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/rope.h"
#include "bench/bench_directory.h"
#include "bench/cases.h"
#include "bench/consumer.h"
#include "bench/databases.h"
#include "bench/group_commit.h"
#include "bench/measure.h"
#include "persister/files/crc32c.h"
#include "persister/files/directory.h"
#include "persister/files/file_storage.h"
#include "persister/files/posix_files.h"

namespace bench {
namespace {

using base::MutexLock;
using benchmark::State;
using persister::FileStorage;
using persister::Storage;

constexpr size_t kEntryBytes = 256;
constexpr size_t kRecordBytes = 296;  // with the headers of entry and record
constexpr size_t kChunkBytes = 1 << 20;

std::string PackedEntry() {
  const uint64_t term = 1;
  const uint32_t size = kEntryBytes;
  std::string packed(sizeof(term) + sizeof(size), '\0');
  std::memcpy(packed.data(), &term, sizeof(term));
  std::memcpy(packed.data() + sizeof(term), &size, sizeof(size));
  return packed + std::string(size, 'x');
}

// A file that has its size, so that a flush changes nothing but bytes.
class PlainFile {
 public:
  PlainFile(const std::string& path, uint64_t bytes)
      : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644)) {
    PCHECK(fd_ >= 0);
    PCHECK(ftruncate(fd_, static_cast<off_t>(bytes)) == 0);
    (void)posix_fallocate(fd_, 0, static_cast<off_t>(bytes));
    PCHECK(fsync(fd_) == 0);
  }
  ~PlainFile() { close(fd_); }
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;

  void Append(std::string_view bytes) {
    const ssize_t done = pwrite(fd_, bytes.data(), bytes.size(), offset_);
    PCHECK(done == static_cast<ssize_t>(bytes.size()));
    offset_ += done;
    PCHECK(fdatasync(fd_) == 0);
  }

 private:
  const int fd_;
  off_t offset_ = 0;
};

std::unique_ptr<FileStorage> OpenStorage(persister::Files* files,
                                         const std::string& path) {
  auto storage =
      FileStorage::Open(files, path + "/storage",
                        {.wal = {.identity = {.cluster = 1, .server = 1}}});
  CHECK(storage.ok()) << storage.status();
  return *std::move(storage);
}

// The appender of a FileStorage.
class StorageLog : public Appender {
 public:
  explicit StorageLog(Storage* storage) : storage_(storage) {}

  uint64_t Append() override {
    MutexLock lock(&mu_);
    return storage_->Append(next_++, packed_);
  }
  void Wait(uint64_t ticket) override { CHECK(storage_->WaitDurable(ticket)); }

 private:
  Storage* const storage_;
  const std::string packed_ = PackedEntry();
  base::Mutex mu_;
  uint64_t next_ ABSL_GUARDED_BY(mu_) = 1;
};

// A write and a flush, by one thread.
void Flush(uint64_t count, State* state) {
  const BenchDirectory directory;
  PlainFile file(directory.path() + "/plain", count * kRecordBytes);
  const std::string record(kRecordBytes, 'x');
  std::vector<double> us;
  while (us.size() < count) {
    const Clock::time_point begin = Clock::now();
    file.Append(record);
    us.push_back(1e6 * Seconds(Clock::now() - begin));
  }
  state->SetIterationTime(1e-6 * Quantile(us, 0.5));
  state->counters["p50_us"] = Quantile(us, 0.5);
  state->counters["p99_us"] = Quantile(us, 0.99);
}

// Calls measure(log) with a log of each kind.
template <typename Measure>
void WithPlainFile(uint64_t records, const Measure& measure) {
  const BenchDirectory directory;
  PlainFile file(directory.path() + "/plain", records * kRecordBytes);
  GroupCommit log(std::string(kRecordBytes, 'x'),
                  [&file](std::string_view bytes) { file.Append(bytes); });
  measure(&log);
}

template <typename Measure>
void WithFileStorage(const Measure& measure) {
  const BenchDirectory directory;
  persister::PosixFiles files;
  const auto storage = OpenStorage(&files, directory.path());
  StorageLog log(storage.get());
  measure(&log);
}

template <typename Measure>
void WithDatabase(const Database& database, const Measure& measure) {
  const BenchDirectory directory;
  const auto write = database.open(directory.path() + "/" + database.name);
  GroupCommit log(std::string(kEntryBytes, 'x'),
                  [&](std::string_view bytes) { write(bytes, kEntryBytes); });
  measure(&log);
}

// Reads the segments to memory, where what is recovered must be too, and checks
// all their bytes. Returns the seconds.
double ReadAndCheck(persister::Files* files, const std::string& directory) {
  const auto sequences = persister::ListSegments(files, directory);
  CHECK(sequences.ok()) << sequences.status();
  malloc_trim(0);
  const Clock::time_point begin = Clock::now();
  std::vector<std::string> chunks;
  uint32_t crc = 0;
  for (const uint64_t sequence : *sequences) {
    const auto file = files
                          ->Open(persister::SegmentPath(directory, sequence),
                                 persister::Files::Mode::kRead)
                          .value();
    const uint64_t size = file->Size().value();
    for (uint64_t at = 0; at < size; at += kChunkBytes) {
      chunks.push_back(file->Read(at, kChunkBytes).value());
      crc = persister::Crc32c(chunks.back(), crc);
    }
  }
  benchmark::DoNotOptimize(crc);
  return Seconds(Clock::now() - begin);
}

double Reopen(persister::Files* files, const std::string& directory,
              uint64_t entries) {
  malloc_trim(0);
  const Clock::time_point begin = Clock::now();
  const auto storage = OpenStorage(files, directory);
  const double seconds = Seconds(Clock::now() - begin);
  CHECK_EQ(storage->TakeRecovered().last_index, entries);
  return seconds;
}

void Recover(uint64_t entries, State* state) {
  const BenchDirectory directory;
  persister::PosixFiles files;
  {
    const auto storage = OpenStorage(&files, directory.path());
    StorageLog log(storage.get());
    MeasurePipelined(entries, &log, state);
  }
  const std::string segments = directory.path() + "/storage";
  const double before = ReadAndCheck(&files, segments);
  const double seconds = Reopen(&files, directory.path(), entries);
  const double after = ReadAndCheck(&files, segments);
  state->SetIterationTime(seconds);
  state->counters.clear();
  state->counters["seconds"] = seconds;
  state->counters["of_read_and_check"] = (before + after) / 2 / seconds;
}

// What the files of a directory take on the disk, with one ending or all.
uint64_t DiskBytes(const std::string& directory, const std::string& ending) {
  uint64_t bytes = 0;
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(directory)) {
    struct stat status {};
    if (!file.path().string().ends_with(ending)) continue;
    if (stat(file.path().c_str(), &status) != 0) continue;
    bytes += static_cast<uint64_t>(status.st_blocks) * 512;
  }
  return bytes;
}

// The most that the directory takes, in what it must: the live log, two
// segments, and the snapshots. Looked at after each part of a tenth of what is
// between two snapshots.
void Space(uint64_t between, State* state) {
  constexpr int kSnapshots = 8;
  constexpr uint64_t kKept = 3;  // a snapshot leaves a third of the entries
  const BenchDirectory directory;
  persister::PosixFiles files;
  const auto storage = OpenStorage(&files, directory.path());
  StorageLog log(storage.get());
  const base::Rope content(std::string(between * kEntryBytes / 10, 's'));
  const double two_segments = 2.0 * (64 << 20);
  uint64_t last = 0;
  uint64_t snapshot = 0;
  double worst = 0;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < kSnapshots; ++i) {
    for (int part = 0; part < 10; ++part) {
      for (uint64_t j = 0; j < between / 10; ++j, ++last) log.Append();
      log.Wait(storage->last());
      const auto live =
          static_cast<double>((last - snapshot) * PackedEntry().size());
      const auto kept =
          static_cast<double>(DiskBytes(directory.path(), ".snap"));
      worst =
          std::max(worst, static_cast<double>(DiskBytes(directory.path(), "")) /
                              (live + two_segments + kept));
    }
    snapshot = last - between / kKept;
    storage->InstallSnapshot(snapshot, 1, content);
  }
  state->SetIterationTime(Seconds(Clock::now() - begin));
  state->counters["of_needed"] = worst;
}

}  // namespace

void RegisterFiles(Scale scale) {
  const uint64_t lone = Scaled(scale, 1'000, 20);
  const uint64_t many = Scaled(scale, 1'000'000, 1'000);
  AddCase("disk/flush", [=](State& state) { Flush(lone, &state); });
  for (const int writers : {1, 8, 64}) {
    const std::string name = absl::StrCat("/writers:", writers);
    const uint64_t records = lone * static_cast<uint64_t>(writers);
    const auto measure = [=](State* state) {
      return
          [=](Appender* log) { MeasureWriters(writers, records, log, state); };
    };
    AddCase("disk" + name,
            [=](State& state) { WithPlainFile(records, measure(&state)); });
    AddCase("files" + name,
            [=](State& state) { WithFileStorage(measure(&state)); });
    for (const Database& database : Databases()) {
      AddCase(database.name + name,
              [=](State& state) { WithDatabase(database, measure(&state)); });
    }
  }
  const auto pipelined = [=](State* state) {
    return [=](Appender* log) { MeasurePipelined(many, log, state); };
  };
  AddCase("disk/pipelined",
          [=](State& state) { WithPlainFile(many, pipelined(&state)); });
  AddCase("files/pipelined",
          [=](State& state) { WithFileStorage(pipelined(&state)); });
  for (const Database& database : Databases()) {
    AddCase(database.name + "/pipelined",
            [=](State& state) { WithDatabase(database, pipelined(&state)); });
  }
  for (const uint64_t entries : {1'000'000, 10'000'000}) {
    AddCase(
        absl::StrCat("files/recovery/entries:", entries),
        [=](State& state) { Recover(Scaled(scale, entries, 1'000), &state); });
  }
  AddCase("files/space",
          [=](State& state) { Space(Scaled(scale, 300'000, 300), &state); });
}

}  // namespace bench
