#include "persister/files/simulated_files.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"

namespace persister {
namespace {

using base::MutexLock;
using Kind = FileOperation::Kind;

absl::Status NotThere(const std::string& path) {
  return absl::NotFoundError(absl::StrCat(path, ": not there"));
}

// Copies a sector from `from` to `to`, which grows if need be.
void CopySector(const std::string& from, size_t sector, std::string* to) {
  const size_t begin = sector * kSectorBytes;
  const size_t count = std::min(kSectorBytes, from.size() - begin);
  to->resize(std::max(to->size(), begin + count));
  to->replace(begin, count, from, begin, count);
}

}  // namespace

class SimulatedFiles::OpenFile : public File {
 public:
  OpenFile(SimulatedFiles* files, std::shared_ptr<Node> node, std::string path)
      : files_(files), node_(std::move(node)), path_(std::move(path)) {}

  absl::StatusOr<uint64_t> Size() override {
    MutexLock lock(&files_->mu_);
    return node_->bytes.size();
  }
  absl::StatusOr<std::string> Read(uint64_t offset, size_t count) override {
    absl::Status status = files_->Before({.kind = Kind::kRead, .path = path_});
    if (!status.ok()) return status;
    MutexLock lock(&files_->mu_);
    return node_->bytes.substr(std::min<size_t>(offset, node_->bytes.size()),
                               count);
  }
  absl::Status Write(uint64_t offset, std::string_view bytes) override {
    return files_->Apply({.kind = Kind::kWrite,
                          .path = path_,
                          .file = node_->number,
                          .offset = offset,
                          .bytes = std::string(bytes)});
  }
  absl::Status Preallocate(uint64_t size) override {
    return files_->Apply({.kind = Kind::kPreallocate,
                          .path = path_,
                          .file = node_->number,
                          .offset = size});
  }
  absl::Status Flush() override {
    return files_->Apply(
        {.kind = Kind::kFlush, .path = path_, .file = node_->number});
  }

 private:
  SimulatedFiles* const files_;
  const std::shared_ptr<Node> node_;
  const std::string path_;
};

class SimulatedFiles::HeldLock : public FileLock {
 public:
  HeldLock(SimulatedFiles* files, std::string path)
      : files_(files), path_(std::move(path)) {}
  ~HeldLock() override {
    MutexLock lock(&files_->mu_);
    files_->locked_.erase(path_);
  }

