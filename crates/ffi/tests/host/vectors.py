#!/usr/bin/env python3
"""The byte vectors of the specification through the C ABI, by ctypes.

    vectors.py FOLDER_OF_LIBRARIES FOLDER_OF_VECTORS

First all vectors through the door of `sensock-ffi-vectors`: what each says is packed here, from the JSON, and the library must read and write
the same. Each is also spoilt, and must then fail. Then those that a device's end of a connection reads or writes go through the real functions:
frames of a server come in as bytes, and what a program in C would be told is compared with what the vectors say.
"""

import ctypes
import json
import os
import struct
import sys

HEX = ("hex", "body", "bytes", "columns", "frames")
PREFACE = bytes.fromhex("f5736e6b")
SENTENCES = {
    "preface": "the peer does not speak sensock: is the port right?",
    "oversized": "the server sent a frame that is larger than frame_bytes",
    "malformed": "the server sent a malformed frame",
    "unknown-kind": "the server sent a frame of a later version: update this device",
    "version": "the two ends share no protocol version: update one of them",
    "limit": "the server sent a number outside of its limits",
    "unexpected": "the server sent a frame that makes no sense now",
    "beyond": "the server acknowledged what was never sent",
}
NONE, CONNECTED, STORED, READ_NOW, COMMAND, SETTING, ANSWER, NO_ANSWER, KEEP, REFUSED, SLEPT, ENDED = range(12)


# ---- the packed form of `sensock-vectors` ----


def key(name):
    number = 0x811C9DC5
    for byte in name.encode():
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    return struct.pack("<H", (number ^ number >> 16) & 0xFFFF)


def block(tag, data):
    return struct.pack("<BH", tag, len(data)) + data


def pack(value, is_hex=False):
    if value is None:
        return b"\0"
    if isinstance(value, bool):
        return b"\2" if value else b"\1"
    if isinstance(value, int):
        for tag, form, low, high in ((3, "B", 0, 255), (4, "h", -(1 << 15), 1 << 15), (5, "i", -(1 << 31), 1 << 31)):
            if low <= value < high + (tag == 3):
                return struct.pack("<B" + form, tag, value)
        return struct.pack("<BQ", 6, value)
    if isinstance(value, float):
        return struct.pack("<Bf", 7, value)
    if isinstance(value, str):
        return block(9, bytes.fromhex(value)) if is_hex else block(8, value.encode())
    if isinstance(value, list):
        return block(10, b"".join(pack(item, is_hex) for item in value))
    return block(11, b"".join(key(name) + pack(field, name in HEX) for name, field in value.items() if name != "spec"))


def packed(file, vectors):
    return pack({"file": file, "vectors": vectors})


def through_the_door(library, files):
    scratch = ctypes.create_string_buffer(1 << 14)

    def check(data):
        counts = (ctypes.c_uint32 * 4)()
        code = library.sensock_check_vectors(data, len(data), scratch, len(scratch), counts)
        assert code in (0, 1), code
        return list(counts)

    total = [0, 0, 0, 0]
    for file, vectors in files.items():
        counts = check(packed(file, vectors))
        assert counts[0] == len(vectors), f"{file}: {counts[0]} of {len(vectors)} were read"
        assert counts[3] == 0, f"{file}: {counts[3]} checks failed"
        total = [a + b for a, b in zip(total, counts)]
    assert total[0] >= 200 and total[1] >= 100, total
    spoilt = 0
    for file, vectors in files.items():
        for at, vector in enumerate(vectors):
            if vector.get("error") or vector.get("decode_only") or vector.get("skipped") or not vector["hex"]:
                continue
            other = dict(vector, hex=f"{int(vector['hex'][:2], 16) ^ 1:02x}{vector['hex'][2:]}")
            counts = check(packed(file, vectors[:at] + [other] + vectors[at + 1 :]))
            assert counts[3] > 0, f"{file}: {vector['name']!r} passes when its first bit is another"
            spoilt += 1
    print(f"door: {total[0]} vectors read, {total[1]} written, {total[2]} cut short, {spoilt} spoilt and seen")


