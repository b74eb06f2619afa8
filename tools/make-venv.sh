#!/bin/sh
# Make a virtual environment: make-venv.sh PYTHON FOLDER
# Debian keeps a part of Python's venv module in a package of its own; it is installed where that is allowed, and named where it is not.
set -eu
python=$1
folder=$2

if ! command -v "$python" >/dev/null; then
    echo "make: there is no '$python' here. Install Python 3.11 or later (Debian: apt-get install python3 python3-venv), or name one: PYTHON=python3.12 make" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "make: '$python' is $("$python" --version 2>&1), and KAN Workbench needs Python 3.11 or later. Name another: PYTHON=python3.12 make" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing Debian's python3-venv: this Python cannot make virtual environments without it."
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
    else
        echo "make: this Python cannot make virtual environments. On Debian type: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi
echo "Making the virtual environment $folder with $("$python" --version 2>&1)."
"$python" -m venv "$folder"
