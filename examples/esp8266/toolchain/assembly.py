"""What has to change in the assembly that llc writes, before GNU as reads it.

Pools: llc puts a function's literals before the directive that opens the function's section, so GNU as would put them into the
pool of the function before. They belong just before the function's label: there they get a section of their own, named after the
function, and an unused function is dropped together with its literals.

Calls: llc loads each callee's address from a literal and calls the register, nine bytes and a word. Written as a call by name, GNU as
makes the same long form but marks it, and GNU ld shortens what is near enough to three bytes (its relaxation, which is on by default).
The long form has a literal of GNU as's own, which GNU ld drops where it shortens; llc's is dropped here, since nothing loads it any more.
"""

import re

from tools import Failed

_LABEL = re.compile(r"^[^\s#][^#]*:\s*(#.*)?$")
_LITERAL = re.compile(r"^\s+\.literal\s+(\S+),\s*(.+?)\s*$")
_LOAD = re.compile(r"^\s+l32r\s+(a\d+),\s*(\.LCPI\S+)\s*$")
_CALL = re.compile(r"^\s+callx0\s+(a\d+)\s*$")
_OWN = re.compile(r"\.LCPI\w+")
_NAME = re.compile(r"^[A-Za-z_$][\w$.]*$")
# A callee need not keep these; where one of them holds its address, nobody reads it after the call.
_SCRATCH = {"a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10", "a11"}


def corrected(lines):
    """The lines of a whole file, with pools moved and calls by name."""
    return _move_pools(_call_by_name(lines))


def _move_pools(lines):
    out, pool = [], []
    for line in lines:
        words = line.split(None, 1)
        if words and words[0] in (".literal_position", ".literal"):
            pool.append(line)
            continue
        if pool and _LABEL.match(line):
            out += pool
            pool = []
        out.append(line)
    if pool:
        raise Failed("the assembly ends with literals that belong to no function: this llc writes another form than 22.1 does")
    return out


def _call_by_name(lines):
    names = {}
    for line in lines:
        literal = _LITERAL.match(line)
        if literal and _NAME.match(literal.group(2)):
            names[literal.group(1)] = literal.group(2)
    out = list(lines)
    loaded = {}  # register: (number of the line that loads it, name)
    for number, line in enumerate(lines):
        if _is_block_end(line):
            loaded.clear()
            continue
        load, call = _LOAD.match(line), _CALL.match(line)
        if load:
            register, name = load.group(1), names.get(load.group(2))
            loaded.pop(register, None)
            if name and register in _SCRATCH:
                loaded[register] = (number, name)
        elif call:
            at = loaded.get(call.group(1))
            if at:
                out[at[0]] = ""
                out[number] = f"\tcall0\t{at[1]}\n"
            loaded.clear()
        else:
            for register in re.findall(r"\ba\d+\b", line):
                loaded.pop(register, None)
    return _without_unused([line for line in out if line])


def _without_unused(lines):
    """The lines but for literals that nothing names."""
    named = {name for line in lines if not _LITERAL.match(line) for name in _OWN.findall(line)}
    unused = lambda literal: literal and literal.group(1).startswith(".LCPI") and literal.group(1) not in named
    return [line for line in lines if not unused(_LITERAL.match(line))]


def _is_block_end(line):
    """A label, or a jump: what was loaded before it may be used elsewhere."""
    if not line.startswith((" ", "\t")):
        return not line.startswith("#")
    words = line.split()
    return bool(words) and re.match(r"(j|jx|ret|b[a-z0-9.]+)$", words[0]) is not None
