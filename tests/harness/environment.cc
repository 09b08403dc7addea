#include "tests/harness/environment.h"

#include <utility>

namespace harness {
namespace {

Environment& Mutable() {
  static auto* const environment = new Environment();
  return *environment;
}

}  // namespace

void SetEnvironment(Environment environment) {
  Mutable() = std::move(environment);
}

const Environment& TheEnvironment() { return Mutable(); }

}  // namespace harness
