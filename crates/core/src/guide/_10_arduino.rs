//! Page 10: Arduino, in six steps to the first stored reading.
//!
//! For an ESP8266 (NodeMCU, Wemos D1 mini) and the Arduino IDE. Nothing of this was run on silicon or in the IDE: the library's class and its
//! sketches run on a host against the real server, its machine code on the chip's core in QEMU, linked by rules like those of the ESP8266 core.
//!
//! **1. Build the library** on a computer with Rust, from this project's folder (or take the archive from a release):
//! ```text
//! cargo xtask arduino
//! ```
//! It names what is missing, and writes `target/arduino/sensock-arduino-VERSION.zip`.
//!
//! **2. Add it to the IDE**: *Sketch > Include Library > Add .ZIP Library*. The board package is *esp8266* by ESP8266 Community.
//!
//! **3. Make the board's key, and start a server** on a computer in the same network. Note the line that begins with `snk1`, and that computer's
//! address:
//! ```text
//! cargo run --release --package example-server -- keys add attic-1 --keys keys.txt
//! cargo run --release --package example-server -- run --keys keys.txt --store sqlite:plants.sqlite --listen 0.0.0.0:7070
//! ```
//!
//! **4. Write the sketch.** Four things are yours: the Wi-Fi, the server's address, the device's id, and its key, which goes between the quotes.
//! ```cpp
//! #include <ESP8266WiFi.h>
//! #include <Sensock.h>
//!
//! #ifndef KEY
//! #define KEY ""
//! #endif
//! static_assert(sizeof KEY > 1, "paste the key of this board above");
//!
//! enum { LIGHT = 1 };
//! const SensockQuantity QUANTITIES[] = {{LIGHT, "light", "%"}};  // id, name, unit
//! SensockDevice<4096> device;                                    // 4 KiB of readings survive the Wi-Fi
//! WiFiClient link_;
//!
//! void setup() {
//!   Serial.begin(115200);
//!   WiFi.begin("ssid", "password");
//!   device.key(KEY);
//!   if (!device.begin(link_, "192.168.1.10", 7070, "attic-1", QUANTITIES)) Serial.println(device.lastError());
//! }
//!
//! void loop() {
//!   static uint32_t last = 0;
//!   device.loop();                                               // dials, moves bytes
//!   if (millis() - last < 1000) return;
//!   last = millis();
//!   device.record(LIGHT, analogRead(A0) / 10.24);                // never waits
//!   Serial.println(device.status());
//! }
//! ```
//!
//! **5. Load it, and open the serial monitor** at 115200. It says `stored 0, waiting 1, no link yet`, and after some seconds `stored 5, waiting 1, link
//! up`. If it says `link down`, the words after that say why; the server prints its own side.
//!
//! **6. Look at the reading**, on the server's computer:
//! ```text
//! cargo run --release --package example-server -- status --store sqlite:plants.sqlite
//! ```
//! Now pull the access point's plug for a minute. `waiting` grows; plug it in again, and `sensockd export attic-1 5m..now --store sqlite:plants.sqlite`
//! has every second of it, once, with the time at which it was measured.
//!
//! # From here
//! The example `DhtAndRelay` obeys a command and applies a setting ([page 4](super::_04_commands_and_settings)); `DeepSleep` wakes, sends and sleeps
//! ([page 12](super::_12_deep_sleep)). A dial that nobody answers holds the sketch up as long as the client's timeout says
//! (`link_.setTimeout(500)`), a handshake some 0.2 s, and the next one's key pair, made after a connection was lost, as much; all else takes some
//! milliseconds. `device.insecure()` in the place of `device.key(KEY)` does without, in plain text, with a server that runs with `--insecure`. Texts in the lists must be plain literals, not `PROGMEM`: the library
//! reads single bytes, and flash gives words only. Other C programs use `sensock.h` alone: `examples/esp8266/c/node.c` is one.
