#!/usr/bin/env python3
"""Turns a static library that rustc made for xtensa-lx106-none-elf into one that GNU ld links.

    archive.py IN.a OUT.a                                 a member for each piece of bitcode
    archive.py IN.a OUT.a --one NAME.c.o --keep PATTERN   one relocatable member, global symbols of the pattern only

The second form is for a link whose script sorts by member names, as that of the ESP8266's Arduino core does, and whose other libraries
must not get our memcpy: everything that the kept functions need is inside and local, what they do not need is dropped.
"""

import argparse
import fnmatch
import os
import sys
import tempfile

sys.dont_write_bytecode = True

import image  # noqa: E402
from objects import Objects, is_bitcode, members  # noqa: E402
from tools import AR, LD, OBJCOPY, Failed, main, run  # noqa: E402

# What a trap is compiled to calls it; every C library has it.
_FROM_OUTSIDE = {"abort"}


def archive(arguments):
    """Writes the archive; the answer is the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="as rustc wrote it, with bitcode inside")
    parser.add_argument("output", help="the archive to write")
    parser.add_argument("--one", metavar="NAME", help="one member of this name")
    parser.add_argument("--keep", metavar="PATTERN", help="which symbols stay global, such as 'sensock_*'")
    options = parser.parse_args(arguments)
    if bool(options.one) != bool(options.keep):
        parser.error("--one and --keep go together")
    if not os.path.exists(options.library):
        raise Failed(f"{options.library} does not exist: build it with cargo first, with crate-type staticlib")
    made = Objects(options.output).make_all(data for data in members(options.library) if is_bitcode(data))
    if not made:
        raise Failed(f"{options.library} holds no bitcode: was it built for xtensa-lx106-none-elf?")
    # It appears whole or not at all, so that a build that is interrupted leaves no half of one.
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(options.output))) as folder:
        if options.one:
            made = [_merged(made, options, folder)]
        library = os.path.join(folder, "library.a")
        run(AR, "rcsD", library, *made)
        os.rename(library, options.output)
    return 0


def _merged(objects, options, folder):
    """One object with everything that the kept symbols need."""
    kept = sorted({
        name for path in objects for name, kind in image.symbols(path)
        if kind in "TDBR" and fnmatch.fnmatchcase(name, options.keep)
    })
    if not kept:
        raise Failed(f"no symbol in {options.library} is like {options.keep}: are its functions #[unsafe(no_mangle)] extern \"C\"?")
    one = os.path.join(folder, options.one)
    roots = [f"--undefined={name}" for name in kept]
    run(LD, "-r", "--gc-sections", *roots, "--whole-archive", *objects, "-o", one)
    run(OBJCOPY, "--wildcard", f"--keep-global-symbol={options.keep}", "--remove-section=.comment", one)
    image.refuse_wrong_division(one)
    missing = {name for name, kind in image.symbols(one) if kind in "Uw"} - _FROM_OUTSIDE
    if missing:
        raise Failed(f"{options.one} would need from others: {', '.join(sorted(missing))}")
    return one


if __name__ == "__main__":
    main(archive)
