/* The port for the ESP8266's core in QEMU: the connection is a serial line to a modem, the console is QEMU's semihosting.
 *
 * The modem (a program beside QEMU) speaks the simplest protocol that there could be. The byte ESC begins a word of two bytes; all other
 * bytes are data. Words of the device: ESC 'D' dial, ESC 'H' hang up. Words of the modem: ESC 'C' connected, ESC 'F' nobody answers,
 * ESC 'N' the connection is gone. ESC ESC is a data byte ESC. A line that is slow or garbled is not modelled: QEMU's is neither. */

#include "port.h"

#define ESC 0x10

uint32_t lx106_cycles(void);
uint32_t lx106_simcall(uint32_t number, uint32_t a, uint32_t b, uint32_t c);
void lx106_sleep_at_most(uint32_t cycles, uint32_t interrupts);
void program(void);
void fault(uint32_t cause, uint32_t at, uint32_t address);

/* Registers of QEMU's board: its frequency, and a 16550 whose registers are 4 bytes apart. */
#define BOARD 0x7d000000u
#define FREQUENCY (BOARD + 0x20004u)
#define UART (BOARD + 0x50020u)
enum { DATA = 0, INTERRUPTS = 1, FIFO = 2, LINE = 3, STATE = 5 };

static volatile uint32_t *at(uint32_t address) { return (volatile uint32_t *)address; }
static volatile uint32_t *uart(int which) { return at(UART + 4u * (uint32_t)which); }

static int escaped, lost;
static uint32_t cycles_per_ms;

uint32_t port_millis(void) {
  static uint32_t last, rest, ms;
  uint32_t now = lx106_cycles(), passed = now - last + rest;
  last = now;
  ms += passed / cycles_per_ms;
  rest = passed % cycles_per_ms;
  return ms;
}

static int came(void) { return (*uart(STATE) & 1) != 0; }
static int may_send(void) { return (*uart(STATE) & 0x20) != 0; }

static void send(uint8_t byte) {
  while (!may_send()) {
  }
  *uart(DATA) = byte;
}

static void word(uint8_t which) {
  send(ESC);
  send(which);
}

/* For QEMU only: the random numbers of the computer that it runs on. The chip has a generator at 0x3FF20E44, good while the radio is on. */
bool port_random(uint8_t *bytes, size_t length) {
  uint32_t file = lx106_simcall(5, (uint32_t)(uintptr_t) "/dev/urandom", 0, 0);
  if ((int32_t)file <= 0) return false;
  uint32_t n = lx106_simcall(3, file, (uint32_t)(uintptr_t)bytes, length);
  lx106_simcall(6, file, 0, 0);
  return n == length;
}

int port_dial(void) {
  word('D');
  for (escaped = 0;;) {
    if (!came()) {
      lx106_sleep_at_most(cycles_per_ms, 0);
      continue;
    }
    uint8_t byte = (uint8_t)*uart(DATA);
    if (!escaped) {
      escaped = byte == ESC;
      continue;
    }
    escaped = 0;
    /* 'N' and data are of the connection before. */
    if (byte == 'F') return -1;
    if (byte == 'C') return lost = 0;
  }
}

int port_read(uint8_t *bytes, size_t room) {
  size_t n = 0;
  while (n < room && !lost && came()) {
    uint8_t byte = (uint8_t)*uart(DATA);
    if (!escaped && byte == ESC) {
      escaped = 1;
    } else if (escaped && byte == 'N') {
      lost = 1;
    } else {
      escaped = 0;
      bytes[n++] = byte;
    }
  }
  return n > 0 ? (int)n : lost ? -1 : 0;
}

int port_write(const uint8_t *bytes, size_t length) {
  size_t n = 0;
  if (lost) return -1;
  while (n < length && n < 16 && may_send()) {
    if (bytes[n] == ESC) send(ESC);
    send(bytes[n++]);
  }
  return (int)n;
}

void port_close(void) { word('H'); }

void port_wait(uint32_t ms) {
  if (ms > 0 && !came()) lx106_sleep_at_most(cycles_per_ms, 0);
}

void port_print(const char *line) {
  uint32_t length = 0;
  while (line[length] != 0) length++;
  lx106_simcall(4, 1, (uint32_t)(uintptr_t)line, length);
  lx106_simcall(4, 1, (uint32_t)(uintptr_t) "\n", 1);
}

void port_exit(int code) {
  for (;;) lx106_simcall(1, (uint32_t)code, 0, 0);
}

void fault(uint32_t cause, uint32_t place, uint32_t address) {
  (void)cause, (void)place, (void)address;
  port_print("an exception of the processor");
  port_exit(102);
}

void program(void) {
  cycles_per_ms = *at(FREQUENCY) / 1000;
  *uart(INTERRUPTS) = 0;
  *uart(LINE) = 3;
  *uart(FIFO) = 1;
  port_exit(node());
}
