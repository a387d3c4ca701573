// Sensor sockets for Arduino on the ESP8266: readings are stored once, commands run at most once, whatever the Wi-Fi does in between.
//
// This class moves bytes between a client and the library, and calls your functions. All else is behind abi/sensock.h.
#ifndef SENSOCK_ARDUINO_H
#define SENSOCK_ARDUINO_H

#include <Arduino.h>
#include <Client.h>

#include "abi/sensock.h"

// What the device measures, obeys and applies: lists of these, which must be global.
typedef sensock_quantity SensockQuantity;  // {id, name, unit, decimals as a power of ten: -2}
typedef sensock_command SensockCommand;    // {key, name, may run twice, {types of its request}, {types of its answer}}
typedef sensock_setting SensockSetting;    // {key, name, {types of its value}}

// A command or a setting in your function's hands.
class SensockCall {
 public:
  uint16_t key;       // which
  int32_t number;     // its first value as a whole number
  float real;         // and as a float
  const char *text;   // and as a text, if it is one; "" otherwise

  // Its value at this place, from 0 on; none has the type SENSOCK_TYPE_NONE.
  const sensock_value &value(uint8_t at) const;

  // Answers a command: with nothing, or with one value. A setting needs no answer.
  void done();
  void done(int32_t answer);
  void done(bool answer) { done((int32_t)answer); }
  void done(float answer);
  // Refuses a command or a setting with a code of yours, 16 to 255. A command that is neither answered nor refused is refused.
  void refuse(uint8_t code = 16);

 private:
  friend class SensockBase;
  SensockCall(sensock_device *device, const sensock_event &event);
  ~SensockCall();
  void reply(const sensock_value *values, size_t count);
  sensock_device *device_;
  const sensock_event &event_;
  bool open_;
  char copy_[49];
};

typedef void (*SensockHandler)(SensockCall &call);

// Everything but the memory; use SensockDevice.
class SensockBase {
 public:
  // Before begin, this or insecure(): the key of this device, the line that `sensockd keys add` printed on the server. A handshake with it
  // takes the chip about 0.2 s, and the same once more when it waits to dial again.
  void key(const char *line) {
    config_.security = SENSOCK_SEALED;
    config_.key = line;
  }

  // Before begin, instead of key(): nothing is encrypted, and the server believes the id if it is told to (--insecure).
  void insecure() {
    config_.security = SENSOCK_INSECURE;
    config_.key = nullptr;
  }

  // Before begin: which commands it obeys, and the function that is called for each.
  template <size_t N>
  void obeys(const SensockCommand (&commands)[N], SensockHandler handler) {
    config_.commands = commands;
    config_.command_count = N;
    command_ = handler;
  }

  // Before begin: which settings it applies, and the function that is called for each new value.
  template <size_t N>
  void applies(const SensockSetting (&settings)[N], SensockHandler handler) {
    config_.settings = settings;
    config_.setting_count = N;
    setting_ = handler;
  }

  // Before begin: the function that is called when the server wants a reading now. It should record one.
  void readsNow(void (*handler)()) { readNow_ = handler; }

  // Before begin: what a deep sleep keeps goes to RTC memory, from this block of 4 bytes on; it takes 24 blocks. The first 32 are lost
  // when a sketch is loaded over the air.
  void keepsInRtc(uint32_t block = 32);

  // Starts the device. Returns false if something is wrong with the key, the lists or the memory: lastError() says what.
  template <size_t N>
  bool begin(Client &client, const char *host, uint16_t port, const char *id, const SensockQuantity (&quantities)[N],
             const char *firmware = "sketch") {
    config_.quantities = quantities;
    config_.quantity_count = N;
    return start(client, host, port, id, firmware);
  }

  // Call it in each loop(): dials, moves bytes, calls your functions. Takes some milliseconds; a dial that nobody answers takes as long as
  // the client's timeout.
  void loop();

  // Records one instant: record(TEMPERATURE, 23.4, HUMIDITY, 41). Never waits; what the Wi-Fi cannot take now waits in memory. A value
  // that is not a number is recorded as a fault.
  template <typename... Readings>
  bool record(Readings... readings) {
    return put(SENSOCK_LANE_READINGS, readings...);
  }

  // Records what must overtake everything else.
  template <typename... Readings>
  bool alarm(Readings... readings) {
    return put(SENSOCK_LANE_ALARM, readings...);
  }

  // Sends what waits, tells the server for how long it will hear nothing, and sleeps: the board resets when it wakes. If that cannot be
  // done within so many ms it sleeps all the same, and records that are not stored then are lost; the server learns how many.
  void deepSleep(uint32_t seconds, uint32_t awakeAtMost = 10000);

  bool connected() const { return live_; }
  // "stored 118, waiting 3, link up"
  const char *status();
  // What the server, or the library, said when the last connection ended.
  const char *said() const { return said_; }
  const char *lastError() const { return sensock_error_text(error_); }
  // All that the C functions can do.
  sensock_device *handle() { return device_; }

 protected:
  SensockBase(void *memory, size_t length, size_t outbox);

 private:
  bool start(Client &client, const char *host, uint16_t port, const char *id, const char *firmware);
  bool putAll(uint8_t lane, const sensock_reading *readings, size_t count);
  bool dial();
  void hangUp();
  bool receive();
  bool send();
  bool tell();
  void keep(bool endsBoot);

  static void fill(sensock_reading *) {}
  template <typename T, typename... Rest>
  static void fill(sensock_reading *at, int id, T value, Rest... rest) {
    *at = reading((uint16_t)id, value);
    fill(at + 1, rest...);
  }
  static sensock_reading reading(uint16_t id, float value) { return sensock_real(id, value); }
  static sensock_reading reading(uint16_t id, double value) { return sensock_real(id, (float)value); }
  static sensock_reading reading(uint16_t id, long value) { return sensock_integer(id, (int32_t)value); }
  static sensock_reading reading(uint16_t id, int value) { return sensock_integer(id, value); }
  static sensock_reading reading(uint16_t id, unsigned value) { return sensock_integer(id, (int32_t)value); }
  static sensock_reading reading(uint16_t id, bool value) { return sensock_integer(id, value); }

  template <typename... Readings>
  bool put(uint8_t lane, Readings... readings) {
    static_assert(sizeof...(readings) % 2 == 0, "say id, value, id, value");
    static_assert(sizeof...(readings) <= 32, "a record holds 16 readings at most");
    sensock_reading all[sizeof...(readings) / 2 + 1];
    fill(all, readings...);
    return putAll(lane, all, sizeof...(readings) / 2);
  }

  sensock_config config_;
  void *memory_;
  size_t length_;
  sensock_device *device_;
  Client *client_;
  const char *host_;
  uint16_t port_;
  SensockHandler command_, setting_;
  void (*readNow_)();
  uint32_t dialAt_;
  int32_t rtc_;  // -1: nothing is kept
  sensock_error error_;
  bool open_, live_, slept_;
  char status_[96];
  char said_[161];
};

// A device with room for records: SensockDevice<4096> keeps some 400 records of two readings over a lost Wi-Fi. Its lists have 16 entries
// together, or as many as the second number says.
template <size_t OUTBOX, size_t ENTRIES = 16>
class SensockDevice : public SensockBase {
 public:
  SensockDevice() : SensockBase(room_, sizeof room_, OUTBOX) {}

 private:
  alignas(8) uint8_t room_[SENSOCK_MEMORY(OUTBOX, 256, ENTRIES)];
};

#endif
