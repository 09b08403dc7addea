#include "tests/runner/transcript.h"

#include <unistd.h>

#include "base/write_all.h"

namespace runner {

Transcript::~Transcript() {
  if (part_ >= 0) close(part_);
}

void Transcript::Print(std::string_view text) {
  Keep(text);
  if (released_) {
    log_->Show(text);
  } else {
    text_.append(text);
  }
}

void Transcript::Keep(std::string_view text) {
  if (released_) {
    log_->Keep(text);
    return;
  }
  if (part_ < 0) part_ = log_->NewPart();
  base::WriteAll(part_, text);
}

void Transcript::Release() {
  if (released_) return;
  released_ = true;
  if (part_ >= 0) log_->AddPart(part_);
  part_ = -1;
  log_->Show(text_);
  text_.clear();
}

}  // namespace runner
