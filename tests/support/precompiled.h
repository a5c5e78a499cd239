// What most tests include anyway, parsed once for all of them. A file still includes what it uses:
// the sanitizer builds do without this header.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tools/cmake/precompiled.h"
