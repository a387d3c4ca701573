//! Tells the linker where things go: esp-hal knows.

fn main() {
    println!("cargo::rustc-link-arg-bins=-Tlinkall.x");
}
