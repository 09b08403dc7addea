// Unit tests of persister/files/posix_files.h and simulated_files.h: what both
// do, and then what only one does.

#include "persister/files/files.h"

#include <sys/resource.h>

#include <csignal>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "persister/files/dump.h"
#include "persister/files/file_storage.h"
#include "persister/files/posix_files.h"
#include "persister/files/simulated_files.h"
#include "tests/storage/model.h"
#include "tests/storage/temporary_directory.h"

namespace persister {
namespace {

using storage_test::TemporaryDirectory;
using Mode = Files::Mode;
using Names = std::vector<std::string>;

void CheckFiles(Files* files, const std::string& top) {
  const std::string folder = top + "/folder";
  EXPECT_TRUE(absl::IsNotFound(files->List(folder).status()));
  ASSERT_TRUE(files->MakeDirectory(folder).ok());
  ASSERT_TRUE(files->MakeDirectory(folder).ok());
  EXPECT_EQ(files->List(folder).value(), Names());

  const std::string a = folder + "/a";
  const std::string b = folder + "/b";
  EXPECT_TRUE(absl::IsNotFound(files->Open(a, Mode::kRead).status()));
  EXPECT_TRUE(absl::IsNotFound(files->Create(top + "/no/a").status()));
  auto file = files->Create(a).value();
  EXPECT_EQ(file->Size().value(), 0U);
  EXPECT_TRUE(file->Write(2, "two").ok());
  EXPECT_TRUE(file->Preallocate(8).ok());
  EXPECT_TRUE(file->Write(6, "x").ok());
  EXPECT_TRUE(file->Flush().ok());
  EXPECT_EQ(file->Size().value(), 8U);
  EXPECT_EQ(file->Read(0, 100).value(), std::string("\0\0two\0x\0", 8));
  EXPECT_EQ(file->Read(3, 2).value(), "wo");
  EXPECT_EQ(file->Read(100, 2).value(), "");
  EXPECT_EQ(file->Read(7, size_t{1} << 60).value(), std::string(1, '\0'));

  EXPECT_TRUE(files->Create(b).ok());
  EXPECT_EQ(files->List(folder).value(), (Names{"a", "b"}));
  EXPECT_TRUE(files->Rename(a, b).ok());
  EXPECT_TRUE(absl::IsNotFound(files->Rename(a, b)));
  EXPECT_TRUE(files->FlushDirectory(folder).ok());
  EXPECT_EQ(files->List(folder).value(), Names{"b"});
  EXPECT_EQ(files->Open(b, Mode::kWrite).value()->Read(2, 3).value(), "two");
  EXPECT_TRUE(files->Create(b).ok());
  EXPECT_EQ(files->Open(b, Mode::kRead).value()->Size().value(), 0U);
  EXPECT_TRUE(files->Remove(b).ok());
  EXPECT_TRUE(absl::IsNotFound(files->Remove(b)));

  const std::string lock_path = folder + "/LOCK";
  EXPECT_TRUE(absl::IsNotFound(files->Lock(lock_path, Mode::kRead).status()));
  auto lock = files->Lock(lock_path, Mode::kWrite);
  EXPECT_TRUE(lock.ok());
  EXPECT_EQ(files->Lock(lock_path, Mode::kRead).status(),
            absl::FailedPreconditionError(
                lock_path + " is locked: another process uses the directory"));
  lock->reset();
  EXPECT_TRUE(files->Lock(lock_path, Mode::kRead).ok());
  EXPECT_EQ(files->List(folder).value(), Names{"LOCK"});
}

TEST(Files, PosixFilesAreFiles) {
  const TemporaryDirectory directory;
  PosixFiles files;
  CheckFiles(&files, directory.path());
}

TEST(Files, SimulatedFilesAreFiles) {
  SimulatedFiles files;
  ASSERT_TRUE(files.MakeDirectory("/top").ok());
  CheckFiles(&files, "/top");
}

TEST(Files, DirectoryOfAPath) {
  EXPECT_EQ(DirectoryOf("/a/b"), "/a");
  EXPECT_EQ(DirectoryOf("/a"), "/");
  EXPECT_EQ(DirectoryOf("a/b"), "a");
  EXPECT_EQ(DirectoryOf("a"), ".");
}

// What a flush has failed to write, no later one writes; what a process that
// has ended did not flush, the next one may.
TEST(SimulatedFiles, AFailedFlushIsNotOneThatNeverCame) {
  for (const bool failed : {true, false}) {
    SimulatedFiles disk;
    const auto file = disk.Create("/file");
    ASSERT_TRUE(file.ok() && (*file)->Write(0, "bytes").ok());
    disk.SetHook([failed](const FileOperation&) {
      return failed ? absl::UnavailableError("") : absl::CancelledError();
    });
    EXPECT_FALSE((*file)->Flush().ok());
    disk.SetHook(nullptr);
    EXPECT_EQ((*file)->Read(0, 5).value(), "bytes");
    EXPECT_TRUE((*file)->Flush().ok() && disk.FlushDirectory("/").ok());
    const auto crashed = disk.Crash([](size_t) { return false; });
    const auto again = crashed->Open("/file", Mode::kRead);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ((*again)->Read(0, 5).value() == "bytes", !failed);
  }
}

TEST(PosixFiles, ErrorsNameTheCallAndTheFile) {
  PosixFiles files;
  EXPECT_EQ(
      files.Open("/no/such/file", Mode::kRead).status(),
      absl::NotFoundError("open /no/such/file: No such file or directory"));
  EXPECT_TRUE(absl::IsFailedPrecondition(files.Create("/dev/null/x").status()));
  // Every write there fails so.
  const auto full = files.Open("/dev/full", Mode::kWrite);
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(
      (*full)->Write(0, "x"),
      absl::ResourceExhaustedError("write /dev/full: No space left on device"));
}

// What a call that fails says, with the file.
TEST(PosixFiles, EachCallSaysThatItFailed) {
  const TemporaryDirectory directory;
  PosixFiles files;
  const std::string missing = directory.path() + "/missing/x";
  EXPECT_EQ(
      files.MakeDirectory(missing),
      absl::NotFoundError("mkdir " + missing + ": No such file or directory"));
  EXPECT_TRUE(absl::IsNotFound(files.FlushDirectory(missing)));

  const std::string plain = directory.path() + "/plain";
  ASSERT_TRUE(files.Create(plain).ok());
  EXPECT_EQ(
      files.FlushDirectory(plain),
      absl::FailedPreconditionError("open " + plain + ": Not a directory"));
  EXPECT_EQ(
      files.List(plain).status(),
      absl::FailedPreconditionError("open " + plain + ": Not a directory"));
  EXPECT_EQ(files.Remove(directory.path()),
            absl::UnavailableError("remove " + directory.path() +
                                   ": Is a directory"));

  const auto folder = files.Open(directory.path(), Mode::kRead);
  ASSERT_TRUE(folder.ok());
  EXPECT_EQ(
      (*folder)->Read(0, 1).status(),
      absl::UnavailableError("read " + directory.path() + ": Is a directory"));
  const auto device = files.Open("/dev/full", Mode::kWrite);
  ASSERT_TRUE(device.ok());
  EXPECT_EQ((*device)->Preallocate(1),
            absl::UnavailableError("fallocate /dev/full: No such device"));
  EXPECT_EQ((*device)->Flush(),
            absl::UnavailableError("fdatasync /dev/full: Invalid argument"));
}

// A limit on the size of files: the first call writes what has room.
TEST(PosixFiles, AWriteThatIsCutShortGoesOn) {
  const TemporaryDirectory directory;
  PosixFiles files;
  const std::string path = directory.path() + "/file";
  const auto file = files.Create(path);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Write(0, std::string(4, 'a')).ok());
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 6;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = (*file)->Write(4, std::string(4, 'b'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, ignored);
  EXPECT_EQ(status,
            absl::UnavailableError("write " + path + ": File too large"));
  EXPECT_EQ(*(*file)->Read(0, 100), "aaaabb");
  EXPECT_EQ(*(*file)->Read(5, 100), "b");
}

TEST(PosixFiles, NothingStaysOpen) {
  const TemporaryDirectory directory;
  PosixFiles files;
  const auto descriptors = [&files] {
    return files.List("/proc/self/fd")->size();
  };
  const size_t before = descriptors();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(files.Create(directory.path() + "/file").ok());
    EXPECT_TRUE(files.FlushDirectory(directory.path()).ok());
    EXPECT_TRUE(files.Lock(directory.path() + "/LOCK", Mode::kWrite).ok());
  }
  EXPECT_EQ(descriptors(), before);
}

TEST(PosixFiles, AFileStorageStandsOnThem) {
  const TemporaryDirectory temporary;
  PosixFiles files;
  const std::string directory = temporary.path() + "/data";
  const FileStorage::Options options{
      .wal = {.identity = {.cluster = 1, .server = 1},
              .segment_bytes = 64 << 10}};
  storage_test::Model model;
  base::Random random(1);
  for (int incarnation = 0; incarnation < 3; ++incarnation) {
    const auto storage = FileStorage::Open(&files, directory, options);
    ASSERT_TRUE(storage.ok()) << storage.status();
    ASSERT_EQ(storage_test::ModelOf((*storage)->TakeRecovered()), model);
    EXPECT_TRUE(absl::IsFailedPrecondition(
        FileStorage::Open(&files, directory, options).status()));
    for (int i = 0; i < 50; ++i) {
      RandomChange(&random, options.wal.segment_bytes, &model, storage->get());
    }
    EXPECT_TRUE((*storage)->WaitDurable((*storage)->last()));
  }
  std::ostringstream out;
  EXPECT_TRUE(Dump(&files, directory, out).ok());
}

// What survives a crash.
class SimulatedCrash : public testing::Test {
 protected:
  SimulatedCrash() : file_(files_.Create("/a").value()) {
    CHECK(files_.FlushDirectory("/").ok());
    CHECK(file_->Write(0, std::string(1024, '1')).ok());
    CHECK(file_->Flush().ok());
  }
  // The first letter of each sector of /a, after a crash that only the
  // undecided thing of that number survives.
  std::string SectorsAfterCrash(size_t survivor) {
    const auto crashed =
        files_.Crash([survivor](size_t number) { return number == survivor; });
    const std::string bytes =
        crashed->Open("/a", Mode::kRead).value()->Read(0, 1 << 20).value();
    std::string letters;
    for (size_t at = 0; at < bytes.size(); at += kSectorBytes) {
      letters += bytes[at] == '\0' ? '0' : bytes[at];
    }
    return letters;
  }

