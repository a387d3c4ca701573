//! Short pages, each with code that runs as a test. No network: both real sessions, joined by calls.
//!
//! | page | when you want to |
//! |---|---|
//! | [1, first reading](_01_first_reading) | see the whole road once, in both directions, with its bytes |
//! | [2, your catalogue](_02_your_catalogue) | say what your device measures; change it later without confusing anyone |
//! | [3, the outbox](_03_the_outbox) | size its memory, choose what is dropped when that is full, read a gap |
//! | [4, commands and settings](_04_commands_and_settings) | switch something, once; set what shall hold from now on; ask upwards |
//! | [5, sleepers](_05_sleepers) | run on a battery: light sleep, deep sleep, what must be kept |
//! | [6, honest time](_06_honest_time) | know when it was measured, and how well that is known |
//! | [7, your own store](_07_your_own_store) | keep the records in a database of yours |
//! | [8, three in the morning](_08_three_in_the_morning) | run a server for years, and find out what happened last night |
//! | [9, wire stability](_09_wire_stability) | update one end and not the other |
//! | [10, Arduino](_10_arduino) | store the first reading of an ESP8266, in six steps |
//! | [11, your own board](_11_own_board) | write firmware for a chip of yours, with esp-hal or embassy-rp |
//! | [12, deep sleep](_12_deep_sleep) | wake, send, hear what is wanted, sleep: the whole cycle in one call |
//! | [13, keys](_13_keys) | give each device a key, change it, take it away |
//! | [14, rules](_14_rules) | be told of fire, flood, storm, quake and a sensor that dies |
//!
//! The pages use the core alone, so that they hold for every runtime. On a board or a computer you use
//! `sensock-device` and `sensock-server` instead, where the same things take fewer lines: their front pages and the programs in
//! the server's `examples` show that.

pub mod _01_first_reading;
pub mod _02_your_catalogue;
pub mod _03_the_outbox;
pub mod _04_commands_and_settings;
pub mod _05_sleepers;
pub mod _06_honest_time;
pub mod _07_your_own_store;
pub mod _08_three_in_the_morning;
pub mod _09_wire_stability;
pub mod _10_arduino;
pub mod _11_own_board;
pub mod _12_deep_sleep;
pub mod _13_keys;
pub mod _14_rules;
