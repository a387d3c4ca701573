//! All that a connection needs to know of its device.

use sensock::{DeviceId, Position};
use sensock_store::Resume;

use crate::error::Fail;
use crate::session::Session;
use crate::{commands, lanes, links, series};

/// Reads it by some ten short queries, each along an index.
pub(crate) async fn resume(session: &mut Session<'_>, device: &DeviceId) -> Result<Resume, Fail> {
    let (marks, ended) = lanes::marks(session, device).await?;
    let row = links::devices(session, Some(device)).await?.pop();
    let lowest = marks.iter().min().copied().unwrap_or(Position::NONE).boot();
    let boots = links::boots(session, device, lowest, Some(64)).await?;
    let anchors = links::anchors(session, device, boots.first().map_or(0, |b| b.boot)).await?;
    let settled = "AND open = 0 ORDER BY id DESC LIMIT 64";
    let mut commands = commands::commands(session, device, "AND open = 1", None).await?;
    commands.extend(commands::commands(session, device, settled, None).await?);
    commands.sort_by_key(|c| c.id);
    Ok(Resume {
        device: row,
        marks,
        ended,
        catalogs: series::newest_catalogs(session, device).await?,
        boots,
        anchors,
        commands,
        settings: commands::settings(session, device).await?,
    })
}
