#pragma once
#include <brigade/detail/latch.hpp>
