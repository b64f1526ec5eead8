# How brigade's own code is compiled: warnings for all of it, sanitizers for whoever links it inside
# of this build tree.
add_library(brigade_warnings INTERFACE)
target_compile_options(brigade_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Woverloaded-virtual
  $<$<BOOL:${BRIGADE_WERROR}>:-Werror>)

add_library(brigade_sanitizers INTERFACE)
if(BRIGADE_SANITIZE)
  target_compile_options(brigade_sanitizers INTERFACE
    -fsanitize=${BRIGADE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    # Asio's own fences are not something that GCC's thread sanitizer can follow; it warns of each.
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<STREQUAL:${BRIGADE_SANITIZE},thread>>:-Wno-tsan>)
  target_link_options(brigade_sanitizers INTERFACE -fsanitize=${BRIGADE_SANITIZE})
endif()
