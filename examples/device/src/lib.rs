//! A simulated device: replays recordings or makes readings up.
