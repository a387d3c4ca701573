//! The structures and numbers of `sensock.h`. What C passes in is plain integers; what goes out to C may be an enum.

use core::ffi::c_char;

/// Bytes that a deep sleep has to keep.
pub const SENSOCK_CARRY_BYTES: usize = 96;
/// Values in the body of a command, setting, ask or answer, at most.
pub const SENSOCK_VALUES: usize = 4;
/// What `security` is for a device without a key: it proves nothing, and everything is sent in plain text. Servers take that only if told to.
pub const SENSOCK_INSECURE: u8 = 1;
/// What `security` is for a device with a `key`: it proves who it is, hears only who has that key too, and nobody else reads what is said.
pub const SENSOCK_SEALED: u8 = 2;
/// Characters of a key line, without the NUL behind it.
pub const SENSOCK_KEY_LINE: usize = 92;
/// What `sensock_config.abi` has to be: it changes when a structure of this header does.
pub const SENSOCK_ABI: u32 = 2;
/// What `sensock_wait_ms` returns if nothing is due.
pub const SENSOCK_FOREVER: u32 = u32::MAX;

/// How a call went. `sensock_error_text` has a sentence for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Error {
    /// It went well.
    None = 0,
    /// A pointer is NULL that must not be.
    Null = 1,
    /// This is no device that `sensock_init` made.
    Device = 2,
    /// The header and the library are of different versions.
    Abi = 3,
    /// `security` is neither SENSOCK_SEALED nor SENSOCK_INSECURE, or a key is given to a device that is to use none.
    Security = 4,
    /// The memory is too small: `sensock_size` says how much is needed.
    Memory = 5,
    /// The id is not 1 to 32 of A-Z a-z 0-9 . _ -.
    Id = 6,
    /// A name or unit is too long, or not UTF-8.
    Name = 7,
    /// An id or key is out of range, or given twice.
    Key = 8,
    /// A scale, a range or a type is out of bounds.
    Catalog = 9,
    /// `outbox_bytes` or `frame_bytes` is out of range.
    Size = 10,
    /// A record has none or too many readings, or two of one quantity, or is too large.
    Readings = 11,
    /// The catalogue does not list this.
    Unlisted = 12,
    /// Values do not fit the type that the catalogue states.
    Values = 13,
    /// The call means nothing now: there is no connection, or the boot was ended by a sleep.
    State = 14,
    /// There is no room: try again later.
    Full = 15,
    /// All numbers of this boot are used up: restart the device.
    Exhausted = 16,
    /// A lane, policy or kind has a number that is not defined.
    Number = 17,
    /// `key` is not a key line: snk1 and 88 hexadecimal digits.
    KeyForm = 18,
    /// A character of the key line is no hexadecimal digit.
    KeyDigit = 19,
    /// A digit of the key line is wrong.
    KeyCheck = 20,
    /// There are no random bytes: `random` is NULL, or has none now.
    NoRandom = 21,
}

/// Types of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Type {
    /// No value: ends a list of types.
    None = 0,
    /// 0 or 1, in `integer`.
    Bool = 1,
    /// Signed, 32 bits, in `integer`.
    I32 = 2,
    /// Unsigned, 32 bits, in `integer`.
    U32 = 3,
    /// Signed, 64 bits, in `integer`.
    I64 = 4,
    /// Unsigned, 64 bits, in `integer` (the same 64 bits).
    U64 = 5,
    /// A float, in `real`.
    F32 = 6,
    /// UTF-8 text, in `bytes` and `length`; no NUL at its end.
    Text = 7,
    /// Bytes, in `bytes` and `length`.
    Bytes = 8,
}

/// How a reading is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// In `real`, in the quantity's unit.
    Real = 0,
    /// In `integer`, in the quantity's unit.
    Integer = 1,
    /// In `integer`, already multiplied by the quantity's scale: 2345 for 23.45 at scale -2.
    Scaled = 2,
    /// There is no value; `integer` says why: 1 no value, 32 to 255 your own.
    Fault = 3,
}

/// Where a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Lane {
    /// Alarms: they overtake everything else.
    Alarm = 0,
    /// Decisions that the device took by itself: never dropped.
    Control = 1,
    /// Readings.
    Readings = 2,
}

