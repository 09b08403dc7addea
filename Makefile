# Every command a person needs; `make help` lists them. All output goes to out/.
#
# The targets you type run one after another; each builds what it needs in a
# make of its own (VARIANT is set there), in parallel. That is why library flags
# are looked up only there: `make deps demo` installs them first.

.DEFAULT_GOAL := help
SHELL := /bin/bash

ifndef VARIANT  # ---------------------------------------------- what you type

.NOTPARALLEL:
.PHONY: help deps demo test race asan compare lint format clang build clean

# Passed through the environment, so that a regular expression needs no quoting.
export LAB_RUN := $(value RUN)
export LAB_SEED := $(value SEED)
export LAB_V := $(value V)

JOBS ?= $(shell nproc)
BUILD = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))
RUN_TESTS = --run="$$LAB_RUN" --seed="$$LAB_SEED" --verbose="$$LAB_V"
NEEDS = tests/tools/needs.sh

help:
	@tests/tools/help.sh

deps:
	@tests/tools/deps.sh

demo:
	@$(NEEDS) build
	@$(BUILD) VARIANT=plain out/plain/demo
	@out/plain/demo

build:
	@$(NEEDS) build
	@$(BUILD) VARIANT=plain all

test:
	@$(NEEDS) build
	@$(BUILD) VARIANT=plain all
	@out/plain/raft_tests $(RUN_TESTS)

race:
	@$(NEEDS) build
	@$(BUILD) VARIANT=race out/race/raft_tests
	@tests/tools/fixed_addresses.sh out/race/raft_tests $(RUN_TESTS)

asan:
	@$(NEEDS) build
	@$(BUILD) VARIANT=asan out/asan/raft_tests
	@out/asan/raft_tests $(RUN_TESTS)

# Builds everything with clang, to see its warnings too.
clang:
	@$(NEEDS) lint
	@$(BUILD) VARIANT=clang all

compare:
	@$(NEEDS) build
	@$(BUILD) VARIANT=plain out/plain/raft_tests
	@GO_LAB="$(GO_LAB)" GO_LOG="$(GO_LOG)" tests/tools/compare.sh

lint:
	@$(NEEDS) lint
	@tests/tools/lint.sh

format:
	@$(NEEDS) lint
	@clang-format --version | grep -q 'version 14\.' || { \
	  echo "the sources are formatted with clang-format 14 (Debian 12's)"; exit 2; }
	@clang-format -i $$(git ls-files '*.h' '*.cc')

clean:
	@find out -mindepth 1 -not -name README.md -delete

else  # ------------------------------------------------- one variant's build

CXX_plain := g++
CXX_race := g++
CXX_asan := g++
CXX_clang := clang++
FLAGS_plain := -O2
FLAGS_race := -O1 -fsanitize=thread
FLAGS_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_clang := -O1 -Wthread-safety

PACKAGES := gtest libglog absl_flags_parse absl_flags absl_strings \
  absl_str_format absl_status absl_statusor absl_symbolize
CXX := $(CXX_$(VARIANT))
CXXFLAGS := -std=c++20 -g -fno-omit-frame-pointer -pthread -I. \
  -Wall -Wextra -Wpedantic -Werror $(FLAGS_$(VARIANT)) \
  $(shell pkg-config --cflags $(PACKAGES))
LDLIBS := $(shell pkg-config --libs $(PACKAGES))
OUT := out/$(VARIANT)

LIBRARY := $(wildcard base/*.cc labrpc/*.cc persister/*.cc raft/*.cc)
HARNESS := $(wildcard tests/harness/*.cc)
TESTS := $(wildcard tests/*.cc tests/unit/*.cc)
DEMO := $(wildcard tests/demo/*.cc)
object = $(patsubst %.cc,$(OUT)/obj/%.o,$(1))

.PHONY: all
all: $(OUT)/raft_tests $(OUT)/demo

$(OUT)/raft_tests: $(call object,$(LIBRARY) $(HARNESS) $(TESTS))
$(OUT)/demo: $(call object,$(LIBRARY) $(DEMO))
$(OUT)/raft_tests $(OUT)/demo:
	@echo "  link     $@"
	@$(CXX) $(CXXFLAGS) $^ -o $@ $(LDLIBS)

$(OUT)/obj/%.o: %.cc Makefile
	@mkdir -p $(@D)
	@echo "  compile  $<"
	@$(CXX) $(CXXFLAGS) -MMD -MP -c $< -o $@

-include $(patsubst %.cc,$(OUT)/obj/%.d,$(LIBRARY) $(HARNESS) $(TESTS) $(DEMO))

endif
