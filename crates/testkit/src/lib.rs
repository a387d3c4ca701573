//! What the test suites share: MariaDB in a temporary directory, child processes, a faulty proxy.
