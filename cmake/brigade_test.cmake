# brigade_test(kind noun [LIBRARIES ...]): builds test/<kind>/<noun>.cpp and registers it with ctest
# as <kind>.<noun>, label <kind>.
set(brigade_test_timeout 120)
if(BRIGADE_SANITIZE)
  set(brigade_test_timeout 400)
endif()

set(brigade_sanitizer_environment
  "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_init_order=1"
  "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
  "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${PROJECT_SOURCE_DIR}/test/support/tsan.supp")

# A test is compiled more often than it runs.
set(brigade_test_compile_options $<$<CONFIG:Release>:-O1>)

function(brigade_test kind noun)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "LIBRARIES")
  set(target ${kind}_${noun})
  add_executable(${target} ${PROJECT_SOURCE_DIR}/test/${kind}/${noun}.cpp)
  target_link_libraries(${target} PRIVATE brigade::brigade brigade_test_support brigade_warnings ${arg_LIBRARIES})
  target_compile_options(${target} PRIVATE ${brigade_test_compile_options})
  if(NOT arg_LIBRARIES)  # these may define macros that the precompiled headers do not have
    target_precompile_headers(${target} REUSE_FROM brigade_test_support)
  endif()
  add_test(NAME ${kind}.${noun} COMMAND ${target})
  set_tests_properties(${kind}.${noun} PROPERTIES
    LABELS ${kind} TIMEOUT ${brigade_test_timeout} ENVIRONMENT "${brigade_sanitizer_environment}")
endfunction()

# brigade_scenarios(kind MODULES FILE... COMMAND WORD... [PROPERTIES NAME VALUE...]): registers each function
# `scenario_some_words` of these Python files, beside the CMakeLists.txt that calls, as the test
# "<kind>: some words", label <kind>: the command with some_words behind it.
function(brigade_scenarios kind)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "MODULES;COMMAND;PROPERTIES")
  find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${arg_MODULES})
  set(function "^(async )?def scenario_([a-z0-9_]+).*")
  foreach(module IN LISTS arg_MODULES)
    file(STRINGS ${module} scenarios REGEX "${function}")
    foreach(scenario IN LISTS scenarios)
      string(REGEX REPLACE "${function}" "\\2" name "${scenario}")
      string(REPLACE "_" " " sentence "${name}")
      add_test(NAME "${kind}: ${sentence}" COMMAND ${Python3_EXECUTABLE} -B ${arg_COMMAND} ${name})
      set_tests_properties("${kind}: ${sentence}" PROPERTIES LABELS ${kind} ${arg_PROPERTIES})
    endforeach()
  endforeach()
endfunction()
