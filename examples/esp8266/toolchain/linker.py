#!/usr/bin/env python3
"""The linker of the target xtensa-lx106-none-elf: takes what rustc gives to a C compiler that links.

rustc writes bitcode ("obj-is-bitcode" in the target), since LLVM's own object files for this core have their literal pools in wrong
places. Objects and Rust libraries are turned into GNU objects (objects.py), everything else is handed on to xtensa-lx106-elf-gcc.
An image that was linked is refused if it contains code that is known to be compiled wrongly (image.py).
"""

import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import image  # noqa: E402
from objects import Objects, is_bitcode, members  # noqa: E402
from tools import AR, GCC, Failed, main, path, run  # noqa: E402


def link(arguments):
    """Links; the answer is the exit code."""
    if "-o" not in arguments[:-1]:
        raise Failed("no output was named: give -o FILE, as rustc does")
    output = arguments[arguments.index("-o") + 1]
    objects = Objects(output)
    with tempfile.TemporaryDirectory() as folder:
        given = [_converted(argument, objects, folder) for argument in arguments]
        code = subprocess.call([path(GCC), *(argument for argument in given if argument)])
    if code == 0:
        try:
            image.refuse_wrong_division(output)
        except Failed:
            os.unlink(output)
            raise
    return code


def _converted(argument, objects, folder):
    if argument.endswith(".o") and os.path.exists(argument):
        with open(argument, "rb") as file:
            data = file.read()
        return objects.make(data) if is_bitcode(data) else argument
    if argument.endswith(".rlib") and os.path.exists(argument):
        made = objects.make_all(data for data in members(argument) if is_bitcode(data))
        if not made:
            return None
        library = os.path.join(folder, os.path.basename(argument)[: -len(".rlib")] + ".a")
        run(AR, "rcs", library, *made)
        return library
    return argument


if __name__ == "__main__":
    main(link)
