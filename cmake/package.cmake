# The module for services outside this tree: `cmake --install` copies headers, an
# archive, a CMake package and a file for pkg-config.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(module_objects "")
foreach(library IN LISTS module ITEMS file_storage)
  get_property(objects GLOBAL PROPERTY objects_${library})
  list(APPEND module_objects ${objects})
endforeach()
get_property(module_packages GLOBAL PROPERTY packages_kvraft)

add_library(raft_lab STATIC ${module_objects})
add_library(raft_lab::raft_lab ALIAS raft_lab)
set_property(TARGET raft_lab PROPERTY LINKER_LANGUAGE CXX)
target_compile_features(raft_lab INTERFACE cxx_std_20)
target_link_libraries(raft_lab PUBLIC ${module_packages} Threads::Threads)
target_include_directories(raft_lab INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/raft_lab>)
if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

install(TARGETS raft_lab EXPORT raft_lab)
install(DIRECTORY ${module} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/raft_lab
  FILES_MATCHING PATTERN "*.h")

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/raft_lab)
install(EXPORT raft_lab NAMESPACE raft_lab:: FILE raft_lab-targets.cmake
  DESTINATION ${cmake_dir})
file(WRITE ${CMAKE_BINARY_DIR}/raft_lab-config.cmake
  "include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(absl)
find_dependency(glog)
include(\${CMAKE_CURRENT_LIST_DIR}/raft_lab-targets.cmake)
")
write_basic_package_version_file(
  ${CMAKE_BINARY_DIR}/raft_lab-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/raft_lab-config.cmake
  ${CMAKE_BINARY_DIR}/raft_lab-config-version.cmake DESTINATION ${cmake_dir})

# pkg-config calls Abseil's libraries absl_NAME.
set(pc_requires ${module_packages})
list(TRANSFORM pc_requires REPLACE "^absl::" "absl_")
list(TRANSFORM pc_requires REPLACE "^glog::glog$" "libglog")
list(JOIN pc_requires " " pc_requires)
# The prefix is where the file is found, so that an installation can be moved.
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/raft_lab.pc.in raft_lab.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/raft_lab.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
