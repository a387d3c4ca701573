//! Why a quantity has no value at one instant.

/// A value that could not be had, or could not be expressed: it stands in the record in the value's place.
///
/// Codes below 32 are fixed by SPEC 5.6; 32 to 255 are the application's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fault(pub u8);

impl Fault {
    /// The sensor gave no value.
    pub const NO_VALUE: Fault = Fault(1);
    /// Not a number.
    pub const NOT_A_NUMBER: Fault = Fault(2);
    /// Below the quantity's range, or minus infinity.
    pub const TOO_LOW: Fault = Fault(3);
    /// Above the quantity's range, or infinity.
    pub const TOO_HIGH: Fault = Fault(4);

    /// What a person reads.
    pub const fn words(self) -> &'static str {
        match self.0 {
            1 => "no value",
            2 => "not a number",
            3 => "below range",
            4 => "above range",
            32..=255 => "fault of the application",
            _ => "unknown fault",
        }
    }
}
