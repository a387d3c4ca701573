//! Text for whoever watches, through semihosting; and the end of the machine with an exit code.

use core::panic::PanicInfo;

use cortex_m_semihosting::{debug, hio, nr, syscall1};

use crate::reset;

/// Prints text as it is: a line ends with your `\n`.
pub fn print(text: &str) {
    // A console that is not there is no reason to stop.
    if let Ok(mut out) = hio::hstdout() {
        let _unheard = out.write_all(text.as_bytes());
    }
}

/// Prints a number in decimal.
pub fn print_number(mut number: u32) {
    let mut digits = [0; 10];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    print(core::str::from_utf8(&digits[first..]).unwrap_or_default());
}

/// Ends the machine: exit code 0 if all went well, else 1.
pub fn exit(well: bool) -> ! {
    loop {
        debug::exit(if well { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    }
}

/// Says what went wrong, and ends the machine with 1.
pub fn fail(why: &str) -> ! {
    print("failed: ");
    print(why);
    print("\n");
    exit(false)
}

/// A number that differs from start to start, for connections: seconds of the computer's clock, and how often the board started since.
pub(crate) fn seed() -> u64 {
    // SAFETY: SYS_TIME takes no argument and changes no memory.
    let seconds = unsafe { syscall1(nr::TIME, 0) };
    let mixed = (seconds as u64 ^ u64::from(reset::starts()) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 32
}

/// A release does not say where: the names of places and what formats them would take 15 KB of the firmware. A build without `--release` does.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    print("panic");
    if cfg!(debug_assertions)
        && let Some(place) = info.location()
    {
        print(" at ");
        print(place.file());
        print(":");
        print_number(place.line());
    }
    print("\n");
    exit(false)
}
