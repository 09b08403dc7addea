# The two words of CMakeLists.txt.

# lab_library(NAME [FOLDER folder] [ONLY file... | WITHOUT file...]
#             [USES library...] [PACKAGES target...] [UNINSTRUMENTED])
#
# The objects of a folder's *.cc; FOLDER if it is not called NAME. Objects, not
# archives: the simulator's functions must come before the C library's, tests
# register themselves, and a symbol that two files define is an error.
#
# UNINSTRUMENTED is the simulator. No sanitizer may take its accesses for the
# program's own, so it is built without, and calls none of the functions that
# sanitizers intercept.
function(lab_library name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "UNINSTRUMENTED" "FOLDER"
    "ONLY;WITHOUT;USES;PACKAGES")
  if(NOT ARG_FOLDER)
    set(ARG_FOLDER ${name})
  endif()
  foreach(used IN LISTS ARG_USES)
    get_property(packages GLOBAL PROPERTY packages_${used})
    list(APPEND ARG_PACKAGES ${packages})
  endforeach()
  list(REMOVE_DUPLICATES ARG_PACKAGES)
  set_property(GLOBAL PROPERTY packages_${name} ${ARG_PACKAGES})

  if(ARG_ONLY)
    list(TRANSFORM ARG_ONLY PREPEND ${ARG_FOLDER}/ OUTPUT_VARIABLE sources)
  else()
    file(GLOB sources LIST_DIRECTORIES false RELATIVE ${RAFT_LAB_TREE}
      ${RAFT_LAB_TREE}/${ARG_FOLDER}/*.cc)
    list(TRANSFORM ARG_WITHOUT PREPEND ${ARG_FOLDER}/)
    list(REMOVE_ITEM sources ${ARG_WITHOUT})
  endif()
  if(RAFT_LAB_BASE)
    lab_take_over(${name} sources)
  endif()
  if(sources)
    lab_compile(${name} ${ARG_UNINSTRUMENTED} ${sources})
  endif()
  # For derived builds.
  get_property(sources GLOBAL PROPERTY sources_${name})
  get_property(objects GLOBAL PROPERTY objects_${name})
  file(GENERATE OUTPUT objects/${name} CONTENT
    "set(base_sources [[${sources}]])
set(base_objects [[${objects}]])
set(base_checks ${RAFT_LAB_CHECKS})
")
endfunction()

function(lab_compile name is_uninstrumented)
  set(sources ${ARGN})
  # By the names that their author knows, not those of links.
  list(TRANSFORM sources PREPEND ${RAFT_LAB_TREE}/ OUTPUT_VARIABLE paths)
  set(real_paths "")
  foreach(path IN LISTS paths)
    file(REAL_PATH ${path} real_path)
    list(APPEND real_paths ${real_path})
  endforeach()
  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${real_paths})
  get_property(packages GLOBAL PROPERTY packages_${name})
  target_link_libraries(${name} PRIVATE ${packages})
  if(is_uninstrumented)
    target_compile_options(${name} PRIVATE -O2 -fno-builtin
      $<$<CXX_COMPILER_ID:GNU>:-fno-tree-loop-distribute-patterns>)
  else()
    target_compile_options(${name} PRIVATE ${RAFT_LAB_SANITIZER})
  endif()
  set_property(GLOBAL APPEND PROPERTY sources_${name} ${sources})
  set_property(GLOBAL APPEND PROPERTY objects_${name} $<TARGET_OBJECTS:${name}>)
endfunction()

# lab_program(NAME library...): a program of these libraries' objects.
function(lab_program name)
  set(all_objects "")
  set(all_packages "")
  foreach(library IN LISTS ARGN)
    get_property(objects GLOBAL PROPERTY objects_${library})
    get_property(packages GLOBAL PROPERTY packages_${library})
    list(APPEND all_objects ${objects})
    list(APPEND all_packages ${packages})
  endforeach()
  list(REMOVE_DUPLICATES all_packages)
  # Those of another build need not be there yet.
  set_source_files_properties(${all_objects} PROPERTIES
    EXTERNAL_OBJECT true GENERATED true)
  add_executable(${name} ${all_objects})
  set_property(TARGET ${name} PROPERTY LINKER_LANGUAGE CXX)
  target_link_libraries(${name} PRIVATE ${all_packages})
  if(RAFT_LAB_BASE)
    lab_note_taken_over(${name} ${ARGN})
  endif()
endfunction()
