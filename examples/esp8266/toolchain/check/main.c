/* Runs the library under QEMU: exit code 0 if it computes what check.py computed. */
#include <stdint.h>

#ifndef EXPECTED
#error "EXPECTED is the answer that check.py computed"
#endif

uint64_t lx106_check_mix(uint32_t seed, uint32_t rounds);
uint64_t lx106_check_divide(uint64_t a, uint64_t b);
uint32_t lx106_simcall(uint32_t number, uint32_t a, uint32_t b, uint32_t c);

static void end(uint32_t code) {
  for (;;) lx106_simcall(1, code, 0, 0);
}

void fault(uint32_t cause, uint32_t at, uint32_t address) {
  (void)cause, (void)at, (void)address;
  end(102);
}

void program(void) {
  if (lx106_check_mix(7, 1000) != EXPECTED) end(1);
  if (lx106_check_divide(UINT64_C(10000000000000000019), 4294967291u) != UINT64_C(2328306439)) end(2);
  end(0);
}
