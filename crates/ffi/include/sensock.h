/* sensock.h: the device end of sensock for C and C++. Made of the source of sensock-ffi by `cargo xtask header`: do not edit.
 *
 * The caller gives the memory, moves the bytes and passes the time. A device in short:
 *
 *     sensock_device *device;
 *     sensock_init(memory, sizeof memory, &config, millis(), &device);
 *     sensock_record(device, millis(), SENSOCK_LANE_READINGS, readings, 2);     (at any time, connected or not)
 *
 *     dial; sensock_connected(device, millis());
 *     again and again, until SENSOCK_EVENT_REFUSED, _SLEPT or _ENDED, or until the transport fails:
 *         bytes came:                  sensock_receive(device, millis(), bytes, length, &used);
 *         sensock_transmit gives some: write them; sensock_transmitted(device, written);
 *         sensock_poll gives an event: act on it, and poll on until SENSOCK_EVENT_NONE
 *     close; sensock_lost(device, millis()); wait sensock_backoff_ms(device, millis(), 0); dial again.
 *
 * Functions that return a sensock_error return 0 if all went well. One device is used by one thread at a time. */

#ifndef SENSOCK_H
#define SENSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A device, inside of the memory that was given for it. */
typedef struct sensock_device sensock_device;

/**
 * Bytes that a deep sleep has to keep.
 */
#define SENSOCK_CARRY_BYTES 96

/**
 * Values in the body of a command, setting, ask or answer, at most.
 */
#define SENSOCK_VALUES 4

/**
 * What `security` is for a device without a key: it proves nothing, and everything is sent in plain text. Servers take that only if told to.
 */
#define SENSOCK_INSECURE 1

/**
 * What `security` is for a device with a `key`: it proves who it is, hears only who has that key too, and nobody else reads what is said.
 */
#define SENSOCK_SEALED 2

/**
 * Characters of a key line, without the NUL behind it.
 */
#define SENSOCK_KEY_LINE 92

/**
 * What `sensock_config.abi` has to be: it changes when a structure of this header does.
 */
#define SENSOCK_ABI 2

/**
 * What `sensock_wait_ms` returns if nothing is due.
 */
#define SENSOCK_FOREVER UINT32_MAX

/**
 * How a call went. `sensock_error_text` has a sentence for each.
 */
enum sensock_error
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It went well.
   */
  SENSOCK_ERROR_NONE = 0,
  /**
   * A pointer is NULL that must not be.
   */
  SENSOCK_ERROR_NULL = 1,
  /**
   * This is no device that `sensock_init` made.
   */
  SENSOCK_ERROR_DEVICE = 2,
  /**
   * The header and the library are of different versions.
   */
  SENSOCK_ERROR_ABI = 3,
  /**
   * `security` is neither SENSOCK_SEALED nor SENSOCK_INSECURE, or a key is given to a device that is to use none.
   */
  SENSOCK_ERROR_SECURITY = 4,
  /**
   * The memory is too small: `sensock_size` says how much is needed.
   */
  SENSOCK_ERROR_MEMORY = 5,
  /**
   * The id is not 1 to 32 of A-Z a-z 0-9 . _ -.
   */
  SENSOCK_ERROR_ID = 6,
  /**
   * A name or unit is too long, or not UTF-8.
   */
  SENSOCK_ERROR_NAME = 7,
  /**
   * An id or key is out of range, or given twice.
   */
  SENSOCK_ERROR_KEY = 8,
  /**
   * A scale, a range or a type is out of bounds.
   */
  SENSOCK_ERROR_CATALOG = 9,
  /**
   * `outbox_bytes` or `frame_bytes` is out of range.
   */
  SENSOCK_ERROR_SIZE = 10,
  /**
   * A record has none or too many readings, or two of one quantity, or is too large.
   */
  SENSOCK_ERROR_READINGS = 11,
  /**
   * The catalogue does not list this.
   */
  SENSOCK_ERROR_UNLISTED = 12,
  /**
   * Values do not fit the type that the catalogue states.
   */
  SENSOCK_ERROR_VALUES = 13,
  /**
   * The call means nothing now: there is no connection, or the boot was ended by a sleep.
   */
  SENSOCK_ERROR_STATE = 14,
  /**
   * There is no room: try again later.
   */
  SENSOCK_ERROR_FULL = 15,
  /**
   * All numbers of this boot are used up: restart the device.
   */
  SENSOCK_ERROR_EXHAUSTED = 16,
  /**
   * A lane, policy or kind has a number that is not defined.
   */
  SENSOCK_ERROR_NUMBER = 17,
  /**
   * `key` is not a key line: snk1 and 88 hexadecimal digits.
   */
  SENSOCK_ERROR_KEY_FORM = 18,
  /**
   * A character of the key line is no hexadecimal digit.
   */
  SENSOCK_ERROR_KEY_DIGIT = 19,
  /**
   * A digit of the key line is wrong.
   */
  SENSOCK_ERROR_KEY_CHECK = 20,
  /**
   * There are no random bytes: `random` is NULL, or has none now.
   */
  SENSOCK_ERROR_NO_RANDOM = 21,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sensock_error sensock_error;
