//! A device as the store knows it: found by name, with its catalogue.

use anyhow::{Result, anyhow, bail};
use sensock::catalog::{CommandEntry, READ_NOW, SettingEntry};
use sensock::{CatalogView, DeviceId};
use sensock_store::{History, Store};

use crate::show::words::nearest;

/// A device and what the store holds of it.
pub(crate) struct Known {
    pub(crate) id: DeviceId,
    catalog: Vec<u8>,
}

impl Known {
    /// Finds a device by its name.
    pub(crate) async fn find<S: Store + History>(store: &S, name: &str) -> Result<Known>
    where
        <S as History>::Error: 'static,
    {
        let id = DeviceId::new(name).map_err(|error| anyhow!("\"{name}\": {error}"))?;
        let resume = store.load(&id).await?;
        let Some(row) = &resume.device else {
            bail!("{}", unknown(name, store.devices().await?.iter().map(|d| d.device).collect()));
        };
        let found = resume.catalogs.iter().find(|c| c.hash == row.catalog).or(resume.catalogs.first());
        let catalog = found.map(|c| c.bytes.clone()).unwrap_or_default();
        Ok(Known { id, catalog })
    }

    /// Its catalogue.
    ///
    /// # Errors
    /// The store holds none, or one that this program cannot read.
    pub(crate) fn catalog(&self) -> Result<CatalogView<'_>> {
        if self.catalog.is_empty() {
            bail!("the store holds no catalogue of {}: let it connect once", self.id);
        }
        Ok(CatalogView::new(&self.catalog)?)
    }

    /// A command of its catalogue, or one that every device has.
    pub(crate) fn command(&self, name: &str) -> Result<CommandEntry<'_>> {
        let view = self.catalog()?;
        let all = || view.commands().chain([READ_NOW.entry()]);
        all()
            .find(|c| c.name == name)
            .ok_or_else(|| self.no_such("command", name, all().map(|c| c.name).collect()))
    }

    /// A command by its number.
    pub(crate) fn command_by_key(&self, key: u16) -> Option<CommandEntry<'_>> {
        self.catalog().ok()?.commands().chain([READ_NOW.entry()]).find(|c| c.key == key)
    }

    /// A setting of its catalogue.
    pub(crate) fn setting(&self, name: &str) -> Result<SettingEntry<'_>> {
        let view = self.catalog()?;
        let names = || view.settings().map(|s| s.name).collect();
        view.settings().find(|s| s.name == name).ok_or_else(|| self.no_such("setting", name, names()))
    }

    fn no_such(&self, what: &str, name: &str, names: Vec<&str>) -> anyhow::Error {
        let meant = match (nearest(name, names.iter().copied()), names.is_empty()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, true) => "its catalogue lists none".to_owned(),
            (None, false) => format!("its catalogue lists {}", list(&names)),
        };
        anyhow!("{} has no {what} `{name}`: {meant}", self.id)
    }
}

fn unknown(name: &str, devices: Vec<DeviceId>) -> String {
    let names: Vec<&str> = devices.iter().map(DeviceId::as_str).collect();
    let hint = match (nearest(name, names.iter().copied()), names.len()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, 0) => "no device has".to_owned(),
        (None, 1..=12) => format!("there are {}", list(&names)),
        (None, n) => format!("`sensockd status` lists the {n} that have"),
    };
    format!("no device `{name}` ever connected to this store: {hint}")
}

fn list(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_device_is_answered_with_the_nearest() {
        let ids = |names: &[&str]| names.iter().map(|n| DeviceId::new(n).unwrap()).collect::<Vec<_>>();
        assert_eq!(
            unknown("celar-3", ids(&["cellar-3", "attic-7"])),
            "no device `celar-3` ever connected to this store: did you mean `cellar-3`?"
        );
        assert_eq!(
            unknown("boiler", ids(&["cellar-3", "attic-7"])),
            "no device `boiler` ever connected to this store: there are `cellar-3`, `attic-7`"
        );
        assert_eq!(unknown("x", vec![]), "no device `x` ever connected to this store: no device has");
    }
}
