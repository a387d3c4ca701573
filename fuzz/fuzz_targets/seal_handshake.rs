#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sensock_sim::fuzz::seal_handshake(bytes));
