// Files in memory that crash, fail and rot as a test wants, in virtual time
// too.
//
// A crash is a copy: what a disk would hold if the machine stopped now. What no
// flush has decided, each sector written and each change of a directory,
// survives or not as the test chooses, one by one. The files it was taken of go
// on, for threads that do not know yet that they are dead.
//
// Before each operation a hook runs: it may take time, fail the operation, or
// crash the disk right there. A flush that fails forgets what it had to write,
// as Linux does: it is still read, but no later flush writes it. A hook that
// says Cancelled stands for a process that has ended before the operation: the
// kernel still has what it was given.
//
// Thread safety: safe. Lock order: a leaf; the hook runs without the lock. Open
// files and locks must not outlive it.

#ifndef PERSISTER_FILES_SIMULATED_FILES_H_
#define PERSISTER_FILES_SIMULATED_FILES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "persister/files/files.h"

namespace persister {

// What was asked of a disk.
struct FileOperation {
  enum class Kind : uint8_t {
    // Changes, which are recorded:
    kCreate,
    kWrite,
    kPreallocate,
    kFlush,
    kRename,
    kRemove,
    kMakeDirectory,
    kFlushDirectory,
    // The others:
    kOpen,
    kRead,
    kList,
    kLock,
  };
  Kind kind = Kind::kRead;
  std::string path;
  std::string to = {};     // kRename
  size_t file = 0;         // kWrite, kPreallocate, kFlush: the n-th created
  uint64_t offset = 0;     // kWrite; kPreallocate: the size
  std::string bytes = {};  // kWrite
};

class SimulatedFiles : public Files {
 public:
  using Hook = std::function<absl::Status(const FileOperation&)>;

  // REQUIRES: not yet shared between threads.
  void SetHook(Hook hook) EXCLUDES(mu_);
  // The bytes that all files together may have; no limit at first.
  void SetCapacity(uint64_t bytes) EXCLUDES(mu_);

  // How many things no flush has decided.
  size_t Undecided() const EXCLUDES(mu_);
  // Returns what is left if the machine stops now, of the undecided things
  // those for whose number `survives` is true.
  std::unique_ptr<SimulatedFiles> Crash(
      const std::function<bool(size_t)>& survives) const EXCLUDES(mu_);

  // Changes a bit of what is on the disk, counted from the beginning of the
  // file. REQUIRES: the file is there and has it.
  void FlipBit(const std::string& path, uint64_t bit) EXCLUDES(mu_);

  bool Contains(const std::string& path) const EXCLUDES(mu_);

  // The changes so far, and how to make one of them again.
  std::vector<FileOperation> operations() const EXCLUDES(mu_);
  absl::Status Apply(const FileOperation& operation) EXCLUDES(mu_);

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path,
                                             Mode mode) override EXCLUDES(mu_);
  absl::StatusOr<std::unique_ptr<File>> Create(const std::string& path) override
      EXCLUDES(mu_);
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status MakeDirectory(const std::string& path) override;
  absl::Status FlushDirectory(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(
      const std::string& path) override EXCLUDES(mu_);
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path,
                                                 Mode mode) override
      EXCLUDES(mu_);

 private:
  class OpenFile;
  class HeldLock;

  // A file, or a directory.
  struct Node {
    size_t number = 0;
    bool is_directory = false;
    std::string bytes;       // as it is read
    std::string durable;     // as it lies on the disk
    std::set<size_t> dirty;  // sectors that differ, and that a flush writes
  };
  using Tree = std::map<std::string, std::shared_ptr<Node>>;
  // A change of a directory that is not durable yet.
  struct TreeChange {
    std::string removed = {};  // a path, or empty
    std::string added = {};    // a path, or empty
    std::shared_ptr<Node> node = {};
    bool IsIn(const std::string& directory) const;
    void ApplyTo(Tree* tree) const;
  };

  absl::Status ApplyLocked(const FileOperation& operation) REQUIRES(mu_);
  absl::Status ResizeLocked(Node* node, uint64_t size) REQUIRES(mu_);
  absl::Status CheckParentLocked(const std::string& path) const REQUIRES(mu_);
  void ChangeTreeLocked(TreeChange change) REQUIRES(mu_);
  std::shared_ptr<Node> NewNodeLocked(bool is_directory) REQUIRES(mu_);
  // Runs the hook, and returns what it says.
  absl::Status Before(const FileOperation& operation) EXCLUDES(mu_);
  void ForgetDirty(size_t file) EXCLUDES(mu_);

  Hook hook_;
  mutable base::Mutex mu_;
  uint64_t capacity_ ABSL_GUARDED_BY(mu_) = UINT64_MAX;
  std::vector<std::shared_ptr<Node>> nodes_ ABSL_GUARDED_BY(mu_);
  Tree tree_ ABSL_GUARDED_BY(mu_);          // as it is read
  Tree durable_tree_ ABSL_GUARDED_BY(mu_);  // as it lies on the disk
  std::vector<TreeChange> tree_changes_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> locked_ ABSL_GUARDED_BY(mu_);
  std::vector<FileOperation> operations_ ABSL_GUARDED_BY(mu_);
};

}  // namespace persister

#endif  // PERSISTER_FILES_SIMULATED_FILES_H_
