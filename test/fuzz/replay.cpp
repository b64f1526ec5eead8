// Runs a fuzz target over the files of directories.
// Usage: NAME DIRECTORY...
// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int at = 1; at < argc; ++at) {
    for (auto const& file : std::filesystem::directory_iterator{argv[at]}) {
      std::ifstream stream{file.path(), std::ios::binary};
      std::string const input{std::istreambuf_iterator<char>{stream}, {}};
      std::printf("%s\n", file.path().c_str());
      std::fflush(stdout);  // the last line names the one that ended it
      LLVMFuzzerTestOneInput(reinterpret_cast<std::uint8_t const*>(input.data()), input.size());
      ++count;
    }
  }
  std::printf("%zu inputs\n", count);
  return count == 0 ? 1 : 0;
}
