// A DHT22 on D2 is read every ten seconds; a relay on D1 obeys the server. Both go on, and lose nothing, while the Wi-Fi is away.
//
// Needs "DHT sensor library" by Adafruit. On the server: sensockd run --keys keys.txt --store sqlite:plants.sqlite --listen 0.0.0.0:7070
#include <DHT.h>
#include <ESP8266WiFi.h>
#include <Sensock.h>

// The key of this board: on the server `sensockd keys add cellar-3` prints the line, which goes between the quotes.
#ifndef KEY
#define KEY ""
#endif
static_assert(sizeof KEY > 1, "paste the key of this board above: `sensockd keys add cellar-3` prints it");

enum { TEMPERATURE = 1, HUMIDITY = 2 };  // quantities
enum { RELAY = 1 };                      // a command
enum { INTERVAL = 1 };                   // a setting

const SensockQuantity QUANTITIES[] = {{TEMPERATURE, "temperature", "Cel", -2}, {HUMIDITY, "humidity", "%RH", -1}};
const SensockCommand COMMANDS[] = {{RELAY, "relay", false, {SENSOCK_TYPE_BOOL}, {SENSOCK_TYPE_BOOL}}};
const SensockSetting SETTINGS[] = {{INTERVAL, "interval-s", {SENSOCK_TYPE_U32}}};

SensockDevice<4096> device;  // 4 KiB of readings survive the Wi-Fi
WiFiClient link_;
DHT sensor(D2, DHT22);
uint32_t every = 10000, last = 0;

void measure() { device.record(TEMPERATURE, sensor.readTemperature(), HUMIDITY, sensor.readHumidity()); }

void onCommand(SensockCall &call) {
  digitalWrite(D1, call.number);  // RELAY is the only one
  call.done(call.number != 0);
}

void onSetting(SensockCall &call) {
  if (call.number < 1) return call.refuse();
  every = call.number * 1000UL;
}

void setup() {
  Serial.begin(115200);
  pinMode(D1, OUTPUT);
  sensor.begin();
  WiFi.begin("ssid", "password");
  device.obeys(COMMANDS, onCommand);
  device.applies(SETTINGS, onSetting);
  device.readsNow(measure);
  device.key(KEY);
  if (!device.begin(link_, "192.168.1.10", 7070, "cellar-3", QUANTITIES)) Serial.println(device.lastError());
  last = millis() - every;
}

void loop() {
  device.loop();
  if (millis() - last < every) return;
  last = millis();
  measure();
  Serial.println(device.status());  // "stored 118, waiting 3, link up"
}
