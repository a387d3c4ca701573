/* Whatever a program does wrong that can be seen is a code, and changes nothing. Ends with the line of the first check that fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensock.h"

#define CHECK(what)                                      \
  do {                                                   \
    if (!(what)) {                                       \
      printf("line %d: %s\n", __LINE__, #what);          \
      exit(1);                                           \
    }                                                    \
  } while (0)
#define SAYS(call, error) CHECK((call) == (error))

static const sensock_quantity QUANTITIES[] = {{1, "temperature", "Cel", -2, -4000, 8500, 0}, {2, "count", "", 0, 0, 0, 0}};
static const sensock_command COMMANDS[] = {{1, "relay", false, {SENSOCK_TYPE_BOOL}, {SENSOCK_TYPE_BOOL}}};

#define EIGHTY "02030405060708000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY "snk101" EIGHTY "69811371"

/* A generator that is not there. */
static bool never(uint8_t *bytes, size_t length) {
  (void)bytes, (void)length;
  return false;
}

/* One that is, for this test alone. */
static bool counting(uint8_t *bytes, size_t length) {
  static uint8_t next;
  for (size_t i = 0; i < length; i++) bytes[i] = next++;
  return true;
}

static sensock_config good(void) {
  sensock_config config;
  memset(&config, 0, sizeof config);
  config.abi = SENSOCK_ABI;
  config.security = SENSOCK_INSECURE;
  config.id = "misused";
  config.quantities = QUANTITIES;
  config.quantity_count = 2;
  config.commands = COMMANDS;
  config.command_count = 1;
  config.outbox_bytes = 1024;
  return config;
}

/* A configuration with one thing wrong has no size, makes no device, and says what is wrong. */
static void refused(const sensock_config *config, sensock_error error) {
  static uint64_t memory[4096];
  sensock_device *device = (sensock_device *)memory;
  CHECK(sensock_size(config) == 0);
  SAYS(sensock_init(memory, sizeof memory, config, 0, &device), error);
  CHECK(device == NULL);
}

#define WITH(change, error)        \
  do {                             \
    sensock_config c = good();     \
    change;                        \
    refused(&c, error);            \
  } while (0)

static void configurations(void) {
  static const char *const LONG = "a name of forty-nine bytes, which is one too many";
  sensock_quantity q[65];
  refused(NULL, SENSOCK_ERROR_NULL);
  WITH(c.abi = 0, SENSOCK_ERROR_ABI);
  WITH(c.security = 0, SENSOCK_ERROR_SECURITY);
  WITH(c.security = 3, SENSOCK_ERROR_SECURITY);
  /* Who gives a key means it. */
  WITH(c.key = KEY, SENSOCK_ERROR_SECURITY);
  WITH(c.security = SENSOCK_SEALED, SENSOCK_ERROR_KEY_FORM);
#define LINE(line, error) WITH(c.security = SENSOCK_SEALED; c.random = never; c.key = line, error)
  LINE("", SENSOCK_ERROR_KEY_FORM);
  LINE("snk1 00", SENSOCK_ERROR_KEY_FORM);
  LINE(KEY "0", SENSOCK_ERROR_KEY_FORM);
  LINE("snk1x1" EIGHTY "00000000", SENSOCK_ERROR_KEY_DIGIT);
  LINE("snk101" EIGHTY "00000000", SENSOCK_ERROR_KEY_CHECK);
  WITH(c.security = SENSOCK_SEALED; c.key = KEY, SENSOCK_ERROR_NO_RANDOM);
  WITH(c.id = NULL, SENSOCK_ERROR_ID);
  WITH(c.id = "", SENSOCK_ERROR_ID);
  WITH(c.id = "no blanks", SENSOCK_ERROR_ID);
  WITH(c.firmware = LONG, SENSOCK_ERROR_NAME);
  WITH(c.firmware = "\xff", SENSOCK_ERROR_NAME);
  WITH(c.outbox_bytes = 1023, SENSOCK_ERROR_SIZE);
  WITH(c.outbox_bytes = SIZE_MAX, SENSOCK_ERROR_SIZE);
  WITH(c.frame_bytes = 255, SENSOCK_ERROR_SIZE);
  WITH(c.frame_bytes = 16384, SENSOCK_ERROR_SIZE);
  WITH(c.quantities = NULL, SENSOCK_ERROR_NULL);
  WITH(c.quantity_count = 65, SENSOCK_ERROR_KEY);
  WITH(c.command_count = SIZE_MAX, SENSOCK_ERROR_KEY);
  for (int i = 0; i < 65; i++) q[i] = QUANTITIES[0];
#define ONE(change, error)          \
  do {                              \
    q[0] = QUANTITIES[0];           \
    change;                         \
    sensock_config c = good();      \
    static uint64_t memory[1024];   \
    sensock_device *device;         \
    c.quantities = q;               \
    SAYS(sensock_init(memory, sizeof memory, &c, 0, &device), error); \
  } while (0)
  q[1] = QUANTITIES[1];
  ONE(q[0].id = 0, SENSOCK_ERROR_KEY);
  ONE(q[0].id = 2, SENSOCK_ERROR_KEY);
  ONE(q[0].id = 20000, SENSOCK_ERROR_KEY);
  ONE(q[0].scale = 10, SENSOCK_ERROR_CATALOG);
  ONE(q[0].low = 9000, SENSOCK_ERROR_CATALOG);
  ONE(q[0].name = LONG, SENSOCK_ERROR_NAME);
  ONE((void)0, SENSOCK_ERROR_NONE);
}

