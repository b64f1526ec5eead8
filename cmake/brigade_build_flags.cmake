# How brigade's own code is compiled: warnings for all of it, sanitizers for whoever links it inside
# of this build tree.
add_library(brigade_warnings INTERFACE)
target_compile_options(brigade_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Woverloaded-virtual
  $<$<BOOL:${BRIGADE_WERROR}>:-Werror>)

add_library(brigade_sanitizers INTERFACE)
if(BRIGADE_SANITIZE)
  target_compile_options(brigade_sanitizers INTERFACE
    -fsanitize=${BRIGADE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(brigade_sanitizers INTERFACE -fsanitize=${BRIGADE_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC's thread sanitizer cannot follow Asio's fences and warns of each; with the others its
    # optimizer takes empty allocators for uninitialized ones.
    target_compile_options(brigade_sanitizers INTERFACE -Wno-tsan -Wno-maybe-uninitialized)
  endif()
  if(BRIGADE_SANITIZE MATCHES "thread")
    # Asio up to Boost 1.91 orders the end of its reference counts by a fence, which the thread
    # sanitizer does not understand and reports as a race. Its other counter has no fence.
    target_compile_definitions(brigade_sanitizers INTERFACE BOOST_ASIO_DISABLE_STD_ATOMIC)
  endif()
endif()
