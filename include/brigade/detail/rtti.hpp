// Refuses a program that is compiled with RTTI where the library was not, or the other way round.
//
// Asio knows its services by typeid, or, without RTTI, by an address. So a context that the library
// made has them under names that such a program does not find: it makes them a second time, and a
// second scheduler brings a hidden thread with it, which then runs the handlers of timers and
// sockets. Nothing else would tell. BRIGADE_RTTI is what the library was built with; its CMake
// target and its pkg-config file define it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#if defined(BRIGADE_RTTI)
#if BRIGADE_RTTI && !defined(__cpp_rtti)
#error \
    "brigade was built with RTTI, and this is compiled without (-fno-rtti): Asio would work on two schedulers. Build brigade with -fno-rtti too, or this with RTTI."
#elif !BRIGADE_RTTI && defined(__cpp_rtti)
#error \
    "brigade was built without RTTI (-fno-rtti), and this is compiled with it: Asio would work on two schedulers. Build both the same way."
#endif
#endif
