//! Why, in words: "fire 0.86: temperature critical for 40 s, humidity falling 12 %RH/min, CO2 warning".

use core::fmt::{Display, Formatter, Result};

use crate::alarm::{Alarm, Share};
use crate::{Level, Rate, Signal};

impl Display for Alarm<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} {}.{:02}", self.hazard.name, self.score / 100, self.score % 100)?;
        if self.to < Level::Warning {
            return write!(f, ": over after {}", Time(self.at().since(self.began), self.grid_ms));
        }
        let mut between = ": ";
        // Of several cells of one row the worst speaks for all.
        let worst = |share: &Share<'_>| {
            self.cells()
                .filter(|other| other.cell.rule == share.cell.rule)
                .fold(share.cell.at, |at, other| at.max(other.cell.at))
        };
        let mut rows = 0u64;
        for share in self.cells().filter(|share| share.cell.at == worst(share)) {
            // A table that weighs more than 64 rules says some of them twice.
            let row = 1u64.checked_shl(share.cell.rule.into()).unwrap_or(0);
            if rows & row != 0 {
                continue;
            }
            rows |= row;
            f.write_str(between)?;
            write!(f, "{}", Words { share, grid_ms: self.grid_ms })?;
            between = ", ";
        }
        Ok(())
    }
}

struct Words<'e> {
    share: Share<'e>,
    grid_ms: u32,
}

impl Display for Words<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { share, grid_ms } = self;
        let (rule, number) = (share.rule, share.row.number());
        f.write_str(rule.name)?;
        if let Some(ago) = share.ago {
            return write!(f, " {} {} ago", share.cell.at, Time(ago, *grid_ms));
        }
        match &rule.signal {
            Signal::Value => write!(f, " {}", share.row.level())?,
            Signal::Rate(rate) => {
                let way = if number < 0 { "falling" } else { "rising" };
                write!(
                    f,
                    " {way} {}",
                    Per { number: i64::from(number).abs(), share, rate, grid_ms: *grid_ms }
                )?;
            }
            Signal::Flow(flow) => {
                let rate = &flow.rate;
                write!(f, " {}", Per { number: number.into(), share, rate, grid_ms: *grid_ms })?;
            }
            Signal::Standard { .. } => {
                let way = if number < 0 { "below" } else { "above" };
                let by = Decimal { number: i64::from(number).abs(), scale: rule.scale };
                write!(f, " {by} {} {way} the standard", rule.unit)?;
            }
            Signal::Running(_) | Signal::Daily(_) => {
                write!(f, " {} deviations from the usual", Times(number))?
            }
            Signal::Season(_) => write!(f, " {} deviations from the usual of the season", Times(number))?,
            Signal::Shaking(_) => write!(f, " shaking {} times the usual", Times(number))?,
            // The row's number is of when it was looked at last; since then it has been silent on.
            Signal::Silence => return write!(f, " silent, {}", share.row.level()),
        }
        match share.lasts() {
            Some(lasted) => write!(f, " for {}", Time(lasted, *grid_ms)),
            None => Ok(()),
        }
    }
}

/// A rate with its units: "12 %RH/min".
struct Per<'e> {
    number: i64,
    share: &'e Share<'e>,
    rate: &'e Rate,
    grid_ms: u32,
}

impl Display for Per<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let rule = self.share.rule;
        write!(f, "{} {}/", Decimal { number: self.number, scale: rule.scale }, rule.unit)?;
        match u64::from(self.rate.per) * u64::from(self.grid_ms) {
            1_000 => f.write_str("s"),
            60_000 => f.write_str("min"),
            3_600_000 => f.write_str("h"),
            86_400_000 => f.write_str("d"),
            _ => write!(f, "{}", Time(self.rate.per, self.grid_ms)),
        }
    }
}

/// A scaled integer as a person writes it: 2340 at scale -2 is "23.4".
struct Decimal {
    number: i64,
    scale: i8,
}

impl Display for Decimal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.scale >= 0 {
            write!(f, "{}", self.number)?;
            return (0..self.scale).filter(|_| self.number != 0).try_for_each(|_| f.write_str("0"));
        }
        // No i32 has more than ten digits.
        let mut digits = usize::from(self.scale.unsigned_abs()).min(10);
        let unit = (0..digits).fold(1i64, |unit, _| unit * 10);
        let (whole, mut rest) = (self.number.abs() / unit, self.number.abs() % unit);
        let sign = if self.number < 0 { "-" } else { "" };
        write!(f, "{sign}{whole}")?;
        while digits > 0 && rest % 10 == 0 {
            (rest, digits) = (rest / 10, digits - 1);
        }
        if rest > 0 { write!(f, ".{rest:0digits$}") } else { Ok(()) }
    }
}

/// 256ths, to a tenth.
struct Times(i32);

impl Display for Times {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let number = (i64::from(self.0) * 10 + 128) / 256;
        write!(f, "{}", Decimal { number, scale: -1 })
    }
}

/// Steps as a time, rounded down to a unit that suits it.
struct Time(u32, u32);

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let ms = u64::from(self.0) * u64::from(self.1);
        match ms {
            0..1_000 => write!(f, "{ms} ms"),
            1_000..120_000 => write!(f, "{} s", ms / 1_000),
            120_000..7_200_000 => write!(f, "{} min", ms / 60_000),
            7_200_000..172_800_000 => write!(f, "{} h", ms / 3_600_000),
            _ => write!(f, "{} d", ms / 86_400_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::prelude::v1::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        let decimal = |number, scale| Decimal { number, scale }.to_string();
        assert_eq!(decimal(2340, -2), "23.4");
        assert_eq!(decimal(-5, -2), "-0.05");
        assert_eq!(decimal(1200, -2), "12");
        assert_eq!(decimal(12, 2), "1200");
        assert_eq!(decimal(0, 3), "0");
        assert_eq!(Times(256 * 6 + 64).to_string(), "6.3");
        assert_eq!(Times(-384).to_string(), "-1.4", "rounded up, as any half");
        assert_eq!(Time(40, 1_000).to_string(), "40 s");
        assert_eq!(Time(3, 300_000).to_string(), "15 min");
    }
}