#else
typedef int32_t sensock_error;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Types of values.
 */
enum sensock_type
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * No value: ends a list of types.
   */
  SENSOCK_TYPE_NONE = 0,
  /**
   * 0 or 1, in `integer`.
   */
  SENSOCK_TYPE_BOOL = 1,
  /**
   * Signed, 32 bits, in `integer`.
   */
  SENSOCK_TYPE_I32 = 2,
  /**
   * Unsigned, 32 bits, in `integer`.
   */
  SENSOCK_TYPE_U32 = 3,
  /**
   * Signed, 64 bits, in `integer`.
   */
  SENSOCK_TYPE_I64 = 4,
  /**
   * Unsigned, 64 bits, in `integer` (the same 64 bits).
   */
  SENSOCK_TYPE_U64 = 5,
  /**
   * A float, in `real`.
   */
  SENSOCK_TYPE_F32 = 6,
  /**
   * UTF-8 text, in `bytes` and `length`; no NUL at its end.
   */
  SENSOCK_TYPE_TEXT = 7,
  /**
   * Bytes, in `bytes` and `length`.
   */
  SENSOCK_TYPE_BYTES = 8,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sensock_type sensock_type;
#else
typedef uint8_t sensock_type;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a reading is given.
 */
enum sensock_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * In `real`, in the quantity's unit.
   */
  SENSOCK_KIND_REAL = 0,
  /**
   * In `integer`, in the quantity's unit.
   */
  SENSOCK_KIND_INTEGER = 1,
  /**
   * In `integer`, already multiplied by the quantity's scale: 2345 for 23.45 at scale -2.
   */
  SENSOCK_KIND_SCALED = 2,
  /**
   * There is no value; `integer` says why: 1 no value, 32 to 255 your own.
   */
  SENSOCK_KIND_FAULT = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sensock_kind sensock_kind;
#else
typedef uint8_t sensock_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where a record goes.
 */
enum sensock_lane
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Alarms: they overtake everything else.
   */
  SENSOCK_LANE_ALARM = 0,
  /**
   * Decisions that the device took by itself: never dropped.
   */
  SENSOCK_LANE_CONTROL = 1,
  /**
   * Readings.
   */
  SENSOCK_LANE_READINGS = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sensock_lane sensock_lane;
#else
typedef uint8_t sensock_lane;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What happens when a lane is full.
 */
enum sensock_policy_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The oldest record goes, and the server is told how many went.
   */
  SENSOCK_POLICY_DROP_OLDEST = 0,
  /**
   * The newest record goes, and the server is told how many went.
   */
  SENSOCK_POLICY_DROP_NEWEST = 1,
  /**
   * Readings only: each quantity keeps its latest value.
   */
  SENSOCK_POLICY_KEEP_LATEST = 2,
  /**
   * `sensock_record` says SENSOCK_ERROR_FULL.
   */
  SENSOCK_POLICY_REFUSE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sensock_policy_kind sensock_policy_kind;
#else
typedef uint8_t sensock_policy_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What `sensock_poll` tells.
 */
