// What the sketches use of the Arduino API, on a host: time is real, pins and the console are lines on standard output.
#ifndef STUB_ARDUINO_H
#define STUB_ARDUINO_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t byte;
enum { D0 = 16, D1 = 5, D2 = 4, A0 = 17 };
enum { INPUT = 0, OUTPUT = 1 };

uint32_t millis();
void delay(uint32_t ms);
void pinMode(int pin, int mode);
void digitalWrite(int pin, int value);
int analogRead(int pin);

struct StubSerial {
  void begin(unsigned long) {}
  void println(const char *line);
};
extern StubSerial Serial;

// RTC memory is a file that $STUB_RTC names; a deep sleep ends the program.
struct StubEsp {
  bool rtcUserMemoryRead(uint32_t block, uint32_t *data, size_t size);
  bool rtcUserMemoryWrite(uint32_t block, uint32_t *data, size_t size);
  void deepSleep(uint64_t us);
  uint32_t getChipId() { return 0x00c0ffee; }
  uint8_t *random(uint8_t *bytes, size_t size) const;
};
extern StubEsp ESP;

void setup();
void loop();

#endif
