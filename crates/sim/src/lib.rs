//! A pair of the real sessions in virtual time over a seeded link, with a model of the store.