# ---- the structures of sensock.h ----


def structure(name, /, **fields):
    return type(name, (ctypes.Structure,), {"_fields_": list(fields.items())})


u8, u16, u32, i32 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_int32
text, size, flag, pointer = ctypes.c_char_p, ctypes.c_size_t, ctypes.c_bool, ctypes.c_void_p
Quantity = structure("Quantity", id=u16, name=text, unit=text, scale=ctypes.c_int8, low=i32, high=i32, interval_ms=u32)
Command = structure("Command", key=u16, name=text, idempotent=flag, request=u8 * 4, answer=u8 * 4)
Setting = structure("Setting", key=u16, name=text, types=u8 * 4)
Question = structure("Question", key=u16, name=text, request=u8 * 4, answer=u8 * 4)
Config = structure(
    "Config", abi=u32, security=u8, keeps=flag, settings_again=flag, id=text, firmware=text,
    quantities=ctypes.POINTER(Quantity), quantity_count=size, commands=ctypes.POINTER(Command), command_count=size,
    settings=ctypes.POINTER(Setting), setting_count=size, asks=ctypes.POINTER(Question), ask_count=size,
    outbox_bytes=size, frame_bytes=size, boot=u32, carry=pointer, key=text, random=pointer,
)  # fmt: skip
Reading = structure("Reading", quantity=u16, kind=u8, integer=i32, real=ctypes.c_float)
Value = structure("Value", kind=u8, real=ctypes.c_float, integer=ctypes.c_int64, bytes=pointer, length=size)
Event = structure("Event", kind=u8, count=u8, key=u16, id=u32, number=u32, text=text, values=Value * 4)

BOOL, U32, F32 = 1, 3, 6


class Device:
    """One device, used as a program in C uses it."""

    def __init__(self, library):
        self.library, self.now = library, 1000
        lists = (
            (Quantity * 2)(Quantity(1, b"temperature", b"Cel", -2, 0, 0, 0), Quantity(2, b"humidity", b"%RH", -1, 0, 0, 0)),
            (Command * 2)(Command(1, b"relay", False, (BOOL,), (BOOL,)), Command(16127, b"odd", True, (U32,), ())),
            (Setting * 2)(Setting(1, b"interval", (U32,)), Setting(2, b"nothing", ())),
            (Question * 1)(Question(3, b"setpoint", (U32,), (F32,))),
        )
        config = Config(abi=2, security=1, id=b"a", firmware=b"vectors 1", outbox_bytes=4096)
        config.quantities, config.quantity_count = lists[0], 2
        config.commands, config.command_count = lists[1], 2
        config.settings, config.setting_count = lists[2], 2
        config.asks, config.ask_count = lists[3], 1
        self.memory = ctypes.create_string_buffer(library.sensock_size(ctypes.byref(config)))
        self.device = pointer()
        self.must(library.sensock_init(self.memory, len(self.memory), ctypes.byref(config), self.now, ctypes.byref(self.device)))
        self.call("connected", self.now)
        self.greeting = self.transmit()

    def must(self, code):
        assert code == 0, self.library.sensock_error_text(code)

    def call(self, name, *arguments):
        self.must(getattr(self.library, "sensock_" + name)(self.device, *arguments))

    def transmit(self):
        out = b""
        while True:
            data, length = ctypes.POINTER(u8)(), size()
            self.call("transmit", self.now, ctypes.byref(data), ctypes.byref(length))
            if length.value == 0:
                return out
            # In pieces, as a slow transport takes them.
            piece = min(7, length.value)
            out += bytes(data[:piece])
            self.call("transmitted", piece)

    def frames(self):
        """Whole frames that the device writes now."""
        data, out = self.transmit(), []
        while data:
            at, length = (1, data[0]) if data[0] < 128 else (2, data[0] & 127 | data[1] << 7)
            out.append(data[at : at + length])
            data = data[at + length :]
        return out

    def receive(self, data, chunk):
        """Gives bytes in chunks; returns what a program would be told."""
        told = []
        for start in range(0, len(data), chunk):
            rest = data[start : start + chunk]
            while rest:
                used = size()
                if self.library.sensock_receive(self.device, self.now, rest, len(rest), ctypes.byref(used)) != 0:
                    return told
                rest = rest[used.value :]
                told += self.events()
        return told

    def events(self):
        told = []
        while True:
            event = Event()
            self.call("poll", self.now, ctypes.byref(event))
            if event.kind == NONE:
                return told
            values = [(v.kind, v.real if v.kind == F32 else v.integer) for v in event.values[: event.count]]
            told.append((event.kind, event.key, event.id, event.number, event.text.decode(), values))

    def frame(self, frame, chunk=5):
        length = bytes([len(frame)]) if len(frame) < 128 else bytes([len(frame) & 127 | 128, len(frame) >> 7])
        return self.receive(length + frame, chunk)


