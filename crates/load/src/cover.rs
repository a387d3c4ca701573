//! Keys of the fleet's devices: of a number always the same, for both ends.

use anyhow::{Result, anyhow};
use sensock::DeviceId;
use sensock::seal::{Cover, Credential, Ephemeral, NoEntropy};
use sensock_store::Keyring;
use sensock_testkit::keys;

/// The name of a number.
///
/// # Errors
/// When the number has more digits than a name has room for.
pub fn name(number: usize) -> Result<DeviceId> {
    Ok(DeviceId::new(&format!("load-{number:05}"))?)
}

/// The keys of the first devices, as a server holds them.
///
/// # Errors
/// As [`name`].
pub fn ring(devices: usize) -> Result<Keyring> {
    let mut ring = Keyring::default();
    for number in 0..devices {
        let device = name(number)?;
        ring.add(device, credential(&device)?);
    }
    Ok(ring)
}

/// A device's cover for one connection.
///
/// # Errors
/// When the system has no random bytes.
pub fn dial(device: &DeviceId) -> Result<Cover> {
    let credential = credential(device)?;
    let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|_| NoEntropy);
    let pair = Ephemeral::make(&credential.key, &mut random, &[0; 3]);
    Ok(Cover::dial(credential, pair.map_err(|_| anyhow!("the system has no random bytes"))?))
}

fn credential(device: &DeviceId) -> Result<Credential> {
    Ok(Credential::parse(&keys::line(device.as_str()))?)
}
