//! Embassy's executors, for a core for which embassy-executor has none, or one that waits with `wfe`, which QEMU takes as "go on": one for the
//! program, which sleeps while nothing is to be done, and one in an interrupt, whose tasks wait for none of the program's.
//!
//! A board brings three functions: how the core sleeps, how the interrupt is raised, and the interrupt itself.
//!
//! ```ignore
//! static URGENT: Urgent = Urgent::new(|| raise(SOFTWARE));
//!
//! fn software_interrupt() {
//!     lower(SOFTWARE);
//!     URGENT.interrupted();
//! }
//!
//! fn main() -> ! {
//!     executors::run(|spawner| { URGENT.start().spawn(sampling); spawner.spawn(node); }, wait_for_interrupt)
//! }
//! ```
//!
//! All the `unsafe` that an executor takes is here: `__pender`, by which embassy calls, and the polling of tasks.
#![no_std]

mod program;
mod urgent;

pub use program::run;
pub use urgent::Urgent;

/// What embassy calls when a task of an executor wants to be polled: the program's has no context, an interrupt's has itself.
// SAFETY: embassy-executor names this function so, and nobody else does.
#[unsafe(export_name = "__pender")]
fn pender(context: *mut ()) {
    // SAFETY: null, or what `Urgent::start` gave: a static, of which nothing is changed through this.
    match unsafe { context.cast::<Urgent>().as_ref() } {
        Some(urgent) => urgent.pend(),
        None => program::woken(),
    }
}