def ended(told, error):
    # A question that is open then has no answer.
    kinds = [t[0] for t in told if t[0] != NO_ANSWER]
    assert kinds == [ENDED] and told[-1][4] == SENTENCES[error], told


def through_the_device(library, files):
    by_name = {(file, v["name"]): v for file, vectors in files.items() for v in vectors}
    welcome = bytes.fromhex(by_name["welcome", "a device without memory gets boot 301, and is asked for its catalogue"]["hex"])
    count = 0

    def fresh():
        device = Device(library)
        assert device.greeting.startswith(PREFACE), device.greeting
        hello = device.greeting[5:]
        assert hello.startswith(bytes.fromhex("01010100016100")), hello.hex()
        return device

    def live():
        device = fresh()
        assert device.receive(PREFACE, 3) == []
        told = device.frame(welcome)
        assert [t[:4] for t in told] == [(CONNECTED, 0, 301, 0)], told
        # That Welcome grants nothing: credit for control and readings.
        for credit in ("288020808004", "488020808004"):
            assert device.frame(bytes.fromhex(credit)) == []
        # The proof that it lives: Welcome's nonce.
        kinds = device.frames()
        assert kinds[0].startswith(bytes.fromhex("0588ef99abc5e88c9111")), kinds[0].hex()
        return device

    def check(vector, device, told):
        error, kind = vector.get("error"), int(vector["hex"][:2] or "0", 16)
        if error:
            return ended(told, error if kind in READ else "unexpected")
        if call := vector.get("call"):
            if call["body"] == "01":
                assert told == [(COMMAND, call["key"], call["id"], 0, "", [(BOOL, 1)])], told
                answer = Value(BOOL, 0, 1, None, 0)
                device.call("reply", call["id"], ctypes.byref(answer), 1)
            elif call["key"] == 0:
                assert told == [(READ_NOW, 0, call["id"], 0, "", [])], told
                # 23.45 and 56.7: the bytes of section 6.
                readings = (Reading * 2)(Reading(1, 0, 0, 23.45), Reading(2, 0, 0, 56.7))
                device.call("record", device.now, 2, readings, 2)
                columns = bytes.fromhex(by_name["batch", "one record: 23.45 and 56.7"]["hex"])
                frames = device.frames()
                assert any(frame.endswith(columns) for frame in frames), [f.hex() for f in frames]
            else:
                assert told == [], "a body of another shape is refused without the program's help"
        elif setting := vector.get("setting"):
            values = [(U32, int(setting["body"], 16))] if setting["body"] else []
            assert told == [(SETTING, setting["key"], setting["revision"], 0, "", values)], told
        elif answer := vector.get("answer"):
            expected = (NO_ANSWER, 3, answer["id"], answer["code"], "", [])
            if answer["body"]:
                expected = (ANSWER, 3, answer["id"], 0, "", [(F32, struct.unpack("<f", bytes.fromhex(answer["body"]))[0])])
            assert told == [expected], told
        elif ping := vector.get("ping"):
            pong = device.frames()[0]
            assert pong[0] == 5 and varint(pong[1:]) == ping["id"], pong.hex()
        elif bye := vector.get("bye"):
            assert [t[0] for t in told] == [ENDED] and (not bye["text"] or told[0][4] == bye["text"]), told
        elif vector.get("pong"):
            assert told == [], told
        else:
            ended(told, "unexpected")

    # What a device reads once it is connected: Ping, Pong, Call, Setting, Answer, Bye.
    READ = (0x04, 0x05, 0x0D, 0x0E, 0x10, 0x12)
    for vector in files["alive"] + files["calls"]:
        for chunk in (1, 1000):
            device = live()
            answer = vector["hex"].startswith("10")
            for number in range(1, 3 if answer else 1):
                three = Value(U32, 0, 3, None, 0)
                device.call("ask", device.now, 3, ctypes.byref(three), 1, 60_000, None)
                asked = device.frames()
                if number == 1:
                    assert bytes.fromhex(by_name["calls", "which temperature does zone 3 want?"]["hex"]) in asked, asked
                if number == 1 and vector["hex"].startswith("1001"):
                    break
                if number == 1:
                    assert device.frame(bytes.fromhex("10010000000000"))[0][0] == ANSWER
            check(vector, device, device.frame(bytes.fromhex(vector["hex"]), chunk))
            count += 1
    for vector in files["welcome"]:
        device = fresh()
        device.receive(PREFACE, 4)
        told = device.frame(bytes.fromhex(vector["hex"]))
        if vector.get("error"):
            ended(told, vector["error"])
        elif vector["welcome"]["shift"] == 0:
            # Marks of boot 7, though this device has made nothing.
            ended(told, "beyond")
        else:
            assert told[0][:4] == (CONNECTED, 0, vector["welcome"]["shift"], vector["welcome"]["pending"]), told
        count += 1
    for vector in files["refused"]:
        device = fresh()
        device.receive(PREFACE, 4)
        told = device.frame(bytes.fromhex(vector["hex"]))
        if vector.get("error"):
            ended(told, vector["error"])
        else:
            refused = vector["refused"]
            assert [(t[0], t[3], t[4]) for t in told] == [(REFUSED, refused["code"], refused["text"])], told
            wait = library.sensock_backoff_ms(device.device, device.now, 0)
            assert min(refused["backoff_ms"], 60_000) <= wait <= 75_000, wait
        count += 1
    for vector in files["stream"]:
        if vector.get("error") and vector["limit"] == 256:
            for chunk in (1, 1000):
                ended(fresh().receive(bytes.fromhex(vector["hex"]), chunk), vector["error"])
                count += 1
    print(f"device: {count} frames of vectors, in bytes and in whole, are told as the vectors say")


def varint(data):
    value = 0
    for at, byte in enumerate(data):
        value |= (byte & 127) << 7 * at
        if byte < 128:
            return value
    raise AssertionError("cut short")


def main(libraries, folder):
    files = {}
    # Sealed sessions lie in a folder of their own: C has no way to fix the pairs.
    for name in sorted(name for name in os.listdir(folder) if name.endswith(".json")):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            files[name.removesuffix(".json")] = json.load(file)
    door = ctypes.CDLL(os.path.join(libraries, "libsensock_ffi_vectors.so"))
    through_the_door(door, files)
    library = ctypes.CDLL(os.path.join(libraries, "libsensock_ffi.so"))
    library.sensock_size.restype, library.sensock_error_text.restype = size, text
    library.sensock_backoff_ms.restype = u32
    through_the_device(library, files)


if __name__ == "__main__":
    main(*sys.argv[1:])
