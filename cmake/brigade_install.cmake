# Install rules: the library, its headers, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

install(TARGETS brigade EXPORT brigadeTargets FILE_SET HEADERS)
install(EXPORT brigadeTargets NAMESPACE brigade:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/brigade)

configure_package_config_file(cmake/brigadeConfig.cmake.in brigadeConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/brigade)
write_basic_package_version_file(brigadeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/brigadeConfig.cmake ${PROJECT_BINARY_DIR}/brigadeConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/brigade)

configure_file(cmake/brigade.pc.in brigade.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/brigade.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