enum sensock_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Nothing.
   */
  SENSOCK_EVENT_NONE = 0,
  /**
   * The server took the device up. `number`: commands and settings that wait there; `id`: by how much it moved the boot's number.
   */
  SENSOCK_EVENT_CONNECTED = 1,
  /**
   * More records are stored than before.
   */
  SENSOCK_EVENT_STORED = 2,
  /**
   * The server wants a reading now: take one and record it. The next record is the answer.
   */
  SENSOCK_EVENT_READ_NOW = 3,
  /**
   * A command: `key`, `values`, `count`. Answer `id` with `sensock_reply` or `sensock_refuse`.
   */
  SENSOCK_EVENT_COMMAND = 4,
  /**
   * A setting: `key`, `values`, `count`. Unless `sensock_refuse_setting` is called before the next poll, it counts as applied.
   */
  SENSOCK_EVENT_SETTING = 5,
  /**
   * The answer to question `id`: `values`, `count`.
   */
  SENSOCK_EVENT_ANSWER = 6,
  /**
   * No answer to question `id` will come. `number`: the server's code, or 0 if time or connection ran out.
   */
  SENSOCK_EVENT_NO_ANSWER = 7,
  /**
   * Write `sensock_carry` to memory that survives, then call `sensock_kept`: a command waits for it.
   */
  SENSOCK_EVENT_KEEP = 8,
  /**
   * The server refused the device; `text` says why. The connection has ended.
   */
  SENSOCK_EVENT_REFUSED = 9,
  /**
   * The device may sleep: the server knows, or took too long to answer. The connection has ended.
   */
  SENSOCK_EVENT_SLEPT = 10,
  /**
   * The connection has ended; `text` says why. Close the transport, wait `sensock_backoff_ms`, dial again.
   */
  SENSOCK_EVENT_ENDED = 11,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sensock_event_kind sensock_event_kind;
#else
typedef uint8_t sensock_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A quantity that the device measures.
 */
typedef struct sensock_quantity {
  /**
   * 1 to 16127, or one of the built-in ids from 16128 on.
   */
  uint16_t id;
  /**
   * Its name; must live as long as the device.
   */
  const char *name;
  /**
   * Its unit as SenML spells it: "Cel", "%RH", "Pa"; "" if it has none. Must live as long as the device.
   */
  const char *unit;
  /**
   * Values are integers times ten to this power: -2 keeps two decimals. -9 to 9.
   */
  int8_t scale;
  /**
   * Lowest plausible value, as scaled integer. If low and high are both 0 there is no range.
   */
  int32_t low;
  /**
   * Highest plausible value, as scaled integer.
   */
  int32_t high;
  /**
   * How often a reading is to be expected, in ms; 0 if not stated.
   */
  uint32_t interval_ms;
} sensock_quantity;

/**
 * A command that the device answers.
 */
typedef struct sensock_command {
  /**
   * 1 to 16127.
   */
  uint16_t key;
  /**
   * Its name; must live as long as the device.
   */
  const char *name;
  /**
   * Whether running it twice does no harm. If not, it runs at most once.
   */
  bool idempotent;
  /**
   * Types of the request (`sensock_type`), up to the first SENSOCK_TYPE_NONE.
   */
  uint8_t request[SENSOCK_VALUES];
  /**
   * Types of the answer.
   */
  uint8_t answer[SENSOCK_VALUES];
} sensock_command;

/**
 * A setting that the device applies: the server keeps the latest value.
 */
typedef struct sensock_setting {
  /**
   * 1 to 16127.
   */
  uint16_t key;
  /**
   * Its name; must live as long as the device.
   */
  const char *name;
  /**
   * Types of the value.
   */
  uint8_t types[SENSOCK_VALUES];
} sensock_setting;

/**
 * A question that the device may put to the server.
 */
typedef struct sensock_question {
  /**
   * 1 to 16127.
   */
  uint16_t key;
  /**
   * Its name; must live as long as the device.
   */
  const char *name;
  /**
   * Types of the question.
   */
  uint8_t request[SENSOCK_VALUES];
  /**
   * Types of the answer.
   */
  uint8_t answer[SENSOCK_VALUES];
} sensock_question;

/**
 * What a device is. Set everything to zero first; then what is not needed can stay so.
 */
