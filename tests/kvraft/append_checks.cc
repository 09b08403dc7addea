#include "tests/kvraft/append_checks.h"

#include "absl/strings/str_cat.h"

namespace tests {

using harness::Fail;
using harness::Kind;
using harness::Place;

std::string Element(int client, int j) {
  return absl::StrCat("x ", client, " ", j, " y");
}

void CheckAppends(int client, const std::string& value, int count,
                  Place place) {
  size_t last = 0;
  for (int j = 0; j < count; ++j) {
    const std::string element = Element(client, j);
    const size_t at = value.find(element);
    if (at == std::string::npos) {
      Fail(Kind::kSafety,
           absl::StrCat(client, " missing element ", element,
                        " in Append result ", value),
           place);
    }
    if (value.rfind(element) != at) {
      Fail(Kind::kSafety,
           absl::StrCat("duplicate element ", element, " in Append result"),
           place);
    }
    if (j > 0 && at <= last) {
      Fail(Kind::kSafety,
           absl::StrCat("wrong order for element ", element,
                        " in Append result"),
           place);
    }
    last = at;
  }
}

void CheckConcurrentAppends(const std::string& value,
                            const std::vector<int>& counts, Place place) {
  int client = 0;
  for (const int count : counts) CheckAppends(client++, value, count, place);
}

}  // namespace tests
