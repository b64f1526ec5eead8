// The parts of Boost that press uses without their own shared libraries, compiled once and here.
// SPDX-License-Identifier: BSL-1.0
#include <boost/json/src.hpp>
#include <boost/url/src.hpp>
