// Directories of the operating system that a server, in a process of its own,
// cannot use: it says why in one line, ends with the documented status
// (persister/storage.h), and has changed no byte.

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "persister/files/directory.h"
#include "persister/files/dump.h"
#include "persister/files/file_storage.h"
#include "persister/files/posix_files.h"
#include "tests/storage/model.h"
#include "tests/storage/temporary_directory.h"

namespace persister {
namespace {

using storage_test::Pack;

constexpr Identity kIdentity = {.cluster = 7, .server = 3};
constexpr uint64_t kSegmentBytes = 4096;
constexpr int kNotPermitted = 77;  // no status of a storage

absl::StatusOr<std::unique_ptr<FileStorage>> Open(
    Files* files, const std::string& directory,
    const Identity& identity = kIdentity) {
  return FileStorage::Open(
      files, directory,
      {.wal = {.identity = identity, .segment_bytes = kSegmentBytes}});
}

// How a process ended, and what it wrote.
struct Ended {
  int status = -1;
  std::string text;
};

// Runs `body` in a child process: it writes to the stream, and returns the exit
// status.
Ended InChild(const std::function<int(std::ostream&)>& body) {
  int ends[2];
  PCHECK(pipe(ends) == 0);
  const pid_t child = fork();
  PCHECK(child >= 0);
  if (child == 0) {
    std::ostringstream out;
    const int status = body(out);
    const std::string text = out.str();
    const ssize_t written = write(ends[1], text.data(), text.size());
    _exit(written == static_cast<ssize_t>(text.size()) ? status : -1);
  }
  close(ends[1]);
  Ended ended;
  char byte = 0;
  while (read(ends[0], &byte, 1) == 1) ended.text.push_back(byte);
  close(ends[0]);
  int status = 0;
  PCHECK(waitpid(child, &status, 0) == child);
  if (WIFEXITED(status)) ended.status = WEXITSTATUS(status);
  return ended;
}

// A server that opens the directory, and ends.
int Serve(const std::string& directory, const Identity& identity,
          std::ostream& out) {
  PosixFiles files;
  const auto storage = Open(&files, directory, identity);
  if (storage.ok()) return EXIT_SUCCESS;
  out << storage.status().message() << "\n";
  return ExitStatusOf(storage.status());
}

int DumpOnly(const std::string& directory, std::ostream& out) {
  PosixFiles files;
  std::ostringstream ignored;
  const absl::Status status = Dump(&files, directory, ignored);
  if (status.ok()) return EXIT_SUCCESS;
  out << status.message() << "\n";
  return ExitStatusOf(status);
}

// Gives this process mounts of its own; false if it may not.
bool HasOwnMounts() {
  return unshare(CLONE_NEWNS) == 0 &&
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

class RealDirectory : public testing::Test {
 protected:
  // A storage with entries 1 to 20, in several segments.
  RealDirectory() {
    PosixFiles files;
    const auto storage = Open(&files, directory_);
    CHECK(storage.ok()) << storage.status();
    for (uint64_t index = 1; index <= 20; ++index) {
      const std::string packed = Pack({{5, std::string(1000, 'x')}});
      CHECK((*storage)->WaitDurable((*storage)->Append(index, packed)));
    }
  }

  std::map<std::string, std::string> Content() const {
    std::map<std::string, std::string> content;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(temporary_.path())) {
      std::string& bytes = content[entry.path()];
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      bytes = {std::istreambuf_iterator<char>(in), {}};
    }
    return content;
  }
  void Write(const std::string& path, uint64_t offset,
             const std::string& bytes) {
    PosixFiles files;
    const auto file = files.Open(path, Files::Mode::kWrite);
    CHECK(file.ok() && (*file)->Write(offset, bytes).ok());
  }

  void ExpectRefused(const std::function<int(std::ostream&)>& body,
                     int exit_status, const std::string& text) {
    const auto before = Content();
    const Ended ended = InChild(body);
    if (ended.status == kNotPermitted) GTEST_SKIP() << ended.text;
    EXPECT_EQ(ended.status, exit_status) << ended.text;
    EXPECT_TRUE(absl::StrContains(ended.text, text)) << ended.text;
    EXPECT_EQ(ended.text.find('\n'), ended.text.size() - 1) << ended.text;
    EXPECT_TRUE(Content() == before) << ended.text;
  }
  void ExpectRefused(int exit_status, const std::string& text,
                     const Identity& identity = kIdentity) {
    ExpectRefused(
        [&](std::ostream& out) { return Serve(directory_, identity, out); },
        exit_status, text);
  }
  void ExpectDumpRefused(int exit_status, const std::string& text) {
    ExpectRefused([&](std::ostream& out) { return DumpOnly(directory_, out); },
                  exit_status, text);
  }

  const storage_test::TemporaryDirectory temporary_;
  const std::string directory_ = temporary_.path() + "/data";
};

TEST_F(RealDirectory, AGoodOneIsOpened) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer allows the child of a fork no threads";
#endif
  const Ended served = InChild(
      [&](std::ostream& out) { return Serve(directory_, kIdentity, out); });
  EXPECT_EQ(served.status, EXIT_SUCCESS) << served.text;
  const auto before = Content();
  const Ended dumped =
      InChild([&](std::ostream& out) { return DumpOnly(directory_, out); });
  EXPECT_EQ(dumped.status, EXIT_SUCCESS) << dumped.text;
  EXPECT_TRUE(Content() == before);
}

TEST_F(RealDirectory, OneOfSomethingElse) {
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directory(directory_);
  std::ofstream(directory_ + "/notes.txt") << "notes";
  ExpectRefused(kExitUnusable,
                directory_ + " is not empty and no storage: it has notes.txt");
  ExpectDumpRefused(kExitUnusable, directory_ + " is no storage: it has no ID");
}

TEST_F(RealDirectory, AFileAndWhatIsNotThere) {
  const std::string file = temporary_.path() + "/file";
  std::ofstream(file) << "text";
  ExpectRefused([&](std::ostream& out) { return Serve(file, kIdentity, out); },
                kExitUnusable, file);
  const std::string missing = temporary_.path() + "/missing/data";
  ExpectRefused(
      [&](std::ostream& out) { return Serve(missing, kIdentity, out); },
      kExitDiskFailed, "mkdir " + missing + ": No such file or directory");
}

TEST_F(RealDirectory, AForeignIdentity) {
  ExpectRefused(kExitUnusable,
                directory_ +
                    " is of cluster 7, server 3, not of cluster 7, "
                    "server 4",
                {.cluster = 7, .server = 4});
}

TEST_F(RealDirectory, ASecondProcess) {
  PosixFiles files;
  const auto storage = Open(&files, directory_);
  ASSERT_TRUE(storage.ok());
  // A vote waits until the segment after is made: nothing changes any more.
  ASSERT_TRUE((*storage)->WaitDurable((*storage)->SetVote(5, 1)));
  const std::string text = "LOCK is locked: another process uses the directory";
  ExpectRefused(kExitUnusable, text);
  ExpectDumpRefused(kExitUnusable, text);
}

TEST_F(RealDirectory, AVersionOfTomorrow) {
  const std::string text =
      "has format version 2; this program knows none "
      "newer than 1";
  Write(IdentityPath(directory_), 8, "\x02");
  ExpectRefused(kExitUnusable, IdentityPath(directory_) + " " + text);
  Write(IdentityPath(directory_), 8, "\x01");
  Write(SegmentPath(directory_, 2), 8, "\x02");
  ExpectRefused(kExitUnusable, SegmentPath(directory_, 2) + " " + text);
  ExpectDumpRefused(kExitUnusable, SegmentPath(directory_, 2) + " " + text);
}

TEST_F(RealDirectory, AMissingSegment) {
  std::filesystem::remove(SegmentPath(directory_, 2));
  ExpectRefused(kExitDamaged, SegmentPath(directory_, 2) + " is missing");
  ExpectDumpRefused(kExitDamaged, SegmentPath(directory_, 2) + " is missing");
}

TEST_F(RealDirectory, Rot) {
  Write(SegmentPath(directory_, 2), 1000, "y");
  ExpectRefused(kExitDamaged, SegmentPath(directory_, 2) +
                                  " is damaged at offset 512 (batch 4, after "
                                  "entry 3)");
}

TEST_F(RealDirectory, AReadOnlyOne) {
  const auto read_only = [&](const std::function<int(std::ostream&)>& then) {
    return [this, then](std::ostream& out) {
      const char* const path = directory_.c_str();
      if (HasOwnMounts() && mount(path, path, nullptr, MS_BIND, nullptr) == 0 &&
          mount("none", path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY,
                nullptr) == 0) {
        return then(out);
      }
      out << "a process may not mount here\n";
      return kNotPermitted;
    };
  };
  ExpectRefused(read_only([&](std::ostream& out) {
                  return Serve(directory_, kIdentity, out);
                }),
                kExitUnusable,
                "open " + LockPath(directory_) + ": Read-only file system");
  if (IsSkipped()) return;
  // Looking is no change.
  const Ended dumped = InChild(
      read_only([&](std::ostream& out) { return DumpOnly(directory_, out); }));
  EXPECT_EQ(dumped.status, EXIT_SUCCESS) << dumped.text;
}

// On a disk of 1 MB: runs `then` with a path on it.
std::function<int(std::ostream&)> OnSmallDisk(
    const std::string& path,
    const std::function<int(const std::string&, std::ostream&)>& then) {
  return [=](std::ostream& out) {
    if (!HasOwnMounts() ||
        mount("none", path.c_str(), "tmpfs", 0, "size=1m") != 0) {
      out << "a process may not mount here\n";
      return kNotPermitted;
    }
    return then(path + "/data", out);
  };
}

TEST_F(RealDirectory, AFullDiskHasNoRoomForANewOne) {
  ExpectRefused(
      OnSmallDisk(temporary_.path(),
                  [](const std::string& directory, std::ostream& out) {
                    PosixFiles files;
                    const auto storage = FileStorage::Open(
                        &files, directory, {.wal = {.identity = kIdentity}});
                    out << storage.status().message() << "\n";
                    return ExitStatusOf(storage.status());
                  }),
      kExitDiskFailed, "000000000001.wal.tmp: No space left on device");
}

// Uses a disk up, and opens what is on it.
int FillDisk(const std::string& directory, std::ostream& out) {
  PosixFiles files;
  uint64_t last = 0;
  {
    auto storage = Open(&files, directory);
    CHECK(storage.ok()) << storage.status();
    const std::string packed = Pack({{5, std::string(1000, 'x')}});
    while ((*storage)->HasRoom() && last < 2000) {
      CHECK((*storage)->WaitDurable((*storage)->Append(++last, packed)));
    }
    if ((*storage)->HasRoom()) out << "1 MB is not full; ";
    // There is room for votes.
    CHECK((*storage)->WaitDurable((*storage)->SetVote(6, 2)));
  }
  auto storage = Open(&files, directory);
  CHECK(storage.ok()) << storage.status();
  const Recovered recovered = (*storage)->TakeRecovered();
  if (recovered.last_index != last || recovered.voted_for != 2) {
    out << "entry " << recovered.last_index << " is the last, not " << last;
  }
  return EXIT_SUCCESS;
}

TEST_F(RealDirectory, AFullDiskLosesNothing) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer allows the child of a fork no threads";
#endif
  const Ended ended = InChild(OnSmallDisk(temporary_.path(), FillDisk));
  if (ended.status == kNotPermitted) GTEST_SKIP() << ended.text;
  EXPECT_EQ(ended.status, EXIT_SUCCESS);
  EXPECT_EQ(ended.text, "");
}

}  // namespace
}  // namespace persister
