// A host that looks like a board to a sketch.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "Arduino.h"
#include "ESP8266WiFi.h"

StubSerial Serial;
StubEsp ESP;
StubWiFi WiFi;

static const char *wanted(const char *name) {
  const char *value = std::getenv(name);
  if (value == nullptr) {
    std::fprintf(stderr, "set %s\n", name);
    std::exit(2);
  }
  return value;
}

uint32_t millis() {
  using namespace std::chrono;
  static const steady_clock::time_point start = steady_clock::now();
  return (uint32_t)duration_cast<milliseconds>(steady_clock::now() - start).count();
}

void delay(uint32_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }
void pinMode(int, int) {}
int analogRead(int) { return 900; }

uint8_t *StubEsp::random(uint8_t *bytes, size_t size) const {
  std::FILE *file = std::fopen("/dev/urandom", "rb");
  size_t n = file ? std::fread(bytes, 1, size, file) : 0;
  if (file) std::fclose(file);
  return n == size ? bytes : nullptr;
}

static void print(const std::string &line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

void digitalWrite(int pin, int value) { print("pin " + std::to_string(pin) + " is " + std::to_string(value)); }
void StubSerial::println(const char *line) { print(line); }

static bool inside(uint32_t block, size_t size) { return size % 4 == 0 && block * 4 + size <= 512; }

bool StubEsp::rtcUserMemoryRead(uint32_t block, uint32_t *data, size_t size) {
  FILE *file = std::fopen(wanted("STUB_RTC"), "rb");
  bool read = file != nullptr && inside(block, size) && std::fseek(file, block * 4, SEEK_SET) == 0 && std::fread(data, 1, size, file) == size;
  if (file != nullptr) std::fclose(file);
  return read;
}

bool StubEsp::rtcUserMemoryWrite(uint32_t block, uint32_t *data, size_t size) {
  FILE *file = std::fopen(wanted("STUB_RTC"), "r+b");
  if (file == nullptr) file = std::fopen(wanted("STUB_RTC"), "w+b");
  bool written = file != nullptr && inside(block, size) && std::fseek(file, block * 4, SEEK_SET) == 0 && std::fwrite(data, 1, size, file) == size;
  if (file != nullptr) std::fclose(file);
  return written;
}

void StubEsp::deepSleep(uint64_t us) {
  print("awake for " + std::to_string(millis()) + " ms, sleeps for " + std::to_string(us / 1000000) + " s");
  std::exit(0);
}

int WiFiClient::connect(const char *, uint16_t) {
  stop();
  std::string server = wanted("STUB_SERVER");
  size_t colon = server.rfind(':');
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)std::atoi(server.c_str() + colon + 1));
  inet_pton(AF_INET, server.substr(0, colon).c_str(), &address.sin_addr);
  socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
  int one = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (::connect(socket_, (const sockaddr *)&address, sizeof address) != 0) {
    stop();
    return 0;
  }
  fcntl(socket_, F_SETFL, O_NONBLOCK);
  return 1;
}

size_t WiFiClient::write(const uint8_t *bytes, size_t length) {
  ssize_t written = ::send(socket_, bytes, length, MSG_NOSIGNAL);
  return written > 0 ? (size_t)written : 0;
}

int WiFiClient::availableForWrite() { return socket_ < 0 ? 0 : 100; }  // little, so that frames are written in parts

int WiFiClient::available() {
  int bytes = 0;
  return socket_ >= 0 && ioctl(socket_, FIONREAD, &bytes) == 0 ? bytes : 0;
}

int WiFiClient::read(uint8_t *bytes, size_t length) { return (int)::recv(socket_, bytes, length, 0); }

void WiFiClient::stop() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

uint8_t WiFiClient::connected() {
  if (socket_ < 0) return 0;
  uint8_t byte;
  ssize_t n = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

int main() {
  setup();
  for (;;) {
    loop();
    delay(1);
  }
}
