#pragma once
#include <brigade/detail/gate.hpp>
