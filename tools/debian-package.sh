#!/bin/sh
# Make sure that a program is there: debian-package.sh PROGRAM PACKAGE PURPOSE
# As root on Debian it is installed. Elsewhere a line says what to type, and the tests that need the program are skipped with that reason.
set -eu
program=$1
package=$2
purpose=$3

if command -v "$program" >/dev/null; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "No '$program' here and no apt-get to install it with: $purpose will be skipped. Install $package in your system's way to run them."
elif [ "$(id -u)" != 0 ]; then
    echo "No '$program' here: $purpose will be skipped. To run them type: sudo apt-get install $package"
else
    echo "Installing Debian's $package for $purpose."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
fi
