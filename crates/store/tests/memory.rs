//! The memory store passes the suite that every store passes.

use sensock_store::{MemoryStore, conformance};

#[tokio::test]
async fn the_memory_store_conforms() {
    conformance::run(async || MemoryStore::default()).await;
}