/* Every size below what is needed is refused, at every alignment, and nothing before or behind it is touched. */
static void memories(void) {
  sensock_config c = good();
  size_t needed = sensock_size(&c);
  CHECK(needed > 1024 && needed <= SENSOCK_MEMORY(1024, 256, 3));
  for (size_t skip = 0; skip < 9; skip++) {
    for (size_t length = 0; length <= needed; length += length + 64 < needed ? 37 : 1) {
      size_t all = skip + length + 32;
      uint8_t *memory = malloc(all);
      memset(memory, 0xa5, all);
      sensock_device *device = NULL;
      sensock_error error = sensock_init(memory + skip, length, &c, 0, &device);
      CHECK(error == (device ? SENSOCK_ERROR_NONE : SENSOCK_ERROR_MEMORY));
      CHECK(length < needed || device);
      if (device) {
        sensock_reading reading = sensock_real(1, 20.5f);
        SAYS(sensock_record(device, 1, SENSOCK_LANE_READINGS, &reading, 1), SENSOCK_ERROR_NONE);
      }
      for (size_t at = 0; at < skip; at++) CHECK(memory[at] == 0xa5);
      for (size_t at = skip + length; at < all; at++) CHECK(memory[at] == 0xa5);
      free(memory);
    }
  }
  sensock_device *device;
  SAYS(sensock_init(NULL, 9999, &c, 0, &device), SENSOCK_ERROR_NULL);
  static uint64_t memory[1024];
  SAYS(sensock_init(memory, sizeof memory, &c, 0, NULL), SENSOCK_ERROR_NULL);
}

