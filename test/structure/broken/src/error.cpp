#include <brigade/error.hpp>
