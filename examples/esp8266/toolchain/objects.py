"""Bitcode of rustc as GNU object files, each made once and kept in the target directory."""

import concurrent.futures
import hashlib
import os
import tempfile
import time

import assembly
from tools import GCC, LLC, OPT, Failed, path, run

_LLC_FLAGS = [
    "-O2",
    "-mcpu=esp8266",
    "-mattr=+forced-atomics",
    "-function-sections",
    "-data-sections",
    "-relocation-model=static",
    "-filetype=asm",
    # What trades size for speed: together 4 % of a session. Moving constants out of loops and unrolling addresses costs registers, of which
    # this core has few, and so moves and stack.
    "-disable-machine-licm",
    "-disable-machine-sink",
    "-disable-block-placement",
    "-disable-lsr",
    "-join-globalcopies",
    "-split-spill-mode=size",
]
# After rustc has put all crates together, another round for size finds a percent. Lines and frames for debuggers are written in a way that
# GNU as does not know for this core.
_OPT_FLAGS = ["-strip-debug", "-passes=default<Oz>"]
_AS_FLAGS = ["-c", "-mlongcalls", "-Wa,--no-target-align"]
_WEEK = 7 * 24 * 3600


def is_bitcode(data):
    """Whether this is LLVM's, plain or in a wrapper."""
    return data[:4] in (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")


def members(archive):
    """The contents of an archive, symbol tables and the list of long names left out."""
    with open(archive, "rb") as file:
        data = file.read()
    if data[:8] != b"!<arch>\n":
        raise Failed(f"{archive} is no archive: it does not begin as one")
    at = 8
    while at + 60 <= len(data):
        name, size = data[at : at + 16].strip(), int(data[at + 48 : at + 58])
        if name not in (b"/", b"//", b"/SYM64/"):
            yield data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2


class Objects:
    """Objects made from bitcode, under the digest of what they were made from.

    Any number of builds may use one folder at once: a file appears there whole, by a rename, or not at all.
    """

    def __init__(self, beside):
        """`beside` is a file that is being built: the folder is in the target directory that it lies in."""
        self.folder = os.path.join(_target_directory(beside), "lx106-objects")
        os.makedirs(self.folder, exist_ok=True)
        self._salt = _digest_of_tools()

    def make_all(self, codes):
        """Paths of the objects of several pieces of bitcode, in their order; of equal ones the first counts."""
        codes = list(dict.fromkeys(codes))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            made = list(pool.map(self.make, codes))
        self._forget_old()
        return made

    def make(self, code):
        """The path of one object."""
        place = os.path.join(self.folder, hashlib.sha256(self._salt + code).hexdigest()[:32] + ".o")
        try:
            os.utime(place)
        except FileNotFoundError:
            self._build(code, place)
        return place

    def _build(self, code, place):
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            bitcode, plain, text, made = (os.path.join(folder, name) for name in ("x.bc", "plain.bc", "x.s", "x.o"))
            with open(bitcode, "wb") as file:
                file.write(code)
            run(OPT, *_OPT_FLAGS, bitcode, "-o", plain)
            run(LLC, *_LLC_FLAGS, plain, "-o", text)
            with open(text, encoding="utf-8") as file:
                lines = assembly.corrected(file.readlines())
            with open(text, "w", encoding="utf-8") as file:
                file.writelines(lines)
            run(GCC, *_AS_FLAGS, text, "-o", made)
            os.rename(made, place)

    def _forget_old(self):
        """What no build used for a week."""
        for entry in os.scandir(self.folder):
            try:
                if entry.is_file() and time.time() - entry.stat().st_mtime > _WEEK:
                    os.unlink(entry.path)
            except FileNotFoundError:
                pass  # another build was faster


def _target_directory(beside):
    """Cargo marks its target directories; outside of one, the file's own folder serves."""
    own = folder = os.path.dirname(os.path.abspath(beside))
    while folder != os.path.dirname(folder):
        if os.path.exists(os.path.join(folder, "CACHEDIR.TAG")):
            return folder
        folder = os.path.dirname(folder)
    return own


def _digest_of_tools():
    """Another compiler, other flags or other rules of ours make other objects."""
    digest = hashlib.sha256(repr((_OPT_FLAGS, _LLC_FLAGS, _AS_FLAGS)).encode())
    for tool in (OPT, LLC, GCC):
        seen = os.stat(path(tool))
        digest.update(repr((seen.st_size, seen.st_mtime_ns)).encode())
    for source in (__file__, assembly.__file__):
        with open(source, "rb") as file:
            digest.update(file.read())
    return digest.digest()
