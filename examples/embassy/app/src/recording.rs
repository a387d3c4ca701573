//! A sensor for boards that have none: it replays what a real one measured.

use crate::board::{Sample, Sensor};

/// Replays twelve hours of an office's air, a minute a sample, over and over.
///
/// The values are the first 720 rows of `datatest.txt` of "Occupancy Detection" by Luis M. Candanedo and Veronique Feldheim (UCI Machine
/// Learning Repository), under CC BY 4.0, <https://creativecommons.org/licenses/by/4.0/>. Changes: temperature and humidity only,
/// rounded to hundredths. `examples/data/occupancy/README.md` says what to cite.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recording {
    next: usize,
}

static ROWS: [(i16, i16); Recording::LEN] = include!(concat!(env!("OUT_DIR"), "/recording.rs"));

impl Recording {
    /// How many samples there are before it begins anew.
    pub const LEN: usize = 720;

    /// A recording of which sample `next` comes first; from 0 on, the sample of the boot's record k is number k.
    pub const fn starting_at(next: usize) -> Self {
        Self { next: next % Self::LEN }
    }

    /// Sample `k`, modulo [`Recording::LEN`]: hundredths of a degree Celsius and of a percent relative humidity, as the server stores them.
    pub fn hundredths(k: usize) -> (i16, i16) {
        ROWS[k % Self::LEN]
    }
}

impl Sensor for Recording {
    async fn read(&mut self) -> Sample {
        let (temperature, humidity) = Self::hundredths(self.next);
        self.next = (self.next + 1) % Self::LEN;
        Sample { temperature: f32::from(temperature) / 100.0, humidity: f32::from(humidity) / 100.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{HUMIDITY, TEMPERATURE};
    use core::future::Future as _;
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};
    use sensock::batch::Cell;

    #[test]
    fn what_is_stored_is_what_the_table_says() {
        let mut recording = Recording::starting_at(0);
        for k in 0..2 * Recording::LEN {
            let Poll::Ready(sample) = pin!(recording.read()).poll(&mut Context::from_waker(Waker::noop()))
            else {
                panic!("a recording never waits");
            };
            let (temperature, humidity) = Recording::hundredths(k);
            assert_eq!(TEMPERATURE.is(sample.temperature).cell, Cell::Value(temperature.into()), "row {k}");
            assert_eq!(HUMIDITY.is(sample.humidity).cell, Cell::Value(humidity.into()), "row {k}");
        }
    }

    #[test]
    fn it_begins_with_the_first_row_of_the_file() {
        // 23.7 °C and 26.272 %RH.
        assert_eq!(Recording::hundredths(0), (2_370, 2_627));
        assert_eq!(Recording::hundredths(Recording::LEN), Recording::hundredths(0));
    }
}
