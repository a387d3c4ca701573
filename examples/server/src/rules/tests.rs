//! A zone from a device's reading to another device's relay, over real stores.