/// What happens when a lane is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Policy {
    /// The oldest record goes, and the server is told how many went.
    DropOldest = 0,
    /// The newest record goes, and the server is told how many went.
    DropNewest = 1,
    /// Readings only: each quantity keeps its latest value.
    KeepLatest = 2,
    /// `sensock_record` says SENSOCK_ERROR_FULL.
    Refuse = 3,
}

/// What `sensock_poll` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum What {
    /// Nothing.
    None = 0,
    /// The server took the device up. `number`: commands and settings that wait there; `id`: by how much it moved the boot's number.
    Connected = 1,
    /// More records are stored than before.
    Stored = 2,
    /// The server wants a reading now: take one and record it. The next record is the answer.
    ReadNow = 3,
    /// A command: `key`, `values`, `count`. Answer `id` with `sensock_reply` or `sensock_refuse`.
    Command = 4,
    /// A setting: `key`, `values`, `count`. Unless `sensock_refuse_setting` is called before the next poll, it counts as applied.
    Setting = 5,
    /// The answer to question `id`: `values`, `count`.
    Answer = 6,
    /// No answer to question `id` will come. `number`: the server's code, or 0 if time or connection ran out.
    NoAnswer = 7,
    /// Write `sensock_carry` to memory that survives, then call `sensock_kept`: a command waits for it.
    Keep = 8,
    /// The server refused the device; `text` says why. The connection has ended.
    Refused = 9,
    /// The device may sleep: the server knows, or took too long to answer. The connection has ended.
    Slept = 10,
    /// The connection has ended; `text` says why. Close the transport, wait `sensock_backoff_ms`, dial again.
    Ended = 11,
}

/// A quantity that the device measures.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct QuantityInfo {
    /// 1 to 16127, or one of the built-in ids from 16128 on.
    pub id: u16,
    /// Its name; must live as long as the device.
    pub name: *const c_char,
    /// Its unit as SenML spells it: "Cel", "%RH", "Pa"; "" if it has none. Must live as long as the device.
    pub unit: *const c_char,
    /// Values are integers times ten to this power: -2 keeps two decimals. -9 to 9.
    pub scale: i8,
    /// Lowest plausible value, as scaled integer. If low and high are both 0 there is no range.
    pub low: i32,
    /// Highest plausible value, as scaled integer.
    pub high: i32,
    /// How often a reading is to be expected, in ms; 0 if not stated.
    pub interval_ms: u32,
}

/// A command that the device answers.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CommandInfo {
    /// 1 to 16127.
    pub key: u16,
    /// Its name; must live as long as the device.
    pub name: *const c_char,
    /// Whether running it twice does no harm. If not, it runs at most once.
    pub idempotent: bool,
    /// Types of the request (`sensock_type`), up to the first SENSOCK_TYPE_NONE.
    pub request: [u8; SENSOCK_VALUES],
    /// Types of the answer.
    pub answer: [u8; SENSOCK_VALUES],
}

/// A setting that the device applies: the server keeps the latest value.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct SettingInfo {
    /// 1 to 16127.
    pub key: u16,
    /// Its name; must live as long as the device.
    pub name: *const c_char,
    /// Types of the value.
    pub types: [u8; SENSOCK_VALUES],
}

/// A question that the device may put to the server.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct AskInfo {
    /// 1 to 16127.
    pub key: u16,
    /// Its name; must live as long as the device.
    pub name: *const c_char,
    /// Types of the question.
    pub request: [u8; SENSOCK_VALUES],
    /// Types of the answer.
    pub answer: [u8; SENSOCK_VALUES],
}