typedef struct sensock_config {
  /**
   * SENSOCK_ABI.
   */
  uint32_t abi;
  /**
   * SENSOCK_SEALED or SENSOCK_INSECURE: there is no default.
   */
  uint8_t security;
  /**
   * Whether `sensock_carry` is kept after `sensock_init` and on SENSOCK_EVENT_KEEP: then commands run at most once across resets too.
   */
  bool keeps;
  /**
   * Whether the server is to send all settings again after a deep sleep; else their values are the application's to keep.
   */
  bool settings_again;
  /**
   * The device's name: 1 to 32 of A-Z a-z 0-9 . _ -. Copied.
   */
  const char *id;
  /**
   * Name and version of the firmware, at most 48 bytes; must live as long as the device.
   */
  const char *firmware;
  /**
   * Quantities; the array is copied, its texts are not.
   */
  const struct sensock_quantity *quantities;
  /**
   * How many, 0 to 64.
   */
  size_t quantity_count;
  /**
   * Commands; the array is copied, its texts are not.
   */
  const struct sensock_command *commands;
  /**
   * How many, 0 to 64.
   */
  size_t command_count;
  /**
   * Settings; the array is copied, its texts are not.
   */
  const struct sensock_setting *settings;
  /**
   * How many, 0 to 64.
   */
  size_t setting_count;
  /**
   * Questions; the array is copied, its texts are not.
   */
  const struct sensock_question *asks;
  /**
   * How many, 0 to 64.
   */
  size_t ask_count;
  /**
   * Bytes for records that wait: 1024 or more. A record of two readings takes about 10.
   */
  size_t outbox_bytes;
  /**
   * The largest frame either way: 256 to 16383; 0 is 256. Three times as many bytes are needed.
   */
  size_t frame_bytes;
  /**
   * This boot's number, never used before and persisted before this call; 0 if the device has no memory of one.
   */
  uint32_t boot;
  /**
   * What a deep sleep kept (SENSOCK_CARRY_BYTES), or NULL. If it is damaged it counts as NULL.
   */
  const uint8_t *carry;
  /**
   * With SENSOCK_SEALED: the line that `sensockd keys add` printed for this device. Copied; the device's memory holds the secret.
   */
  const char *key;
  /**
   * With SENSOCK_SEALED: fills so many bytes with random ones that nobody can guess, of a hardware generator or an operating system; false
   * if it cannot now. Called in `sensock_connected` and `sensock_backoff_ms`. There is no default: without good ones nothing is secret.
   */
  bool (*random)(uint8_t *bytes, size_t length);
} sensock_config;

/**
 * One value of one quantity.
 */
typedef struct sensock_reading {
  /**
   * The quantity's id.
   */
  uint16_t quantity;
  /**
   * `sensock_kind`.
   */
  uint8_t kind;
  /**
   * The value of kinds other than SENSOCK_KIND_REAL.
   */
  int32_t integer;
  /**
   * The value of SENSOCK_KIND_REAL.
   */
  float real;
} sensock_reading;

/**
 * What the operator shall know of this board; zero means "not known".
 */
typedef struct sensock_account {
  /**
   * Why the board last reset, as its own code.
   */
  uint16_t reset_cause;
  /**
   * Free memory in KiB.
   */
  uint16_t free_kib;
  /**
   * Signal strength in dBm, such as -67.
   */
  int8_t signal_dbm;
} sensock_account;

/**
 * One value of a body.
 */
typedef struct sensock_value {
  /**
   * `sensock_type`. In what is given to the library it may be any number type for any other, if the value fits.
   */
  uint8_t kind;
  /**
   * A float; of other numbers the nearest one.
   */
  float real;
  /**
   * A number; of a float its whole part.
   */
  int64_t integer;
  /**
   * Text or bytes. In events they are valid until the next call but `sensock_reply`.
   */
  const uint8_t *bytes;
  /**
   * How many bytes.
   */
  size_t length;
} sensock_value;

/**
 * How a device is doing. Counts are of this boot.
 */
typedef struct sensock_status {
  /**
   * Records that were accepted.
   */
  uint32_t accepted;
  /**
   * Calls of `sensock_record` that took nothing.
   */
  uint32_t refused;
  /**
   * Positions that are stored, or explained by a gap.
   */
  uint32_t stored;
  /**
   * Positions that wait, in memory or on their way.
   */
  uint32_t waiting;
  /**
   * Sessions so far.
   */
  uint32_t sessions;
  /**
   * Connections that were begun.
   */
  uint32_t dials;
  /**
   * Whether a session is live.
   */
  bool connected;
  /**
   * Whether the device woke with what a deep sleep kept.
   */
  bool woke;
  /**
   * How full the fullest lane is, in percent.
   */
  uint8_t fill;
  /**
   * The fullest that any lane ever was, in percent.
   */
  uint8_t high_water;
} sensock_status;

/**
 * What `sensock_poll` tells; which fields mean something is said at `sensock_event_kind`.
 */
