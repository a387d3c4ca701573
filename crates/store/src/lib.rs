//! Where sensock records are kept: the store trait, rule A, an in-memory store and a conformance suite.