/// What a device is. Set everything to zero first; then what is not needed can stay so.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Config {
    /// SENSOCK_ABI.
    pub abi: u32,
    /// SENSOCK_SEALED or SENSOCK_INSECURE: there is no default.
    pub security: u8,
    /// Whether `sensock_carry` is kept after `sensock_init` and on SENSOCK_EVENT_KEEP: then commands run at most once across resets too.
    pub keeps: bool,
    /// Whether the server is to send all settings again after a deep sleep; else their values are the application's to keep.
    pub settings_again: bool,
    /// The device's name: 1 to 32 of A-Z a-z 0-9 . _ -. Copied.
    pub id: *const c_char,
    /// Name and version of the firmware, at most 48 bytes; must live as long as the device.
    pub firmware: *const c_char,
    /// Quantities; the array is copied, its texts are not.
    pub quantities: *const QuantityInfo,
    /// How many, 0 to 64.
    pub quantity_count: usize,
    /// Commands; the array is copied, its texts are not.
    pub commands: *const CommandInfo,
    /// How many, 0 to 64.
    pub command_count: usize,
    /// Settings; the array is copied, its texts are not.
    pub settings: *const SettingInfo,
    /// How many, 0 to 64.
    pub setting_count: usize,
    /// Questions; the array is copied, its texts are not.
    pub asks: *const AskInfo,
    /// How many, 0 to 64.
    pub ask_count: usize,
    /// Bytes for records that wait: 1024 or more. A record of two readings takes about 10.
    pub outbox_bytes: usize,
    /// The largest frame either way: 256 to 16383; 0 is 256. Three times as many bytes are needed.
    pub frame_bytes: usize,
    /// This boot's number, never used before and persisted before this call; 0 if the device has no memory of one.
    pub boot: u32,
    /// What a deep sleep kept (SENSOCK_CARRY_BYTES), or NULL. If it is damaged it counts as NULL.
    pub carry: *const u8,
    /// With SENSOCK_SEALED: the line that `sensockd keys add` printed for this device. Copied; the device's memory holds the secret.
    pub key: *const c_char,
    /// With SENSOCK_SEALED: fills so many bytes with random ones that nobody can guess, of a hardware generator or an operating system; false
    /// if it cannot now. Called in `sensock_connected` and `sensock_backoff_ms`. There is no default: without good ones nothing is secret.
    pub random: Option<unsafe extern "C" fn(bytes: *mut u8, length: usize) -> bool>,
}

/// One value of one quantity.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ReadingIn {
    /// The quantity's id.
    pub quantity: u16,
    /// `sensock_kind`.
    pub kind: u8,
    /// The value of kinds other than SENSOCK_KIND_REAL.
    pub integer: i32,
    /// The value of SENSOCK_KIND_REAL.
    pub real: f32,
}

/// One value of a body.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Value {
    /// `sensock_type`. In what is given to the library it may be any number type for any other, if the value fits.
    pub kind: u8,
    /// A float; of other numbers the nearest one.
    pub real: f32,
    /// A number; of a float its whole part.
    pub integer: i64,
    /// Text or bytes. In events they are valid until the next call but `sensock_reply`.
    pub bytes: *const u8,
    /// How many bytes.
    pub length: usize,
}

/// What `sensock_poll` tells; which fields mean something is said at `sensock_event_kind`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Event {
    /// `sensock_event_kind`.
    pub kind: u8,
    /// How many values there are.
    pub count: u8,
    /// Key of the command, setting or question.
    pub key: u16,
    /// Number of the command or question, revision of the setting.
    pub id: u32,
    /// See the kind.
    pub number: u32,
    /// A sentence, or ""; valid until the next call.
    pub text: *const c_char,
    /// The body.
    pub values: [Value; SENSOCK_VALUES],
}

/// How a device is doing. Counts are of this boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Status {
    /// Records that were accepted.
    pub accepted: u32,
    /// Calls of `sensock_record` that took nothing.
    pub refused: u32,
    /// Positions that are stored, or explained by a gap.
    pub stored: u32,
    /// Positions that wait, in memory or on their way.
    pub waiting: u32,
    /// Sessions so far.
    pub sessions: u32,
    /// Connections that were begun.
    pub dials: u32,
    /// Whether a session is live.
    pub connected: bool,
    /// Whether the device woke with what a deep sleep kept.
    pub woke: bool,
    /// How full the fullest lane is, in percent.
    pub fill: u8,
    /// The fullest that any lane ever was, in percent.
    pub high_water: u8,
}

/// What the operator shall know of this board; zero means "not known".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Account {
    /// Why the board last reset, as its own code.
    pub reset_cause: u16,
    /// Free memory in KiB.
    pub free_kib: u16,
    /// Signal strength in dBm, such as -67.
    pub signal_dbm: i8,
}

impl Value {
    /// No value.
    pub const NONE: Value = Value { kind: 0, real: 0.0, integer: 0, bytes: core::ptr::null(), length: 0 };
}

impl Event {
    pub(crate) const NONE: Event = Event {
        kind: 0,
        count: 0,
        key: 0,
        id: 0,
        number: 0,
        text: c"".as_ptr(),
        values: [Value::NONE; SENSOCK_VALUES],
    };
}