typedef struct sensock_event {
  /**
   * `sensock_event_kind`.
   */
  uint8_t kind;
  /**
   * How many values there are.
   */
  uint8_t count;
  /**
   * Key of the command, setting or question.
   */
  uint16_t key;
  /**
   * Number of the command or question, revision of the setting.
   */
  uint32_t id;
  /**
   * See the kind.
   */
  uint32_t number;
  /**
   * A sentence, or ""; valid until the next call.
   */
  const char *text;
  /**
   * The body.
   */
  struct sensock_value values[SENSOCK_VALUES];
} sensock_event;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of this library, such as "0.1.0".
 */
const char *sensock_version(void);

/**
 * What a person reads of an error code; never NULL.
 */
const char *sensock_error_text(int32_t error);

/**
 * How many bytes of memory a device of this configuration needs, however they are aligned; 0 if the configuration is no good.
 */
size_t sensock_size(const struct sensock_config *config);

/**
 * Makes a device in the memory that is given, and begins a boot. `now` is a millisecond counter, such as `millis()`, that may wrap; all
 * other calls take the same counter, and one of them must come at least every 24 days.
 *
 * The memory must stay in place as long as the device is used, and be used by nothing else. To end a device, just stop using it.
 */
sensock_error sensock_init(void *memory,
                           size_t length,
                           const struct sensock_config *config,
                           uint32_t now,
                           sensock_device **device);

/**
 * Records readings of one instant: 1 to 16, each of another quantity. Never waits and needs no connection. If the lane is full its
 * policy decides what is lost, and the server is told. `lane` is `sensock_lane`; readings go to SENSOCK_LANE_READINGS.
 */
sensock_error sensock_record(sensock_device *device,
                             uint32_t now,
                             uint8_t lane,
                             const struct sensock_reading *readings,
                             size_t count);

/**
 * What happens when a lane is full (`sensock_policy_kind`), and after how long its records are given up (0: never). Before its first record.
 */
sensock_error sensock_policy(sensock_device *device,
                             uint8_t lane,
                             uint8_t policy,
                             uint32_t keep_for_ms);

/**
 * What the operator shall know of this board; said at the next connection.
 */
sensock_error sensock_account_for(sensock_device *device, const struct sensock_account *account);

/**
 * Answers a command with values of the types that the catalogue states.
 */
sensock_error sensock_reply(sensock_device *device, uint32_t id, const struct sensock_value *values, size_t count);

/**
 * Refuses a command with a code: 16 to 255 are yours, 0 reads as 1.
 */
sensock_error sensock_refuse(sensock_device *device, uint32_t id, uint8_t code);

/**
 * Refuses the setting that was told last, instead of applying it: right after the poll that told it. 16 to 255 are your codes.
 */
sensock_error sensock_refuse_setting(sensock_device *device,
                                     uint32_t revision,
                                     uint8_t code);

/**
 * Puts a question to the server, one at a time and only while connected; `id` is its number. An event brings the answer, or says that none
 * came within `within_ms`.
 */
sensock_error sensock_ask(sensock_device *device,
                          uint32_t now,
                          uint16_t key,
                          const struct sensock_value *values,
                          size_t count,
                          uint32_t within_ms,
                          uint32_t *id);

/**
 * Writes what memory that survives has to keep: SENSOCK_CARRY_BYTES, with a checksum. `ends_boot` says that power goes down now: no record is
 * taken any more. Without it the boot goes on, as after `sensock_init` and on SENSOCK_EVENT_KEEP: should it end without another word, what
 * was not acknowledged by then is said to be lost.
 */
sensock_error sensock_carry(sensock_device *device,
                            bool ends_boot,
                            uint8_t *bytes);

/**
 * What `sensock_carry` gave after SENSOCK_EVENT_KEEP lies in memory that survives: the command that waits for it may run.
 */
sensock_error sensock_kept(sensock_device *device);

/**
 * Whether all records are stored, or explained by a gap. It needs no connection.
 */
bool sensock_is_drained(sensock_device *device);

/**
 * How the device is doing, in numbers.
 */
sensock_error sensock_status_of(sensock_device *device, struct sensock_status *status);

/**
 * How the device is doing, in words: "stored 118, waiting 3, link up". Writes at most `length` bytes, the last of them a NUL; 64 are enough.
 */
sensock_error sensock_status_text(sensock_device *device,
                                  char *text,
                                  size_t length);

/**
 * A transport is open: a TCP connection, a serial line. What was under way on another one is sent again. SENSOCK_ERROR_NO_RANDOM if a device
 * with a key gets no random bytes: close the transport, wait `sensock_backoff_ms`, dial again.
 */
