// expect: brigade was built with RTTI, and this is compiled without
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

int main() {}