static void calls(sensock_device *device, sensock_error error) {
  sensock_reading reading = sensock_integer(2, 1);
  sensock_value value = sensock_number(1);
  sensock_event event;
  sensock_status status;
  uint8_t bytes[SENSOCK_CARRY_BYTES] = {0};
  const uint8_t *due;
  size_t n;
  char text[64];
  SAYS(sensock_record(device, 0, SENSOCK_LANE_READINGS, &reading, 1), error);
  SAYS(sensock_policy(device, SENSOCK_LANE_READINGS, SENSOCK_POLICY_REFUSE, 0), error);
  SAYS(sensock_connected(device, 0), error);
  SAYS(sensock_lost(device, 0), error);
  SAYS(sensock_receive(device, 0, bytes, 1, &n), error);
  SAYS(sensock_transmit(device, 0, &due, &n), error);
  SAYS(sensock_transmitted(device, 0), error);
  SAYS(sensock_poll(device, 0, &event), error);
  SAYS(sensock_reply(device, 1, &value, 1), error);
  SAYS(sensock_refuse(device, 1, 16), error);
  SAYS(sensock_refuse_setting(device, 1, 16), error);
  SAYS(sensock_ask(device, 0, 1, &value, 1, 1000, NULL), error);
  SAYS(sensock_carry(device, false, bytes), error);
  SAYS(sensock_kept(device), error);
  SAYS(sensock_sleep(device, 0, 1000, true), error);
  SAYS(sensock_close(device), error);
  SAYS(sensock_status_of(device, &status), error);
  SAYS(sensock_status_text(device, text, sizeof text), error);
  CHECK(sensock_wait_ms(device, 0) == SENSOCK_FOREVER);
  CHECK(sensock_backoff_ms(device, 0, 0) > 0);
  CHECK(!sensock_is_settled(device) && !sensock_is_drained(device));
}

