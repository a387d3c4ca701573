//! Who may connect.

use std::future::Future;

use sensock::DeviceId;

/// What a server knows of a device that dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Admission {
    /// Let it in without a key: the only admission there is until sealing.
    Insecure,
    /// Not known.
    Unknown,
}

/// Says who may connect.
pub trait Keys: Send + Sync + 'static {
    /// Looks a device up. An error refuses the device as "busy" and is logged.
    fn admit(
        &self,
        device: &DeviceId,
    ) -> impl Future<Output = Result<Admission, Box<dyn std::error::Error + Send + Sync>>> + Send;
}

/// Lets every device in.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnyDevice;

impl Keys for AnyDevice {
    async fn admit(&self, _: &DeviceId) -> Result<Admission, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Admission::Insecure)
    }
}

/// Lets these devices in.
#[derive(Clone, Debug, Default)]
pub struct Listed(pub std::collections::BTreeSet<DeviceId>);

impl Keys for Listed {
    async fn admit(&self, device: &DeviceId) -> Result<Admission, Box<dyn std::error::Error + Send + Sync>> {
        Ok(if self.0.contains(device) { Admission::Insecure } else { Admission::Unknown })
    }
}
