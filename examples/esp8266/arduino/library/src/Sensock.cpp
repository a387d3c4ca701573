#include "Sensock.h"

#include <string.h>

// How many bytes are read at once, and how often before the sketch has its turn again.
static const size_t CHUNK = 64;
static const int ROUNDS = 16;

// The chip's generator. It is a true one while the radio runs: it is asked when a connection over Wi-Fi has just come about, or just ended.
static bool randomBytes(uint8_t *bytes, size_t length) { return ESP.random(bytes, length) != nullptr; }

SensockCall::SensockCall(sensock_device *device, const sensock_event &event)
    : key(event.key), number((int32_t)event.values[0].integer), real(event.values[0].real), text(""), device_(device), event_(event), open_(true) {
  const sensock_value &first = event.values[0];
  if (first.kind == SENSOCK_TYPE_TEXT) {
    size_t length = first.length < sizeof copy_ ? first.length : sizeof copy_ - 1;
    memcpy(copy_, first.bytes, length);
    copy_[length] = 0;
    text = copy_;
  }
}

SensockCall::~SensockCall() {
  // 2: nobody answers to this key.
  if (open_ && event_.kind == SENSOCK_EVENT_COMMAND) refuse(2);
}

const sensock_value &SensockCall::value(uint8_t at) const {
  static const sensock_value none = sensock_value();
  return at < event_.count ? event_.values[at] : none;
}

void SensockCall::done() { reply(nullptr, 0); }

void SensockCall::done(int32_t answer) {
  sensock_value value = sensock_number(answer);
  reply(&value, 1);
}

void SensockCall::done(float answer) {
  sensock_value value = sensock_float(answer);
  reply(&value, 1);
}

void SensockCall::reply(const sensock_value *values, size_t count) {
  if (!open_) return;
  open_ = false;
  if (event_.kind != SENSOCK_EVENT_COMMAND) return;
  // 3: not of the type that the list says. It ran, but its answer cannot be told.
  if (sensock_reply(device_, event_.id, values, count) == SENSOCK_ERROR_VALUES) sensock_refuse(device_, event_.id, 3);
}

void SensockCall::refuse(uint8_t code) {
  if (!open_) return;
  open_ = false;
  if (event_.kind == SENSOCK_EVENT_COMMAND) sensock_refuse(device_, event_.id, code);
  if (event_.kind == SENSOCK_EVENT_SETTING) sensock_refuse_setting(device_, event_.id, code);
}

SensockBase::SensockBase(void *memory, size_t length, size_t outbox)
    : config_(), memory_(memory), length_(length), device_(nullptr), client_(nullptr), host_(nullptr), port_(0), command_(nullptr),
      setting_(nullptr), readNow_(nullptr), dialAt_(0), rtc_(-1), error_(SENSOCK_ERROR_NONE), open_(false), live_(false), slept_(false) {
  config_.abi = SENSOCK_ABI;
  config_.outbox_bytes = outbox;
  status_[0] = said_[0] = 0;
}

void SensockBase::keepsInRtc(uint32_t block) { rtc_ = (int32_t)block; }

bool SensockBase::start(Client &client, const char *host, uint16_t port, const char *id, const char *firmware) {
  uint32_t kept[SENSOCK_CARRY_BYTES / 4];
  client_ = &client;
  host_ = host;
  port_ = port;
  config_.firmware = firmware;
  config_.id = id;
  config_.random = randomBytes;
  if (rtc_ >= 0 && ESP.rtcUserMemoryRead((uint32_t)rtc_, kept, sizeof kept)) {
    config_.carry = (const uint8_t *)kept;
  }
  config_.keeps = rtc_ >= 0;
  // What settings said is forgotten in a sleep.
  config_.settings_again = true;
  error_ = sensock_init(memory_, length_, &config_, millis(), &device_);
  config_.carry = nullptr;
  // From here on this boot is known, should it end without another word.
  keep(false);
  dialAt_ = millis();
  return error_ == SENSOCK_ERROR_NONE;
}

bool SensockBase::putAll(uint8_t lane, const sensock_reading *readings, size_t count) {
  error_ = sensock_record(device_, millis(), lane, readings, count);
  return error_ == SENSOCK_ERROR_NONE;
}

void SensockBase::loop() {
  if (device_ == nullptr) return;
  if (!open_ && !dial()) return;
  for (int round = 0; round < ROUNDS; round++) {
    bool came = receive();
    bool went = open_ && send();
    if (!open_ || (!came && !went)) return;
  }
}