static void wrong_order(void) {
  static uint64_t memory[1024];
  sensock_config c = good();
  sensock_device *device;
  sensock_event event;
  const uint8_t *due;
  size_t n;
  SAYS(sensock_init(memory, sizeof memory, &c, 0, &device), SENSOCK_ERROR_NONE);
  sensock_reading two[17];
  for (int i = 0; i < 17; i++) two[i] = sensock_integer(2, i);
  SAYS(sensock_record(device, 0, 2, NULL, 1), SENSOCK_ERROR_NULL);
  SAYS(sensock_record(device, 0, 2, two, 0), SENSOCK_ERROR_READINGS);
  SAYS(sensock_record(device, 0, 2, two, 2), SENSOCK_ERROR_READINGS);
  SAYS(sensock_record(device, 0, 2, two, 17), SENSOCK_ERROR_READINGS);
  SAYS(sensock_record(device, 0, 3, two, 1), SENSOCK_ERROR_NUMBER);
  two[0].kind = 4;
  SAYS(sensock_record(device, 0, 2, two, 1), SENSOCK_ERROR_NUMBER);
  two[0] = sensock_integer(3, 1);
  SAYS(sensock_record(device, 0, 2, two, 1), SENSOCK_ERROR_UNLISTED);
  SAYS(sensock_policy(device, 2, 9, 0), SENSOCK_ERROR_NUMBER);
  SAYS(sensock_policy(device, 0, SENSOCK_POLICY_KEEP_LATEST, 0), SENSOCK_ERROR_NUMBER);
  SAYS(sensock_receive(device, 0, (const uint8_t *)"x", 1, &n), SENSOCK_ERROR_STATE);
  SAYS(sensock_transmitted(device, 1), SENSOCK_ERROR_SIZE);
  SAYS(sensock_sleep(device, 0, 1, false), SENSOCK_ERROR_STATE);
  SAYS(sensock_refuse(device, 7, 16), SENSOCK_ERROR_UNLISTED);
  SAYS(sensock_refuse_setting(device, 7, 16), SENSOCK_ERROR_STATE);
  SAYS(sensock_connected(device, 0), SENSOCK_ERROR_NONE);
  SAYS(sensock_transmit(device, 0, NULL, &n), SENSOCK_ERROR_NULL);
  SAYS(sensock_transmit(device, 0, &due, &n), SENSOCK_ERROR_NONE);
  CHECK(n > 4 && memcmp(due, "\xf5snk", 4) == 0);
  SAYS(sensock_transmitted(device, n + 1), SENSOCK_ERROR_SIZE);
  SAYS(sensock_poll(device, 0, NULL), SENSOCK_ERROR_NULL);
  /* A server that is none. */
  SAYS(sensock_receive(device, 0, (const uint8_t *)"HTTP/1.1", 8, &n), SENSOCK_ERROR_NONE);
  SAYS(sensock_poll(device, 0, &event), SENSOCK_ERROR_NONE);
  CHECK(event.kind == SENSOCK_EVENT_ENDED && strstr(event.text, "does not speak sensock"));
  SAYS(sensock_poll(device, 0, &event), SENSOCK_ERROR_NONE);
  CHECK(event.kind == SENSOCK_EVENT_NONE);
  /* A server that says nothing: the handshake takes too long. */
  SAYS(sensock_connected(device, 1000), SENSOCK_ERROR_NONE);
  SAYS(sensock_transmit(device, 1000, &due, &n), SENSOCK_ERROR_NONE);
  SAYS(sensock_transmitted(device, n), SENSOCK_ERROR_NONE);
  uint32_t wait = sensock_wait_ms(device, 1000);
  CHECK(wait > 0 && wait <= 10000);
  SAYS(sensock_poll(device, 1000 + wait, &event), SENSOCK_ERROR_NONE);
  CHECK(event.kind == SENSOCK_EVENT_ENDED && strstr(event.text, "handshake"));
  char text[64];
  SAYS(sensock_status_text(device, text, sizeof text), SENSOCK_ERROR_NONE);
  CHECK(strcmp(text, "stored 0, waiting 0, link down: the handshake took too long") == 0);
  /* Without a session nobody can be told of a sleep, and nothing changes. A damaged carry is no carry. */
  uint8_t carry[SENSOCK_CARRY_BYTES];
  SAYS(sensock_carry(device, false, carry), SENSOCK_ERROR_NONE);
  SAYS(sensock_sleep(device, 99999, 1, true), SENSOCK_ERROR_STATE);
  two[0] = sensock_integer(2, 1);
  SAYS(sensock_record(device, 99999, 2, two, 1), SENSOCK_ERROR_NONE);
  for (int bad = 0; bad < 2; bad++) {
    sensock_status status;
    carry[40] ^= (uint8_t)bad;
    c.carry = carry;
    SAYS(sensock_init(memory, sizeof memory, &c, 0, &device), SENSOCK_ERROR_NONE);
    SAYS(sensock_status_of(device, &status), SENSOCK_ERROR_NONE);
    CHECK(status.woke == !bad);
  }
  /* A boot that goes on, and the same as it ends: only then are its last positions known, and no record is taken any more. */
  uint8_t on[SENSOCK_CARRY_BYTES], over[SENSOCK_CARRY_BYTES];
  c.carry = NULL;
  c.boot = 7;
  SAYS(sensock_init(memory, sizeof memory, &c, 0, &device), SENSOCK_ERROR_NONE);
  SAYS(sensock_record(device, 1, 2, two, 1), SENSOCK_ERROR_NONE);
  SAYS(sensock_carry(device, false, on), SENSOCK_ERROR_NONE);
  SAYS(sensock_record(device, 2, 2, two, 1), SENSOCK_ERROR_NONE);
  SAYS(sensock_carry(device, true, over), SENSOCK_ERROR_NONE);
  CHECK(memcmp(on, over, sizeof on) != 0);
  SAYS(sensock_record(device, 3, 2, two, 1), SENSOCK_ERROR_STATE);
}