sensock_error sensock_connected(sensock_device *device,
                                uint32_t now);

/**
 * The transport is closed or failed. Harmless if it was known.
 */
sensock_error sensock_lost(sensock_device *device, uint32_t now);

/**
 * Bytes came. `used` says how many were taken: if not all, poll until SENSOCK_EVENT_NONE and give it the rest, unless the connection
 * ended. Any chunks will do.
 */
sensock_error sensock_receive(sensock_device *device,
                              uint32_t now,
                              const uint8_t *bytes,
                              size_t length,
                              size_t *used);

/**
 * What is to be written to the transport now: `*length` bytes at `*bytes`, none if nothing is. Write as many as the transport takes, and
 * say how many with `sensock_transmitted`. The bytes are valid until the next call.
 */
sensock_error sensock_transmit(sensock_device *device,
                               uint32_t now,
                               const uint8_t **bytes,
                               size_t *length);

/**
 * So many of the bytes that `sensock_transmit` gave were written.
 */
sensock_error sensock_transmitted(sensock_device *device, size_t length);

/**
 * Tells what happened since: call it until it says SENSOCK_EVENT_NONE.
 */
sensock_error sensock_poll(sensock_device *device, uint32_t now, struct sensock_event *event);

/**
 * Says that the device will be silent for so long, once everything is sent and what the server has for it was dealt with. Go on with
 * transmit, receive and poll until SENSOCK_EVENT_SLEPT; commands and settings may still come. If `ends_boot`, the server then knows that nothing
 * more comes of this boot: keep `sensock_carry` after that event, power down, and begin the next boot with it. SENSOCK_ERROR_STATE if there is
 * no session; a device may sleep without a word, too.
 */
sensock_error sensock_sleep(sensock_device *device,
                            uint32_t now,
                            uint32_t for_ms,
                            bool ends_boot);

/**
 * Ends the connection in order: go on with `sensock_transmit` and `sensock_poll` until SENSOCK_EVENT_ENDED.
 */
sensock_error sensock_close(sensock_device *device);

/**
 * Whether nothing is left to do: connected, all records stored, and all that the server had waiting is received and answered. A device
 * that sleeps sleeps now.
 */
bool sensock_is_settled(sensock_device *device);

/**
 * In how many ms something is due even if nothing comes: call transmit and poll then. SENSOCK_FOREVER if nothing is.
 */
uint32_t sensock_wait_ms(sensock_device *device, uint32_t now);

/**
 * How many ms to wait before the next dial: longer after each failure, never shorter than the server asked. Call it once after each
 * connection or failed dial. A device with a key makes the key pair of its next connection here, while nobody waits for it: on an ESP8266 that
 * takes some 200 ms. `entropy` is any number that differs from board to board, or 0.
 */
uint32_t sensock_backoff_ms(sensock_device *device,
                            uint32_t now,
                            uint32_t entropy);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SENSOCK_H */

/** Bytes of memory that are enough for any configuration with at most so many entries in its lists together: a static array's size.
 * frame_bytes is 256 if the configuration says 0. */
#define SENSOCK_MEMORY(outbox_bytes, frame_bytes, entries) \
  (2240 + sizeof(void *) * 180 + 3 * (size_t)(frame_bytes) + (size_t)(outbox_bytes) + (size_t)(entries) * 64)

/** A reading in the quantity's unit. */
static inline sensock_reading sensock_real(uint16_t quantity, float value) {
  sensock_reading reading = {quantity, SENSOCK_KIND_REAL, 0, value};
  return reading;
}

/** A reading in whole units. */
static inline sensock_reading sensock_integer(uint16_t quantity, int32_t value) {
  sensock_reading reading = {quantity, SENSOCK_KIND_INTEGER, value, 0};
  return reading;
}

/** No value: 1 says that the sensor gave none, 32 to 255 are your own codes. */
static inline sensock_reading sensock_fault(uint16_t quantity, uint8_t why) {
  sensock_reading reading = {quantity, SENSOCK_KIND_FAULT, why, 0};
  return reading;
}

/** A value of a body: a whole number, for any number type that it fits. */
static inline sensock_value sensock_number(int64_t number) {
  sensock_value value = {SENSOCK_TYPE_I64, 0, number, NULL, 0};
  return value;
}

/** A value of a body: a float. */
static inline sensock_value sensock_float(float number) {
  sensock_value value = {SENSOCK_TYPE_F32, number, 0, NULL, 0};
  return value;
}
