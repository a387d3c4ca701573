// Wakes every five minutes, measures, tells the server, and sleeps again. Connect D0 to RST, or it never wakes.
//
// The server knows until when the board sleeps, keeps commands and settings for it, and delivers them at the next wake.
#include <ESP8266WiFi.h>
#include <Sensock.h>

// The key of this board: on the server `sensockd keys add gate-1` prints the line, which goes between the quotes.
#ifndef KEY
#define KEY ""
#endif
static_assert(sizeof KEY > 1, "paste the key of this board above: `sensockd keys add gate-1` prints it");

enum { BATTERY = 1 };  // a quantity
enum { VALVE = 1 };    // a command: it runs at most once, though every wake is a reset

const SensockQuantity QUANTITIES[] = {{BATTERY, "battery", "V", -3}};
const SensockCommand COMMANDS[] = {{VALVE, "valve", false, {SENSOCK_TYPE_BOOL}, {SENSOCK_TYPE_BOOL}}};

SensockDevice<1024> device;
WiFiClient link_;

void onCommand(SensockCall &call) {
  digitalWrite(D1, call.number);
  call.done(call.number != 0);
}

void setup() {
  Serial.begin(115200);
  pinMode(D1, OUTPUT);
  WiFi.begin("ssid", "password");
  device.obeys(COMMANDS, onCommand);
  device.keepsInRtc();
  device.key(KEY);
  if (!device.begin(link_, "192.168.1.10", 7070, "gate-1", QUANTITIES)) Serial.println(device.lastError());
  device.record(BATTERY, analogRead(A0) * 4.2 / 1024);
  device.deepSleep(300);  // returns on no board: it wakes in setup()
}

void loop() {}
