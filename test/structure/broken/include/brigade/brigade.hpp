#pragma once
#include <brigade/pool.hpp>
#include <brigade/signals.hpp>