 private:
  SimulatedFiles* const files_;
  const std::string path_;
};

bool SimulatedFiles::TreeChange::IsIn(const std::string& directory) const {
  return DirectoryOf(added.empty() ? removed : added) == directory;
}

void SimulatedFiles::TreeChange::ApplyTo(Tree* tree) const {
  if (!removed.empty()) tree->erase(removed);
  if (!added.empty()) (*tree)[added] = node;
}

void SimulatedFiles::SetHook(Hook hook) { hook_ = std::move(hook); }

void SimulatedFiles::SetCapacity(uint64_t bytes) {
  MutexLock lock(&mu_);
  capacity_ = bytes;
}

size_t SimulatedFiles::Undecided() const {
  MutexLock lock(&mu_);
  size_t count = tree_changes_.size();
  for (const auto& node : nodes_) count += node->dirty.size();
  return count;
}

std::unique_ptr<SimulatedFiles> SimulatedFiles::Crash(
    const std::function<bool(size_t)>& survives) const {
  auto crashed = std::make_unique<SimulatedFiles>();
  MutexLock lock(&mu_);
  MutexLock its_lock(&crashed->mu_);
  crashed->capacity_ = capacity_;
  size_t number = 0;
  for (const auto& node : nodes_) {
    const auto copy = crashed->NewNodeLocked(node->is_directory);
    copy->durable = node->durable;
    for (const size_t sector : node->dirty) {
      if (survives(number++)) CopySector(node->bytes, sector, &copy->durable);
    }
    copy->bytes = copy->durable;
  }
  Tree tree = durable_tree_;
  for (const TreeChange& change : tree_changes_) {
    if (survives(number++)) change.ApplyTo(&tree);
  }
  // What is in a directory that is gone is gone. Parents come first.
  for (const auto& [path, node] : tree) {
    if (crashed->CheckParentLocked(path).ok()) {
      crashed->tree_[path] = crashed->nodes_[node->number];
    }
  }
  crashed->durable_tree_ = crashed->tree_;
  return crashed;
}

void SimulatedFiles::FlipBit(const std::string& path, uint64_t bit) {
  MutexLock lock(&mu_);
  const auto found = tree_.find(path);
  CHECK(found != tree_.end()) << path << ": not there";
  const uint64_t byte = bit / 8;
  CHECK_LT(byte, found->second->durable.size());
  for (std::string* bytes : {&found->second->durable, &found->second->bytes}) {
    (*bytes)[byte] = static_cast<char>((*bytes)[byte] ^ (1 << (bit % 8)));
  }
}

std::vector<FileOperation> SimulatedFiles::operations() const {
  MutexLock lock(&mu_);
  return operations_;
}

bool SimulatedFiles::Contains(const std::string& path) const {
  MutexLock lock(&mu_);
  return tree_.contains(path);
}

absl::Status SimulatedFiles::Before(const FileOperation& operation) {
  return hook_ ? hook_(operation) : absl::OkStatus();
}

absl::Status SimulatedFiles::Apply(const FileOperation& operation) {
  absl::Status status = Before(operation);
  if (!status.ok()) {
    if (operation.kind == Kind::kFlush && !absl::IsCancelled(status)) {
      ForgetDirty(operation.file);
    }
    return status;
  }
  MutexLock lock(&mu_);
  status = ApplyLocked(operation);
  if (status.ok()) operations_.push_back(operation);
  return status;
}

void SimulatedFiles::ForgetDirty(size_t file) {
  MutexLock lock(&mu_);
  nodes_[file]->dirty.clear();
}

absl::Status SimulatedFiles::ApplyLocked(const FileOperation& operation) {
  const std::string& path = operation.path;
  switch (operation.kind) {
    case Kind::kCreate:
    case Kind::kMakeDirectory: {
      const bool is_directory = operation.kind == Kind::kMakeDirectory;
      absl::Status status = CheckParentLocked(path);
      if (!status.ok()) return status;
      ChangeTreeLocked({.added = path, .node = NewNodeLocked(is_directory)});
      return absl::OkStatus();
    }
    case Kind::kRename:
    case Kind::kRemove: {
      const auto found = tree_.find(path);
      if (found == tree_.end()) return NotThere(path);
      ChangeTreeLocked(
          {.removed = path, .added = operation.to, .node = found->second});
      return absl::OkStatus();
    }
    case Kind::kFlushDirectory: {
      const auto is_in = [&path](const TreeChange& change) {
        return change.IsIn(path);
      };
      for (const TreeChange& change : tree_changes_) {
        if (is_in(change)) change.ApplyTo(&durable_tree_);
      }
      std::erase_if(tree_changes_, is_in);
      return absl::OkStatus();
    }
    case Kind::kWrite: {
      Node* const node = nodes_[operation.file].get();
      const std::string& bytes = operation.bytes;
      const uint64_t end = operation.offset + bytes.size();
      if (end > node->bytes.size()) {
        absl::Status status = ResizeLocked(node, end);
        if (!status.ok()) return status;
      }
      node->bytes.replace(operation.offset, bytes.size(), bytes);
      for (uint64_t at = operation.offset / kSectorBytes;
           at * kSectorBytes < end; ++at) {
        node->dirty.insert(at);
      }
      return absl::OkStatus();
    }
    case Kind::kPreallocate:
      return ResizeLocked(nodes_[operation.file].get(), operation.offset);
    case Kind::kFlush: {
      Node* const node = nodes_[operation.file].get();
      for (const size_t sector : node->dirty) {
        CopySector(node->bytes, sector, &node->durable);
      }
      node->durable.resize(node->bytes.size());
      node->dirty.clear();
      return absl::OkStatus();
    }
    case Kind::kOpen:
    case Kind::kRead:
    case Kind::kList:
    case Kind::kLock:
      break;
  }
  LOG(FATAL) << "this operation changes nothing";
}

absl::Status SimulatedFiles::ResizeLocked(Node* node, uint64_t size) {
  uint64_t used = size - node->bytes.size();
  for (const auto& [path, other] : tree_) used += other->bytes.size();
  if (used > capacity_) return absl::ResourceExhaustedError("the disk is full");
  node->bytes.resize(size);
  return absl::OkStatus();
}

absl::Status SimulatedFiles::CheckParentLocked(const std::string& path) const {
  const std::string parent = DirectoryOf(path);
  if (parent == "." || parent == "/") return absl::OkStatus();
  const auto found = tree_.find(parent);
  if (found == tree_.end()) return NotThere(parent);
  if (found->second->is_directory) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(parent, ": not a directory"));
}

