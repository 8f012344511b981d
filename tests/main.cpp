// SPDX-License-Identifier: MIT
// Catch2's main() alone: it takes long to compile, the tests do not.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
