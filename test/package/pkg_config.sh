#!/usr/bin/env bash
# pkg_config.sh PREFIX COMPILER MAIN.cpp PROGRAM MODULE: builds PROGRAM with what pkg-config says of
# MODULE, which is brigade or a component of it, as installed in PREFIX; and runs it. The headers are no
# system headers there, and -O1 is where GCC 12 sees the most that it may warn of.
set -euo pipefail
prefix=$1 compiler=$2 main=$3 program=$4 module=$5

file=$(find "$prefix" -name brigade.pc)
export PKG_CONFIG_PATH=${file%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
flags=$(pkg-config --cflags --libs "$module")
echo "flags: $flags"
# shellcheck disable=SC2086 # the flags are words
"$compiler" -std=c++20 -O1 -Wall -Wextra -Werror "$main" $flags -o "$program"
"$program"
