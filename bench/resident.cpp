// SPDX-License-Identifier: BSL-1.0
#include "resident.hpp"

#include <malloc.h>
#include <unistd.h>

#include <fstream>

namespace bench {

double resident_kilobytes() {
  malloc_trim(0);
  std::ifstream numbers("/proc/self/statm");
  long pages = 0;
  numbers >> pages >> pages;
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
}

}  // namespace bench
