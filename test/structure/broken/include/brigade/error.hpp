#pragma once
#include <thread>

#include <brigade/pool.hpp>
