//! Opens a database of either kind and brings its schema up to date.

use crate::address::{Address, Target};
use crate::error::OpenError;
use crate::shared::Shared;
use crate::{mysql, sqlite};

pub(crate) async fn open(url: &str) -> Result<Shared, OpenError> {
    let Address { target, shown } = Address::parse(url)?;
    match target {
        Target::Sqlite(file) => sqlite::open(&file, shown).await,
        Target::MySql(options) => mysql::open(*options, shown).await,
    }
}
