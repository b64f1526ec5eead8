// SPDX-License-Identifier: BSL-1.0
#include "compress.hpp"

#include <zstd.h>

#include <algorithm>
#include <memory>
#include <new>
#include <stdexcept>

namespace press {
namespace {

/// So much is compressed between two looks at the stop token: milliseconds at level 19.
constexpr std::size_t step_size = 256 * 1024;

struct context_deleter {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};

/// The calling thread's context. Making one costs more than compressing a small body.
ZSTD_CCtx* thread_context() {
  thread_local std::unique_ptr<ZSTD_CCtx, context_deleter> const context{ZSTD_createCCtx()};
  if (!context) throw std::bad_alloc{};
  return context.get();
}

std::size_t checked(std::size_t result) {
  if (ZSTD_isError(result) != 0) throw std::runtime_error{ZSTD_getErrorName(result)};
  return result;
}

}  // namespace

std::string compress(std::string const& body, int level, std::stop_token const& abandon) {
  auto* const context = thread_context();
  checked(ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters));
  checked(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level));
  checked(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1));
  checked(ZSTD_CCtx_setPledgedSrcSize(context, body.size()));

  std::string frame;
  frame.resize(ZSTD_compressBound(body.size()));
  ZSTD_outBuffer out{frame.data(), frame.size(), 0};
  ZSTD_inBuffer in{body.data(), 0, 0};
  for (bool ended = false; !ended;) {
    if (abandon.stop_requested()) return {};
    in.size = std::min(body.size(), in.pos + step_size);
    auto const last = in.size == body.size();
    auto const left =
        checked(ZSTD_compressStream2(context, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue));
    ended = last && left == 0;
    if (!ended && out.pos == out.size) throw std::runtime_error{"the frame outgrew its bound"};
  }
  frame.resize(out.pos);
  frame.shrink_to_fit();
  return frame;
}

}  // namespace press