// Whether there is a connection.
bool SensockBase::dial() {
  if ((int32_t)(millis() - dialAt_) < 0) return false;
  if (client_->connect(host_, port_)) {
    error_ = sensock_connected(device_, millis());
    open_ = error_ == SENSOCK_ERROR_NONE;
    if (open_) return true;
  }
  client_->stop();
  dialAt_ = millis() + sensock_backoff_ms(device_, millis(), ESP.getChipId());
  return false;
}

void SensockBase::hangUp() {
  client_->stop();
  open_ = live_ = false;
  sensock_lost(device_, millis());
  dialAt_ = millis() + sensock_backoff_ms(device_, millis(), ESP.getChipId());
}

// Whether something came.
bool SensockBase::receive() {
  uint8_t chunk[CHUNK];
  int available = client_->available();
  if (available <= 0) {
    if (!client_->connected()) {
      hangUp();
      return false;
    }
    return tell();
  }
  int length = client_->read(chunk, (size_t)available < CHUNK ? (size_t)available : CHUNK);
  for (size_t at = 0; length > 0 && at < (size_t)length;) {
    size_t used = 0;
    if (sensock_receive(device_, millis(), chunk + at, (size_t)length - at, &used) != SENSOCK_ERROR_NONE) return false;
    at += used;
    tell();
    if (!open_) return false;
  }
  return true;
}

// Whether something went.
bool SensockBase::send() {
  const uint8_t *bytes;
  size_t length;
  if (sensock_transmit(device_, millis(), &bytes, &length) != SENSOCK_ERROR_NONE || length == 0) return false;
  size_t room = (size_t)client_->availableForWrite();
  size_t written = room > 0 ? client_->write(bytes, length < room ? length : room) : 0;
  sensock_transmitted(device_, written);
  return written > 0;
}

// Calls your functions; whether there was something to tell.
bool SensockBase::tell() {
  bool told = false;
  sensock_event event;
  while (sensock_poll(device_, millis(), &event) == SENSOCK_ERROR_NONE && event.kind != SENSOCK_EVENT_NONE) {
    told = true;
    switch (event.kind) {
      case SENSOCK_EVENT_CONNECTED: live_ = true; break;
      case SENSOCK_EVENT_READ_NOW:
        if (readNow_) readNow_();
        break;
      case SENSOCK_EVENT_COMMAND:
      case SENSOCK_EVENT_SETTING: {
        SensockCall call(device_, event);
        SensockHandler handler = event.kind == SENSOCK_EVENT_COMMAND ? command_ : setting_;
        if (handler) handler(call);
        break;
      }
      case SENSOCK_EVENT_KEEP:
        keep(false);
        sensock_kept(device_);
        break;
      case SENSOCK_EVENT_SLEPT: slept_ = true;  // fall through
      case SENSOCK_EVENT_REFUSED:
      case SENSOCK_EVENT_ENDED:
        strncpy(said_, event.text, sizeof said_ - 1);
        said_[sizeof said_ - 1] = 0;
        hangUp();
        return true;
    }
  }
  return told;
}

void SensockBase::keep(bool endsBoot) {
  uint32_t kept[SENSOCK_CARRY_BYTES / 4];
  if (rtc_ >= 0 && sensock_carry(device_, endsBoot, (uint8_t *)kept) == SENSOCK_ERROR_NONE) {
    ESP.rtcUserMemoryWrite((uint32_t)rtc_, kept, sizeof kept);
  }
}

void SensockBase::deepSleep(uint32_t seconds, uint32_t awakeAtMost) {
  uint32_t from = millis();
  bool said = false;
  slept_ = false;
  while (device_ != nullptr && !slept_ && millis() - from < awakeAtMost) {
    loop();
    // On each connection again, until the server knows. It is sent behind the last record; what the server has for us comes first.
    if (!live_) said = false;
    if (live_ && !said) said = sensock_sleep(device_, millis(), seconds * 1000, true) == SENSOCK_ERROR_NONE;
    delay(1);
  }
  keep(true);
  ESP.deepSleep((uint64_t)seconds * 1000000);
}

const char *SensockBase::status() {
  if (sensock_status_text(device_, status_, sizeof status_) != SENSOCK_ERROR_NONE) return lastError();
  return status_;
}
