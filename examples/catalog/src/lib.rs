//! A catalogue shared by the example device and the example server.