  static constexpr size_t kNone = 1000;
  SimulatedFiles files_;
  std::unique_ptr<File> file_;
};

TEST_F(SimulatedCrash, SectorsSurviveOneByOne) {
  EXPECT_EQ(files_.Undecided(), 0U);
  ASSERT_TRUE(file_->Write(512, std::string(1500, '2')).ok());
  EXPECT_EQ(files_.Undecided(), 3U);
  EXPECT_EQ(SectorsAfterCrash(kNone), "11");
  EXPECT_EQ(SectorsAfterCrash(0), "12");
  EXPECT_EQ(SectorsAfterCrash(1), "112");
  EXPECT_EQ(SectorsAfterCrash(2), "1102");
  ASSERT_TRUE(file_->Flush().ok());
  EXPECT_EQ(SectorsAfterCrash(kNone), "1222");
}

TEST_F(SimulatedCrash, AFlushThatFailedLosesWhatItHadToWrite) {
  ASSERT_TRUE(file_->Write(0, std::string(1024, '2')).ok());
  files_.SetHook([](const FileOperation&) {
    return absl::UnavailableError("Input/output error");
  });
  EXPECT_FALSE(file_->Flush().ok());
  files_.SetHook(nullptr);
  EXPECT_TRUE(file_->Flush().ok());
  EXPECT_EQ(file_->Read(0, 1).value(), "2");
  EXPECT_EQ(SectorsAfterCrash(kNone), "11");
}

TEST_F(SimulatedCrash, NamesNeedAFlushOfTheirDirectory) {
  const auto names = [this](bool all) {
    return files_.Crash([all](size_t) { return all; })->List("/d");
  };
  ASSERT_TRUE(files_.MakeDirectory("/d").ok());
  ASSERT_TRUE(files_.Create("/d/x").ok());
  EXPECT_TRUE(absl::IsNotFound(names(false).status()));
  EXPECT_EQ(names(true).value(), Names{"x"});
  // A name in a directory that is not there is not there.
  ASSERT_TRUE(files_.FlushDirectory("/d").ok());
  EXPECT_TRUE(absl::IsNotFound(names(false).status()));
  ASSERT_TRUE(files_.FlushDirectory("/").ok());
  EXPECT_EQ(names(false).value(), Names{"x"});
  ASSERT_TRUE(files_.Rename("/d/x", "/d/y").ok());
  EXPECT_EQ(names(false).value(), Names{"x"});
  EXPECT_EQ(names(true).value(), Names{"y"});
  ASSERT_TRUE(files_.Remove("/d/y").ok());
  ASSERT_TRUE(files_.FlushDirectory("/d").ok());
  EXPECT_EQ(names(false).value(), Names());
}

TEST_F(SimulatedCrash, AFileKeepsItsSizeAndTheDiskItsCapacity) {
  files_.SetCapacity(2048);
  ASSERT_TRUE(file_->Write(1024, "the end").ok());
  const auto crashed = files_.Crash([](size_t) { return true; });
  const auto file = crashed->Open("/a", Mode::kWrite).value();
  EXPECT_EQ(file->Size().value(), 1031U);
  EXPECT_TRUE(absl::IsResourceExhausted(file->Preallocate(2049)));
}

TEST_F(SimulatedCrash, ABitIsFlippedWhereItLies) {
  files_.FlipBit("/a", 8 * 700 + 7);
  files_.FlipBit("/a", 8 * 701);
  EXPECT_EQ(file_->Read(699, 4).value(),
            "1\xb1\x30"
            "1");
  EXPECT_EQ(SectorsAfterCrash(kNone), "11");
}

TEST(SimulatedFiles, ErrorsNameThePath) {
  SimulatedFiles files;
  EXPECT_TRUE(files.Create("a").ok());  // in the current directory
  EXPECT_EQ(files.Create("/no/file").status(),
            absl::NotFoundError("/no: not there"));
  EXPECT_EQ(files.Create("a/file").status(),
            absl::FailedPreconditionError("a: not a directory"));
}

TEST_F(SimulatedCrash, ADiskHasRoomForItsCapacity) {
  files_.SetCapacity(2048);
  EXPECT_TRUE(file_->Preallocate(2048).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(file_->Write(2040, "more than 8")));
  EXPECT_TRUE(file_->Write(2040, "8 bytes.").ok());
  const auto other = files_.Create("/b").value();
  EXPECT_TRUE(absl::IsResourceExhausted(other->Preallocate(1)));
  EXPECT_TRUE(files_.Remove("/a").ok());
  EXPECT_TRUE(other->Preallocate(2048).ok());
}

TEST_F(SimulatedCrash, OperationsCanBeMadeAgain) {
  ASSERT_TRUE(files_.Rename("/a", "/b").ok());
  ASSERT_TRUE(file_->Write(0, "x").ok());
  SimulatedFiles again;
  for (const FileOperation& operation : files_.operations()) {
    EXPECT_TRUE(again.Apply(operation).ok());
  }
  EXPECT_EQ(again.Open("/b", Mode::kRead).value()->Read(0, 2).value(), "x1");
  EXPECT_EQ(again.Undecided(), files_.Undecided());
}

}  // namespace
}  // namespace persister