/* Without random bytes there is no connection; with some, Hello cannot be read; what cannot be opened ends the connection. */
static void sealed(void) {
  static uint64_t memory[1024];
  sensock_config c = good();
  c.security = SENSOCK_SEALED;
  c.key = KEY;
  c.random = never;
  sensock_device *device;
  sensock_event event;
  const uint8_t *due;
  size_t n;
  SAYS(sensock_init(memory, sizeof memory, &c, 0, &device), SENSOCK_ERROR_NONE);
  SAYS(sensock_connected(device, 0), SENSOCK_ERROR_NO_RANDOM);
  SAYS(sensock_transmit(device, 0, &due, &n), SENSOCK_ERROR_NONE);
  CHECK(n == 0);
  c.random = counting;
  CHECK(sensock_size(&c) <= SENSOCK_MEMORY(1024, 256, 3));
  SAYS(sensock_init(memory, sizeof memory, &c, 0, &device), SENSOCK_ERROR_NONE);
  SAYS(sensock_connected(device, 0), SENSOCK_ERROR_NONE);
  SAYS(sensock_transmit(device, 0, &due, &n), SENSOCK_ERROR_NONE);
  /* The preface, a length of one or two bytes, kind, suite, and the key's id. */
  size_t head = due[4] < 0x80 ? 5 : 6;
  CHECK(n > 62 && memcmp(due + head, "\x18\x01\x01\x02\x03\x04\x05\x06\x07\x08", 10) == 0);
  for (size_t at = 0; at + 7 <= n; at++) CHECK(memcmp(due + at, "misused", 7) != 0);
  SAYS(sensock_transmitted(device, n), SENSOCK_ERROR_NONE);
  /* The preface, and 60 bytes that begin as an answer does. */
  uint8_t answer[4 + 1 + 60] = {0xf5, 's', 'n', 'k', 60, 0x18};
  SAYS(sensock_receive(device, 0, answer, sizeof answer, &n), SENSOCK_ERROR_NONE);
  SAYS(sensock_poll(device, 0, &event), SENSOCK_ERROR_NONE);
  CHECK(event.kind == SENSOCK_EVENT_ENDED && strstr(event.text, "cannot be opened"));
}

/* Bytes at random, whole connections of them, through every call. */
static void garbage(uint32_t seed, bool secure) {
  static uint64_t memory[1024];
  sensock_config c = good();
  sensock_device *device;
  uint32_t now = 0;
  if (secure) {
    c.security = SENSOCK_SEALED;
    c.key = KEY;
    c.random = counting;
  }
  SAYS(sensock_init(memory, sizeof memory, &c, now, &device), SENSOCK_ERROR_NONE);
  for (int i = 0; i < (secure ? 2000 : 20000); i++) {
    uint8_t bytes[96] = {0xf5, 's', 'n', 'k', 60, 2};
    sensock_reading reading = sensock_integer(2, i);
    sensock_event event;
    const uint8_t *due;
    size_t n;
    seed = seed * 1664525u + 1013904223u;
    now += seed >> 24;
    for (size_t at = i % 3 ? 0 : 6; at < sizeof bytes; at++) bytes[at] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
    switch (seed >> 28) {
      case 0: CHECK(sensock_lost(device, now) == 0); break;
      case 1: case 2: case 3: CHECK(sensock_connected(device, now) == 0); break;
      case 4: sensock_sleep(device, now, seed & 1023, false); break;
      case 5: sensock_record(device, now, seed >> 8 & 3, &reading, 1); break;
      case 6: sensock_refuse(device, seed >> 8 & 7, 16); break;
      case 7: sensock_close(device); break;
      default: sensock_receive(device, now, bytes, sizeof bytes, &n);
    }
    CHECK(sensock_transmit(device, now, &due, &n) == 0);
    CHECK(sensock_transmitted(device, n > 3 ? n - 3 : n) == 0);
    CHECK(sensock_poll(device, now, &event) == 0);
    CHECK(event.kind <= SENSOCK_EVENT_ENDED && event.count <= SENSOCK_VALUES && strlen(event.text) <= 160);
    sensock_wait_ms(device, now);
  }
}

int main(void) {
  static uint64_t nothing[1024];
  CHECK(strlen(sensock_version()) > 4);
  configurations();
  memories();
  calls(NULL, SENSOCK_ERROR_NULL);
  calls((sensock_device *)nothing, SENSOCK_ERROR_DEVICE);
  calls((sensock_device *)((uint8_t *)nothing + 1), SENSOCK_ERROR_NULL);
  wrong_order();
  sealed();
  for (uint32_t seed = 1; seed < 9; seed++) garbage(seed, false);
  garbage(9, true);
  puts("every mistake is a code");
  return 0;
}
