/* A sensor node in C: it counts, measures, obeys one command and one setting, and lives through cuts. The same file runs on a host and on
 * the ESP8266's core; what differs is the port. */

#include "port.h"
#include "sensock.h"

/* What the device says of itself. */
enum { COUNT = 1, TEMPERATURE = 2 };
enum { LED = 1 };
enum { INTERVAL = 1 };
static const sensock_quantity QUANTITIES[] = {
    {COUNT, "count", "", 0, 0, 0, 0},
    {TEMPERATURE, "temperature", "Cel", -2, -4000, 8500, 0},
};
static const sensock_command COMMANDS[] = {{LED, "led", false, {SENSOCK_TYPE_BOOL}, {SENSOCK_TYPE_BOOL}}};
static const sensock_setting SETTINGS[] = {{INTERVAL, "interval", {SENSOCK_TYPE_U32}}};

#ifndef DEVICE_ID
#define DEVICE_ID "c-node"
#endif
#if !defined(DEVICE_KEY) && !defined(INSECURE)
#error "which key has the device? -DDEVICE_KEY='\"snk1...\"', the line that sensockd keys add printed; or -DINSECURE, in plain text and without proof"
#endif
#ifndef RECORDS
#define RECORDS 5000
#endif
#define OUTBOX 4096

static uint64_t memory[(SENSOCK_MEMORY(OUTBOX, 256, 4) + 7) / 8];
static sensock_device *device;
static uint32_t recorded, interval = 1, last;
static int told;

static char *decimal(char *at, uint32_t n) {
  char digits[10];
  int i = 0;
  do {
    digits[i++] = (char)('0' + n % 10);
    n /= 10;
  } while (n > 0);
  while (i > 0) *at++ = digits[--i];
  *at = 0;
  return at;
}

static void say(const char *what, uint32_t n) {
  char line[64], *at = line;
  while (*what) *at++ = *what++;
  decimal(at, n);
  port_print(line);
}

/* A program that is wrong says so and ends. */
static void must(sensock_error error) {
  if (error != SENSOCK_ERROR_NONE) {
    port_print(sensock_error_text(error));
    port_exit(1);
  }
}

/* Takes a reading when one is due. This one is told to lose nothing: if the outbox is full it measures later. */
static void sample(void) {
  uint32_t now = port_millis();
  if (recorded == RECORDS || now - last < interval) return;
  last = now;
  const sensock_reading readings[] = {
      sensock_integer(COUNT, (int32_t)recorded),
      /* 20.00 to 24.99, already multiplied by the scale: many chips have no floats. */
      {TEMPERATURE, SENSOCK_KIND_SCALED, (int32_t)(2000 + recorded % 500), 0},
  };
  sensock_error error = sensock_record(device, now, SENSOCK_LANE_READINGS, readings, 2);
  if (error == SENSOCK_ERROR_FULL) return;
  must(error);
  if (++recorded % 500 == 0) say("recorded ", recorded);
}

/* Acts on an event. Whether the connection goes on. */
static int act(const sensock_event *event) {
  sensock_value answer;
  switch (event->kind) {
    case SENSOCK_EVENT_CONNECTED: port_print("connected"); break;
    case SENSOCK_EVENT_COMMAND:
      /* The only one that is listed: it answers with the state that the LED now has. */
      say("led ", (uint32_t)event->values[0].integer);
      answer = sensock_number(event->values[0].integer);
      must(sensock_reply(device, event->id, &answer, 1));
      break;
    case SENSOCK_EVENT_SETTING:
      interval = (uint32_t)event->values[0].integer;
      say("interval ", interval);
      break;
    case SENSOCK_EVENT_REFUSED:
    case SENSOCK_EVENT_ENDED:
      port_print(event->text);
      return 0;
  }
  return 1;
}

/* Gives received bytes to the device, and acts on what they bring. Whether the connection goes on. */
static int take(const uint8_t *bytes, size_t length) {
  sensock_event event;
  for (;;) {
    size_t used = 0;
    if (length > 0) {
      if (sensock_receive(device, port_millis(), bytes, length, &used) != SENSOCK_ERROR_NONE) return 0;
      bytes += used;
      length -= used;
    }
    do {
      must(sensock_poll(device, port_millis(), &event));
      if (!act(&event)) return 0;
    } while (event.kind != SENSOCK_EVENT_NONE);
    if (length == 0) return 1;
  }
}

/* One connection, until it ends. */
static void connection(void) {
  must(sensock_connected(device, port_millis()));
  for (;;) {
    uint8_t chunk[64];
    const uint8_t *due;
    size_t length;
    sample();
    int came = port_read(chunk, sizeof chunk);
    if (came < 0 || !take(chunk, (size_t)came)) break;
    must(sensock_transmit(device, port_millis(), &due, &length));
    int written = length > 0 ? port_write(due, length) : 0;
    if (written < 0) break;
    must(sensock_transmitted(device, (size_t)written));
    if (came == 0 && written == 0) {
      uint32_t wait = sensock_wait_ms(device, port_millis());
      port_wait(wait < interval ? wait : interval);
    }
    if (!told && recorded == RECORDS && sensock_is_settled(device)) {
      told = 1;
      port_print("everything is stored");
    }
  }
  port_close();
  must(sensock_lost(device, port_millis()));
}

int node(void) {
  const sensock_config config = {
      .abi = SENSOCK_ABI,
#ifdef DEVICE_KEY
      .security = SENSOCK_SEALED,
      .key = DEVICE_KEY,
      .random = port_random,
#else
      .security = SENSOCK_INSECURE,
#endif
      .id = DEVICE_ID,
      .firmware = "c-node 1.0",
      .quantities = QUANTITIES,
      .quantity_count = 2,
      .commands = COMMANDS,
      .command_count = 1,
      .settings = SETTINGS,
      .setting_count = 1,
      .outbox_bytes = OUTBOX,
      .boot = 1,
  };
  say("bytes of memory: ", (uint32_t)sensock_size(&config));
  must(sensock_init(memory, sizeof memory, &config, port_millis(), &device));
  must(sensock_policy(device, SENSOCK_LANE_READINGS, SENSOCK_POLICY_REFUSE, 0));
  for (;;) {
    if (port_dial() == 0) connection();
    uint32_t from = port_millis(), wait = sensock_backoff_ms(device, from, 0);
    /* A test has no minute to wait. */
    if (wait > 300) wait = 300;
    while (port_millis() - from < wait) {
      sample();
      port_wait(1);
    }
  }
}
