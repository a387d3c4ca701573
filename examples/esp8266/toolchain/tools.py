"""The programs that the others call, each with the Debian package that brings it."""

import shutil
import subprocess
import sys

LLC = "llc-22"
OPT = "opt-22"
GCC = "xtensa-lx106-elf-gcc"
AR = "xtensa-lx106-elf-ar"
LD = "xtensa-lx106-elf-ld"
NM = "xtensa-lx106-elf-nm"
OBJCOPY = "xtensa-lx106-elf-objcopy"
QEMU = "qemu-system-xtensa"

PACKAGES = {
    LLC: "llvm-22",
    OPT: "llvm-22",
    GCC: "gcc-xtensa-lx106",
    AR: "binutils-xtensa-lx106",
    LD: "binutils-xtensa-lx106",
    NM: "binutils-xtensa-lx106",
    OBJCOPY: "binutils-xtensa-lx106",
    QEMU: "qemu-system-misc",
}


class Failed(Exception):
    """What went wrong, as sentences for a person."""


def path(program):
    """Where a program is."""
    found = shutil.which(program)
    if found is None:
        raise Failed(f"{program} is not installed (Debian package {PACKAGES[program]})")
    return found


def run(program, *arguments):
    """Runs one to its end; what it printed is the answer."""
    done = subprocess.run([path(program), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise Failed(f"{program} ended with {done.returncode}: {said}\nit was called with: {' '.join(arguments)}")
    # What a linker warns of is for whoever builds.
    sys.stderr.write(done.stderr)
    return done.stdout


def main(work):
    """Runs a program of this folder: errors become one line and the exit code 1."""
    try:
        sys.exit(work(sys.argv[1:]))
    except Failed as why:
        sys.stderr.write(f"error: {why}\n")
        sys.exit(1)
