//! A sensock store in SQLite or MySQL.
