//! Text for whoever watches, through the serial port; and the end of the machine with an exit code.

use core::panic::PanicInfo;

use crate::register::Register;

// SAFETY: `virt` has a switch for its end at 0x100000.
const END: Register = unsafe { Register::at(0x10_0000) };
// SAFETY: `virt` has a clock that goes on between starts, in nanoseconds, at 0x101000.
const WALL_CLOCK: Register = unsafe { Register::at(0x10_1000) };

/// The serial port, a 16550, has registers of one byte.
const SERIAL: *mut u8 = 0x1000_0000 as *mut u8;
const SERIAL_STATUS: *mut u8 = 0x1000_0005 as *mut u8;
const SERIAL_READY: u8 = 1 << 5;

/// Prints text as it is: a line ends with your `\n`.
pub fn print(text: &str) {
    for byte in text.bytes() {
        // SAFETY: this register is read, and touches no memory.
        while unsafe { SERIAL_STATUS.read_volatile() } & SERIAL_READY == 0 {}
        // SAFETY: as above, written.
        unsafe { SERIAL.write_volatile(byte) };
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
        END.write(if well { 0x5555 } else { 1 << 16 | 0x3333 });
    }
}

/// Says what went wrong, and ends the machine with 1.
pub fn fail(why: &str) -> ! {
    print("failed: ");
    print(why);
    print("\n");
    exit(false)
}

/// A number that differs from start to start, for connections.
pub(crate) fn seed() -> u64 {
    u64::from(WALL_CLOCK.read()).wrapping_mul(0x9e37_79b9_7f4a_7c15)
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
