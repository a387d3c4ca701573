/* What the ESP8266 has in its ROM and QEMU's machine has not: the compiler's helpers for integers and memory. */
#include <stddef.h>
#include <stdint.h>

uint32_t __udivsi3(uint32_t n, uint32_t by);
uint32_t __umodsi3(uint32_t n, uint32_t by);
void *memset(void *to, int byte, size_t length);
void *memcpy(void *restrict to, const void *restrict from, size_t length);

static uint32_t divide(uint32_t n, uint32_t by, uint32_t *rest) {
  uint32_t quotient = 0, left = 0;
  for (int bit = 31; bit >= 0; bit--) {
    left = left << 1 | (n >> bit & 1);
    if (left >= by) {
      left -= by;
      quotient |= (uint32_t)1 << bit;
    }
  }
  *rest = left;
  return quotient;
}

uint32_t __udivsi3(uint32_t n, uint32_t by) {
  uint32_t rest;
  return divide(n, by, &rest);
}

uint32_t __umodsi3(uint32_t n, uint32_t by) {
  uint32_t rest;
  divide(n, by, &rest);
  return rest;
}

/* Volatile, or the compiler would make these loops calls of the functions that they are in. */
void *memset(void *to, int byte, size_t length) {
  for (volatile uint8_t *at = to; length > 0; length--) *at++ = (uint8_t)byte;
  return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t length) {
  const uint8_t *read = from;
  for (volatile uint8_t *at = to; length > 0; length--) *at++ = *read++;
  return to;
}
