//! Text for whoever watches, through semihosting; and the end of the machine with an exit code.

use core::panic::PanicInfo;

use crate::lx106::{self, Call};

/// Prints text as it is: a line ends with your `\n`.
pub fn print(text: &str) {
    lx106::call(Call::Print(text.as_bytes()));
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
    lx106::call(Call::Print(&digits[first..]));
}

/// Ends the machine: exit code 0 if all went well, else 1.
pub fn exit(well: bool) -> ! {
    loop {
        lx106::call(Call::Exit(if well { 0 } else { 1 }));
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
    let mut bytes = [0; 8];
    if lx106::random(&mut bytes) { u64::from_le_bytes(bytes) } else { u64::from(lx106::cycles()) }
}

/// Where `startup.S` goes after an exception.
// SAFETY: the name is this function's alone.
#[unsafe(no_mangle)]
extern "C" fn fault(cause: u32, at: u32, address: u32) -> ! {
    print("exception, cause ");
    print_number(cause);
    print(" at ");
    print_number(at);
    print(", address ");
    print_number(address);
    print("\n");
    exit(false)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    print("panic");
    // What a panic says would have to be formatted; most of ours say something fixed.
    if let Some(text) = info.message().as_str() {
        print(": ");
        print(text);
    }
    print("\n");
    exit(false)
}
