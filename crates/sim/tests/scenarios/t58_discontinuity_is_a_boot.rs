//! Timeline 58: a clock that steps back is a new boot: the outbox refuses the record instead of stamping it wrongly.

use sensock::catalog::Quantity;
use sensock::device::{Outbox, Share as _};
use sensock::error::Misuse;
use sensock::{Lane, Tick};

#[test]
fn a_tick_that_goes_backwards_is_refused_and_what_was_accepted_stays() {
    const T: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);
    let outbox = std::cell::RefCell::new(Outbox::<1024>::new());
    outbox.with(|o| {
        o.start(Some(1));
        o.record(Lane::Readings, Tick(5_000), &[T.is(1.0)]).unwrap();
        let error = o.record(Lane::Readings, Tick(4_999), &[T.is(1.0)]).unwrap_err();
        assert_eq!(error, Misuse::Backwards);
        assert_eq!(error.to_string(), "the clock went backwards: a discontinuity of the clock is a new boot");
        o.record(Lane::Readings, Tick(5_000), &[T.is(2.0)]).unwrap();
        assert_eq!(o.next(Lane::Readings).n(), 2);
    });
}
