// A sensor that warms up, and fails each seventh time as real ones do.
#ifndef STUB_DHT_H
#define STUB_DHT_H

enum { DHT22 = 22 };

class DHT {
 public:
  DHT(int, int) {}
  void begin() {}
  float readTemperature() { return ++count_ % 7 == 0 ? __builtin_nanf("") : 20.0f + (float)count_ / 100; }
  float readHumidity() { return 40.0f + (float)count_ / 10; }

 private:
  int count_ = 0;
};

#endif
