"""What must hold for a linked image or for an archive, read from its symbols."""

from tools import NM, Failed, run

# LLVM's backend for this core divides 128 bits wrongly, and in silence.
_WRONG = ("__udivti3", "__umodti3", "__udivmodti4", "__divti3", "__modti3", "u128_div_rem")


def symbols(path):
    """Name and letter of `nm` for each symbol; a small letter is a local one."""
    for line in run(NM, "--portability", path).splitlines():
        words = line.split()
        # In an archive each member has a line with its name.
        if len(words) > 1:
            yield words[0], words[1]


def refuse_wrong_division(path):
    """Fails if the image divides 128 bits."""
    found = sorted({name for name, _ in symbols(path) if any(part in name for part in _WRONG)})
    if found:
        raise Failed(
            f"{path} divides 128-bit integers ({', '.join(found)}), which the compiler's backend for this core gets wrong: "
            "divide 64 bits at most"
        )
