#!/usr/bin/env python3
"""The toolchain's own check: a small Rust library, both kinds of archive, a C program around each, run under QEMU.

    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 ./check.py
"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOOLCHAIN = os.path.dirname(HERE)
TARGET = os.path.join(HERE, "../../../../target/firmware")
sys.path.insert(0, TOOLCHAIN)

import image  # noqa: E402
from tools import GCC, QEMU, Failed, main, path, run  # noqa: E402

_WORD = (1 << 64) - 1
# Unused code is dropped. The chip protects no memory, so the linker need not warn of what could be written and run.
_LINK = ["-nostartfiles", "-nostdlib", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", "-Wl,--no-warn-execstack", f"-T{TOOLCHAIN}/start/chip.ld"]


def check(_):
    """Fails with what is wrong."""
    cargo = os.environ.get("CARGO", "/usr/bin/cargo")
    if subprocess.call([cargo, "build", "--release", "--quiet", "--locked"], cwd=HERE) != 0:
        raise Failed("the library does not build")
    library = os.path.join(TARGET, "xtensa-lx106-none-elf/release/liblx106_check.a")
    place = os.path.join(TARGET, "lx106-check")
    os.makedirs(place, exist_ok=True)
    archive = os.path.join(TOOLCHAIN, "archive.py")
    plain, one = os.path.join(place, "plain.a"), os.path.join(place, "one.a")
    for command in ([archive, library, plain], [archive, library, one, "--one", "check.c.o", "--keep", "lx106_check_*"]):
        if subprocess.call(command) != 0:
            raise Failed("the archive tool failed, its reason stands above")
    known = {name for name, kind in image.symbols(one) if kind in "TDBR"}
    if known != {"lx106_check_mix", "lx106_check_divide"}:
        raise Failed(f"the one member shows {', '.join(sorted(known))}, only lx106_check_* are expected")
    for kind, linked in (("plain", plain), ("one", one)):
        program = os.path.join(place, kind)
        sources = [os.path.join(TOOLCHAIN, "start/startup.S"), os.path.join(HERE, "main.c")]
        run(GCC, "-Os", "-Wall", "-Wextra", "-mlongcalls", "-mtext-section-literals", f"-DEXPECTED=UINT64_C({mix(7, 1000)})", *_LINK, *sources, linked, "-o", program)
        image.refuse_wrong_division(program)
        code = subprocess.call(
            [path(QEMU), "-M", "kc705-nommu", "-cpu", "lx106", "-display", "none", "-monitor", "none", "-serial", "null", "-nic", "none"]
            + ["-semihosting", "-kernel", program],
            timeout=60,
        )
        if code != 0:
            raise Failed(f"the program with the {kind} archive ended with {code} (1: other answers; 2: division; 102: exception)")
    print("the toolchain for LX106 computes what it should, in both kinds of archive")
    return 0


def mix(seed, rounds):
    """The library's function again, in other words."""
    a, b, c, d = seed, 0x9E3779B97F4A7C15, 0, 0
    for n in range(rounds):
        word = _shifted(_multiplied(a ^ d))
        turned = (b << n % 64 | b >> (64 - n % 64)) & _WORD
        a, b, c, d = (word + (n << 17)) & _WORD, turned // (c | 1), _STEPS[a % 4](b), (d + c) & _WORD
    total = 0
    for word in (a, b, c, d):
        total = (total << 7 | total >> 57) & _WORD ^ word
    return total


def _multiplied(word):
    return word * 0xBF58476D1CE4E5B9 & _WORD


def _shifted(word):
    return word ^ word >> 29


_STEPS = (_multiplied, _shifted, lambda word: int.from_bytes(word.to_bytes(8, "little"), "big"), lambda word: ~word & _WORD)

if __name__ == "__main__":
    main(check)
