//! Whether a run counts: the peers among themselves must stand as they stood on the machine that the first figures are from.

/// How far a ratio may be off, as a factor.
pub const TOLERANCE: f64 = 1.25;

/// Encoding and decoding as multiples of postcard's, for one record at a time.
pub const ONE: &[(&str, f64, f64)] = &[
    ("copy by hand", 2.0 / 15.0, 1.5 / 15.0),
    ("postcard, LengthDelimitedCodec", 33.0 / 15.0, 53.0 / 15.0),
    ("prost", 21.0 / 15.0, 31.0 / 15.0),
    ("MQTT 3.1.1, postcard", 83.0 / 15.0, 91.0 / 15.0),
    ("MQTT 3.1.1, serde_json", 121.0 / 15.0, 222.0 / 15.0),
];

/// The same for a batch of 1,000.
pub const THOUSAND: &[(&str, f64, f64)] =
    &[("serde_json", 78.0 / 14.0, 127.0 / 17.0), ("pco", 184.0 / 14.0, 26.0 / 17.0)];

/// A ratio that is not as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Odd {
    /// Which peer.
    pub name: &'static str,
    /// `encode` or `decode`.
    pub what: &'static str,
    /// As measured.
    pub measured: f64,
    /// As it was.
    pub expected: f64,
}

/// The ratios that are off. `measured` gives a peer's encoding and decoding as multiples of postcard's.
pub fn odd(expected: &[(&'static str, f64, f64)], measured: impl Fn(&str) -> Option<(f64, f64)>) -> Vec<Odd> {
    let mut odd = Vec::new();
    for &(name, encode, decode) in expected {
        let (found_encode, found_decode) = measured(name).unwrap_or((f64::NAN, f64::NAN));
        for (what, measured, expected) in [("encode", found_encode, encode), ("decode", found_decode, decode)]
        {
            let off = measured / expected;
            if !(1.0 / TOLERANCE..=TOLERANCE).contains(&off) {
                odd.push(Odd { name, what, measured, expected });
            }
        }
    }
    odd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_off_or_missing_is_odd() {
        let expected = [("a", 2.0, 4.0), ("b", 1.0, 1.0)];
        let found = odd(&expected, |name| (name == "a").then_some((2.4, 5.1)));
        let names: Vec<_> = found.iter().map(|o| (o.name, o.what)).collect();
        assert_eq!(names, [("a", "decode"), ("b", "encode"), ("b", "decode")]);
    }
}
