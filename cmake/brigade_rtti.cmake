# Whether the library is compiled with RTTI. Whoever uses it has to do the same: see rtti.hpp.
include(CheckCXXSourceCompiles)
get_directory_property(brigade_flags COMPILE_OPTIONS)
string(GENEX_STRIP "${brigade_flags}" brigade_flags)
list(JOIN brigade_flags " " CMAKE_REQUIRED_FLAGS)
unset(BRIGADE_HAS_RTTI CACHE)  # the flags may be others than last time
check_cxx_source_compiles("#ifndef __cpp_rtti
#error there is none
#endif
int main() {}" BRIGADE_HAS_RTTI)
unset(CMAKE_REQUIRED_FLAGS)
set(brigade_rtti 0)
if(BRIGADE_HAS_RTTI)
  set(brigade_rtti 1)
endif()
