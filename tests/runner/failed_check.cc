#include "tests/runner/failed_check.h"

#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace runner {

FailedCheck ReadResult(const testing::TestPartResult& result) {
  FailedCheck check{.message = result.message()};
  // GoogleTest's word for a failure that is no comparison.
  constexpr std::string_view kFailed = "Failed\n";
  if (check.message.starts_with(kFailed)) {
    check.message.erase(0, kFailed.size());
  }
  // Newer versions end each message with a line feed.
  absl::StripTrailingAsciiWhitespace(&check.message);
  if (result.file_name() != nullptr) {
    std::string file = result.file_name();
    file.erase(0, file.rfind('/') + 1);
    check.place = absl::StrCat(file, ":", result.line_number());
  }
  return check;
}

}  // namespace runner
