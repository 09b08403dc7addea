# Links Abseil's archives where its package has them beside the shared libraries.
#
# It is forty small libraries, and to load them takes a process longer than many a
# test that it runs under the simulator, where each test and seed is a process.

get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
foreach(target IN LISTS imported)
  get_target_property(shared ${target} IMPORTED_LOCATION_NONE)
  string(REGEX REPLACE "\\.so[.0-9]*$" ".a" archive "${shared}")
  if(target MATCHES "^absl::" AND EXISTS "${archive}")
    set_target_properties(${target} PROPERTIES
      IMPORTED_LOCATION_NONE ${archive})
  endif()
endforeach()
