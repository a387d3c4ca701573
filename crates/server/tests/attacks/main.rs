//! Sixteen attacks on sealed devices and their server, each refused. Real device, real server, and somebody between them.
//!
//! | attack | tests |
//! |---|---|
//! | wrong key | `keys::wrong_key` |
//! | unknown key id | `keys::unknown_key_id`, `keys::unknown_key_id_takes_the_time_of_a_wrong_key` |
//! | replayed first message | `meeting::replayed_first_message` |
//! | replayed frame | `frames::replayed_frame` |
//! | reordered frame | `frames::reordered_frame` |
//! | truncated stream | `frames::truncated_stream` |
//! | bit flip in every byte of a frame | `frames::bit_flip_in_every_byte_of_a_frame` |
//! | reflection | `frames::reflection_to_the_device`, `frames::reflection_to_the_server` |
//! | downgrade to plain | `keys::downgrade_to_plain_by_the_device`, `keys::downgrade_to_plain_by_the_server` |
//! | downgrade of version | `keys::downgrade_of_version` |
//! | repeated ephemeral after reboot | `meeting::repeated_ephemeral_after_reboot` |
//! | cloned board | `meeting::cloned_board`, `keys::a_key_says_one_name_only` |
//! | forged Refused | `meeting::forged_refused` |
//! | handshake stall | `meeting::handshake_stall` |
//! | oversized pre-auth frame | `meeting::oversized_pre_auth_frame` |
//! | flood of unauthenticated connections | `flood::flood_of_unauthenticated_connections` |
//!
//! The same on bytes alone, every bit of both messages included, is in the core's `tests/seal.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;

mod flood;
mod frames;
mod keys;
mod mallory;
mod meeting;
