#include "tests/runner/lines.h"

#include "absl/strings/str_cat.h"

namespace runner {
namespace {

constexpr size_t kLongestLine = 64 << 10;
constexpr size_t kMostHeld = 64 << 10;

}  // namespace

void LineSplitter::Add(std::string_view bytes) {
  partial_.append(bytes);
  std::string_view rest = partial_;
  for (size_t end = rest.find('\n'); end != std::string_view::npos;
       end = rest.find('\n')) {
    sink_(std::string(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
  }
  if (rest.size() >= kLongestLine) {
    sink_(std::string(rest));
    rest = {};
  }
  partial_.erase(0, partial_.size() - rest.size());
}

void LineSplitter::Finish() {
  if (!partial_.empty()) sink_(partial_);
  partial_.clear();
}

void LineLimit::Add(const std::string& line) {
  const size_t size = line.size() + 1;
  if (last_.empty() && passed_ + size <= most_) {
    passed_ += size;
    sink_(line);
    return;
  }
  last_.push_back(line);
  held_ += size;
  while (held_ > kMostHeld && last_.size() > 1) {
    cut_ += last_.front().size() + 1;
    held_ -= last_.front().size() + 1;
    last_.pop_front();
  }
}

void LineLimit::Finish() {
  if (cut_ > 0) {
    sink_(absl::StrCat("(", cut_, " bytes are cut out here: of more than ",
                       most_, " only the last lines are kept)"));
  }
  for (const std::string& line : last_) sink_(line);
  last_.clear();
}

}  // namespace runner
