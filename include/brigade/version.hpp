// brigade: the version number; CMake reads it from here.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#define BRIGADE_VERSION_MAJOR 0
#define BRIGADE_VERSION_MINOR 1
#define BRIGADE_VERSION_PATCH 0
