// Wi-Fi that is there, and a client over a socket. Whatever host a sketch names, $STUB_SERVER (address:port) is dialled.
#ifndef STUB_ESP8266WIFI_H
#define STUB_ESP8266WIFI_H

#include "Client.h"

struct StubWiFi {
  void begin(const char *, const char *) {}
};
extern StubWiFi WiFi;

class WiFiClient : public Client {
 public:
  ~WiFiClient() override { stop(); }
  int connect(const char *host, uint16_t port) override;
  size_t write(const uint8_t *bytes, size_t length) override;
  int availableForWrite() override;
  int available() override;
  int read(uint8_t *bytes, size_t length) override;
  void stop() override;
  uint8_t connected() override;

 private:
  int socket_ = -1;
};

#endif
