# A derived build: another raft/ (RAFT=, a mutant), sim/ or other folders, and all
# else as in a build that is there already.
#
# RAFT_LAB_BASE is that build's folder, RAFT_LAB_TREE a folder like this tree, of
# links, in which a file may be another, missing or new. An object is compiled
# here if its source or a header that it includes differs between the trees; else
# it is taken from the other build, where tools/build.sh has it built before:
# taken_over/PROGRAM lists those of a program.

set(RAFT_LAB_BASE "" CACHE PATH "a build to take objects from")
set(RAFT_LAB_TREE "${PROJECT_SOURCE_DIR}" CACHE PATH "where sources are found")
set(RAFT_LAB_CHECKS on CACHE STRING
  "off: raft/, rsm/ and the services without their CHECKs")
option(RAFT_LAB_UNITS "a derived build has the unit tests too" OFF)
include_directories(${RAFT_LAB_TREE})

# tools/build.sh keeps a list of all sources here: one may be new or gone.
if(EXISTS ${CMAKE_BINARY_DIR}/sources)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${CMAKE_BINARY_DIR}/sources)
endif()

function(lab_depends_on)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARGN})
endfunction()

# All sources of a tree, relative to it.
function(lab_files result tree)
  set(patterns "")
  set(folders base rpc labrpc persister raft rsm kvraft shardctrler
    shardkv shardkv1 porcupine sim tests)
  set(levels "" "/*")
  if(RAFT_LAB_UNITS)
    list(APPEND folders examples)
    list(APPEND levels "/*/*")
  endif()
  foreach(folder IN LISTS folders)
    foreach(level IN LISTS levels)
      list(APPEND patterns ${tree}/${folder}${level}/*.h
        ${tree}/${folder}${level}/*.cc)
    endforeach()
  endforeach()
  file(GLOB files LIST_DIRECTORIES false RELATIVE ${tree} ${patterns})
  set(${result} ${files} PARENT_SCOPE)
endfunction()

function(lab_hash result file)
  set(${result} "" PARENT_SCOPE)
  if(EXISTS ${file})
    file(SHA256 ${file} hash)
    set(${result} ${hash} PARENT_SCOPE)
  endif()
endfunction()

# The files that differ, and those that include one of them, however far away.
function(lab_affected_files result)
  lab_files(ours ${PROJECT_SOURCE_DIR})
  lab_files(theirs ${RAFT_LAB_TREE})
  set(files ${ours} ${theirs})
  list(REMOVE_DUPLICATES files)
  set(affected "")
  set(others "")
  foreach(file IN LISTS files)
    lab_hash(our_hash ${PROJECT_SOURCE_DIR}/${file})
    lab_hash(their_hash ${RAFT_LAB_TREE}/${file})
    if(NOT our_hash STREQUAL their_hash)
      list(APPEND affected ${file})
      continue()
    endif()
    list(APPEND others ${file})
    lab_depends_on(${PROJECT_SOURCE_DIR}/${file} ${RAFT_LAB_TREE}/${file})
    file(STRINGS ${PROJECT_SOURCE_DIR}/${file} lines
      REGEX "^#.*\"[a-z0-9_/]+\\.h\"")
    list(TRANSFORM lines REPLACE "^[^\"]*\"([^\"]+)\".*" "\\1")
    set(includes_${file} ${lines})
  endforeach()
  set(grows TRUE)
  while(grows)
    set(grows FALSE)
    foreach(file IN LISTS others)
      foreach(header IN LISTS includes_${file})
        if(header IN_LIST affected AND NOT file IN_LIST affected)
          list(APPEND affected ${file})
          set(grows TRUE)
        endif()
      endforeach()
    endforeach()
  endwhile()
  set(${result} ${affected} PARENT_SCOPE)
endfunction()

if(RAFT_LAB_BASE)
  lab_affected_files(RAFT_LAB_AFFECTED)
endif()

# Takes a library's objects as far as possible; leaves the other sources.
function(lab_take_over name sources_variable)
  set(compiled "")
  set(list ${RAFT_LAB_BASE}/objects/${name})
  lab_depends_on(${list})
  include(${list})  # sets base_sources, base_objects and base_checks
  foreach(source IN LISTS ${sources_variable})
    list(FIND base_sources ${source} index)
    if(source IN_LIST RAFT_LAB_AFFECTED OR index EQUAL -1 OR
       (name MATCHES "^(raft|rsm|kvraft|shardctrler|shardkv1?)$" AND
        NOT base_checks STREQUAL RAFT_LAB_CHECKS))
      list(APPEND compiled ${source})
    else()
      list(GET base_objects ${index} object)
      set_property(GLOBAL APPEND PROPERTY sources_${name} ${source})
      set_property(GLOBAL APPEND PROPERTY objects_${name} ${object})
      set_property(GLOBAL APPEND PROPERTY taken_over_${name} ${object})
    endif()
  endforeach()
  set(${sources_variable} ${compiled} PARENT_SCOPE)
endfunction()

function(lab_note_taken_over program)
  set(taken_over "")
  foreach(library IN LISTS ARGN)
    get_property(objects GLOBAL PROPERTY taken_over_${library})
    foreach(object IN LISTS objects)
      # One that the other build has taken over itself is up to date.
      cmake_path(IS_PREFIX RAFT_LAB_BASE ${object} is_compiled_there)
      if(is_compiled_there)
        file(RELATIVE_PATH object ${RAFT_LAB_BASE} ${object})
        string(APPEND taken_over "${object}\n")
      endif()
    endforeach()
  endforeach()
  file(WRITE ${CMAKE_BINARY_DIR}/taken_over/${program} "${taken_over}")
endfunction()
