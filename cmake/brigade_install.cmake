# Install rules: the library, its headers, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

install(TARGETS brigade EXPORT brigadeTargets FILE_SET HEADERS FILE_SET detail)
# The same names straight from the build tree: -Dbrigade_DIR=<build folder>.
export(TARGETS brigade brigade_sanitizers brigade_warnings NAMESPACE brigade:: FILE brigadeTargets.cmake)
install(EXPORT brigadeTargets NAMESPACE brigade:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/brigade)

set(components "")
if(BRIGADE_BUILD_PROMETHEUS)
  list(APPEND components prometheus)
endif()
if(BRIGADE_BUILD_HTTP)
  list(APPEND components http)
endif()
foreach(component IN LISTS components)
  install(TARGETS brigade_${component} EXPORT brigade_${component}Targets FILE_SET HEADERS)
  export(TARGETS brigade_${component} NAMESPACE brigade:: FILE brigade_${component}Targets.cmake)
  install(EXPORT brigade_${component}Targets NAMESPACE brigade::
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/brigade)
endforeach()

configure_package_config_file(cmake/brigadeConfig.cmake.in brigadeConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/brigade)
write_basic_package_version_file(brigadeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/brigadeConfig.cmake ${PROJECT_BINARY_DIR}/brigadeConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/brigade)

install(FILES ${PROJECT_SOURCE_DIR}/examples/press/press.service DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/brigade.pc.in brigade.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/brigade.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(requires_of_prometheus "brigade prometheus-cpp-core")
set(requires_of_http "brigade_prometheus")
foreach(component IN LISTS components)
  set(component_requires ${requires_of_${component}})
  configure_file(cmake/brigade_component.pc.in brigade_${component}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/brigade_${component}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
