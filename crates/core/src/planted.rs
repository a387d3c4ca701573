//! Mistakes that are built in on purpose, to see that the simulation finds them: only under `--cfg sensock_planted`, and then only the one
//! that was chosen when the program runs.

/// Whether this mistake is made. Without `--cfg sensock_planted` it is the word `false`.
#[doc(hidden)]
#[cfg(not(sensock_planted))]
#[macro_export]
macro_rules! planted {
    ($name:literal) => {
        false
    };
}

/// Whether this mistake is made.
#[doc(hidden)]
#[cfg(sensock_planted)]
#[macro_export]
macro_rules! planted {
    ($name:literal) => {
        $crate::planted::is($name)
    };
}

#[cfg(sensock_planted)]
static CHOSEN: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);

/// From here on this mistake is made.
#[cfg(sensock_planted)]
pub fn choose(name: &str) {
    CHOSEN.store(crate::catalog::fnv1a(name.as_bytes()), core::sync::atomic::Ordering::Relaxed);
}

/// Whether this mistake is made.
#[cfg(sensock_planted)]
pub fn is(name: &str) -> bool {
    CHOSEN.load(core::sync::atomic::Ordering::Relaxed) == crate::catalog::fnv1a(name.as_bytes())
}
