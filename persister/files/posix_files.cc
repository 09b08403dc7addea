#include "persister/files/posix_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"

namespace persister {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;

// What errno says of a call that failed.
absl::Status Failed(const char* call, const std::string& path) {
  const int error = errno;
  const std::string text =
      absl::StrCat(call, " ", path, ": ", std::strerror(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(text);
    case EROFS:
    case EACCES:
    case EPERM:
    case ENOTDIR:
      return absl::FailedPreconditionError(text);
    case ENOENT:
      return absl::NotFoundError(text);
    default:
      return absl::UnavailableError(text);
  }
}

// Repeats a call that a signal interrupted.
template <typename Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

absl::StatusOr<Descriptor> OpenDescriptor(const std::string& path, int flags) {
  const int fd = Uninterrupted(
      [&] { return open(path.c_str(), flags | O_CLOEXEC, kFileMode); });
  if (fd < 0) return Failed("open", path);
  return Descriptor(fd);
}

class PosixFile : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  absl::StatusOr<uint64_t> Size() override {
    struct stat status {};
    if (fstat(descriptor_.fd(), &status) != 0) return Failed("stat", path_);
    return static_cast<uint64_t>(status.st_size);
  }

  absl::StatusOr<std::string> Read(uint64_t offset, size_t count) override {
    const absl::StatusOr<uint64_t> size = Size();
    if (!size.ok()) return size.status();
    count = std::min<uint64_t>(count, *size - std::min(*size, offset));
    std::string bytes(count, '\0');
    size_t done = 0;
    while (done < count) {
      const ssize_t more = Uninterrupted([&] {
        return pread(descriptor_.fd(), bytes.data() + done, count - done,
                     static_cast<off_t>(offset + done));
      });
      if (more < 0) return Failed("read", path_);
      if (more == 0) break;
      done += static_cast<size_t>(more);
    }
    bytes.resize(done);
    return bytes;
  }

  absl::Status Write(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t done = Uninterrupted([&] {
        return pwrite(descriptor_.fd(), bytes.data(), bytes.size(),
                      static_cast<off_t>(offset));
      });
      if (done < 0) return Failed("write", path_);
      offset += static_cast<uint64_t>(done);
      bytes.remove_prefix(static_cast<size_t>(done));
    }
    return absl::OkStatus();
  }

  absl::Status Preallocate(uint64_t size) override {
    const auto length = static_cast<off_t>(size);
    if (Uninterrupted([&] {
          return fallocate(descriptor_.fd(), /*mode=*/0, /*offset=*/0, length);
        }) == 0) {
      return absl::OkStatus();
    }
    if (errno != EOPNOTSUPP) return Failed("fallocate", path_);
    if (ftruncate(descriptor_.fd(), length) == 0) return absl::OkStatus();
    return Failed("ftruncate", path_);
  }

  absl::Status Flush() override {
    if (fdatasync(descriptor_.fd()) == 0) return absl::OkStatus();
    return Failed("fdatasync", path_);
  }

 private:
  const Descriptor descriptor_;
  const std::string path_;
};

class PosixFileLock : public FileLock {
 public:
  explicit PosixFileLock(Descriptor descriptor)
      : descriptor_(std::move(descriptor)) {}

 private:
  const Descriptor descriptor_;
};

absl::StatusOr<std::unique_ptr<File>> OpenFile(const std::string& path,
                                               int flags) {
  absl::StatusOr<Descriptor> descriptor = OpenDescriptor(path, flags);
  if (!descriptor.ok()) return descriptor.status();
  return std::make_unique<PosixFile>(*std::move(descriptor), path);
}

}  // namespace

absl::StatusOr<std::unique_ptr<File>> PosixFiles::Open(const std::string& path,
                                                       Mode mode) {
  return OpenFile(path, mode == Mode::kRead ? O_RDONLY : O_RDWR);
}

absl::StatusOr<std::unique_ptr<File>> PosixFiles::Create(
    const std::string& path) {
  return OpenFile(path, O_RDWR | O_CREAT | O_TRUNC);
}

absl::Status PosixFiles::Rename(const std::string& from,
                                const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return Failed("rename", from);
}

absl::Status PosixFiles::Remove(const std::string& path) {
  if (unlink(path.c_str()) == 0) return absl::OkStatus();
  return Failed("remove", path);
}

absl::Status PosixFiles::MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), kDirectoryMode) == 0 || errno == EEXIST) {
    return absl::OkStatus();
  }
  return Failed("mkdir", path);
}

absl::Status PosixFiles::FlushDirectory(const std::string& path) {
  const absl::StatusOr<Descriptor> directory =
      OpenDescriptor(path, O_RDONLY | O_DIRECTORY);
  if (!directory.ok()) return directory.status();
  if (fsync(directory->fd()) == 0) return absl::OkStatus();
  return Failed("fsync", path);
}

absl::StatusOr<std::vector<std::string>> PosixFiles::List(
    const std::string& path) {
  DIR* const directory = opendir(path.c_str());
  if (directory == nullptr) return Failed("open", path);
  std::vector<std::string> names;
  while (true) {
    errno = 0;  // readdir() sets it only if it fails
    const dirent* const entry = readdir(directory);
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  absl::Status status = errno == 0 ? absl::OkStatus() : Failed("read", path);
  closedir(directory);
  if (!status.ok()) return status;
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::unique_ptr<FileLock>> PosixFiles::Lock(
    const std::string& path, Mode mode) {
  absl::StatusOr<Descriptor> descriptor =
      OpenDescriptor(path, mode == Mode::kRead ? O_RDONLY : O_RDWR | O_CREAT);
  if (!descriptor.ok()) return descriptor.status();
  if (flock(descriptor->fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Failed("lock", path);
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is locked: another process uses the directory"));
  }
  return std::make_unique<PosixFileLock>(*std::move(descriptor));
}

}  // namespace persister
