//! The suite that every store must pass, against both databases.

mod common;

use std::sync::Mutex;

use sensock_sql::SqlStore;
use sensock_store::conformance;
use sensock_testkit::mariadb;

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let directories = Mutex::new(Vec::new());
    let make = async || {
        let (store, directory) = common::sqlite().await;
        directories.lock().unwrap().push(directory);
        store
    };
    conformance::run(make).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb() {
    let Some(server) = mariadb::available_or_skip("the SQL store's conformance") else { return };
    conformance::run(async || SqlStore::open(&server.database().unwrap()).await.unwrap()).await;
}
