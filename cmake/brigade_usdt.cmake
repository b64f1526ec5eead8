# BRIGADE_USDT: probes for bpftrace, perf and SystemTap, where <sys/sdt.h> is installed (Debian:
# systemtap-sdt-dev). Programs that use the library need no such header.
include(CheckCXXSourceCompiles)
check_cxx_source_compiles("#include <sys/sdt.h>
int main() { STAP_PROBE1(brigade, test, 1); }" BRIGADE_HAVE_SDT)
option(BRIGADE_USDT "Build the library with USDT probes; needs <sys/sdt.h>" ${BRIGADE_HAVE_SDT})
if(BRIGADE_USDT AND NOT BRIGADE_HAVE_SDT)
  message(FATAL_ERROR "BRIGADE_USDT is on, but <sys/sdt.h> with STAP_PROBE was not found. Install it "
    "(Debian: systemtap-sdt-dev), remove the cached BRIGADE_HAVE_SDT, and configure again; or set "
    "BRIGADE_USDT=OFF.")
endif()