void SimulatedFiles::ChangeTreeLocked(TreeChange change) {
  change.ApplyTo(&tree_);
  tree_changes_.push_back(std::move(change));
}

std::shared_ptr<SimulatedFiles::Node> SimulatedFiles::NewNodeLocked(
    bool is_directory) {
  auto node = std::make_shared<Node>();
  node->number = nodes_.size();
  node->is_directory = is_directory;
  nodes_.push_back(node);
  return node;
}

absl::StatusOr<std::unique_ptr<File>> SimulatedFiles::Open(
    const std::string& path, Mode /*mode*/) {
  absl::Status status = Before({.kind = Kind::kOpen, .path = path});
  if (!status.ok()) return status;
  MutexLock lock(&mu_);
  const auto found = tree_.find(path);
  if (found == tree_.end()) return NotThere(path);
  return std::make_unique<OpenFile>(this, found->second, path);
}

absl::StatusOr<std::unique_ptr<File>> SimulatedFiles::Create(
    const std::string& path) {
  absl::Status status = Apply({.kind = Kind::kCreate, .path = path});
  if (!status.ok()) return status;
  MutexLock lock(&mu_);
  return std::make_unique<OpenFile>(this, tree_.at(path), path);
}

absl::Status SimulatedFiles::Rename(const std::string& from,
                                    const std::string& to) {
  return Apply({.kind = Kind::kRename, .path = from, .to = to});
}

absl::Status SimulatedFiles::Remove(const std::string& path) {
  return Apply({.kind = Kind::kRemove, .path = path});
}

absl::Status SimulatedFiles::MakeDirectory(const std::string& path) {
  if (Contains(path)) return absl::OkStatus();
  return Apply({.kind = Kind::kMakeDirectory, .path = path});
}

absl::Status SimulatedFiles::FlushDirectory(const std::string& path) {
  return Apply({.kind = Kind::kFlushDirectory, .path = path});
}

absl::StatusOr<std::vector<std::string>> SimulatedFiles::List(
    const std::string& path) {
  absl::Status status = Before({.kind = Kind::kList, .path = path});
  if (!status.ok()) return status;
  MutexLock lock(&mu_);
  if (!tree_.contains(path)) return NotThere(path);
  std::vector<std::string> names;
  for (const auto& [name, node] : tree_) {
    if (DirectoryOf(name) == path)
      names.push_back(name.substr(path.size() + 1));
  }
  return names;
}

absl::StatusOr<std::unique_ptr<FileLock>> SimulatedFiles::Lock(
    const std::string& path, Mode mode) {
  absl::Status status = Before({.kind = Kind::kLock, .path = path});
  if (!status.ok()) return status;
  if (!Contains(path)) {
    if (mode == Mode::kRead) return NotThere(path);
    absl::Status made = Apply({.kind = Kind::kCreate, .path = path});
    if (!made.ok()) return made;
  }
  MutexLock lock(&mu_);
  if (!locked_.insert(path).second) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is locked: another process uses the directory"));
  }
  return std::make_unique<HeldLock>(this, path);
}

}  // namespace persister
