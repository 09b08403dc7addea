# The simulator's own tests, and the test programs that they run.

file(GLOB programs LIST_DIRECTORIES false RELATIVE
  ${PROJECT_SOURCE_DIR}/sim/test ${PROJECT_SOURCE_DIR}/sim/test/program_*.cc)
set(others ${programs})
# sim/simmem.cc needs g++ and no sanitizer.
if(RAFT_LAB_SANITIZER OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(REMOVE_ITEM programs program_memory.cc)
  list(APPEND others memory_test.cc)
endif()
lab_library(sim_suite FOLDER sim/test WITHOUT ${others} USES sim
  PACKAGES ${testing})
lab_program(sim_tests runner_main ${module} oracle harness runner runner_stacks
  sim_suite ${simulator})

foreach(source IN LISTS programs)
  string(REPLACE ".cc" "" program ${source})
  lab_library(${program}_main FOLDER sim/test ONLY ${source} USES sim)
  if(program STREQUAL "program_memory")
    lab_program(${program} base sim simmem ${program}_main)
    # ThreadSanitizer's calls, but not its library.
    if(TARGET ${program}_main)
      target_compile_options(${program}_main PRIVATE -fsanitize=thread)
    endif()
  else()
    lab_program(${program} base ${simulator} ${program}_main)
  endif()
  add_dependencies(sim_tests ${program})
  if(RAFT_LAB_BASE)  # build.sh asks for sim_tests alone
    file(READ ${CMAKE_BINARY_DIR}/taken_over/${program} taken_over)
    file(APPEND ${CMAKE_BINARY_DIR}/taken_over/sim_tests "${taken_over}")
  endif()
endforeach()
