//! What a program in C can do wrong, under the sanitizers.

use std::path::Path;
use std::process::Command;

use crate::library;

#[test]
fn every_mistake_that_can_be_seen_is_a_code() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/c/misuse.c");
    let program = library::compile("cc", &[source], &["-std=c11"], "misuse");
    let output = Command::new(program).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("every mistake is a code"), "{said}");
}

#[test]
fn structures_are_the_same_in_c_and_in_rust() {
    let source = library::folder().join("layout.c");
    let mut lines = String::from("#include <stdio.h>\n#include \"sensock.h\"\nint main(void) {\n");
    let sizes = [
        ("sensock_quantity", size_of::<sensock_ffi::QuantityInfo>()),
        ("sensock_command", size_of::<sensock_ffi::CommandInfo>()),
        ("sensock_setting", size_of::<sensock_ffi::SettingInfo>()),
        ("sensock_question", size_of::<sensock_ffi::AskInfo>()),
        ("sensock_config", size_of::<sensock_ffi::Config>()),
        ("sensock_reading", size_of::<sensock_ffi::ReadingIn>()),
        ("sensock_value", size_of::<sensock_ffi::Value>()),
        ("sensock_event", size_of::<sensock_ffi::Event>()),
        ("sensock_status", size_of::<sensock_ffi::Status>()),
        ("sensock_account", size_of::<sensock_ffi::Account>()),
        ("sensock_error", size_of::<sensock_ffi::Error>()),
    ];
    for (name, size) in sizes {
        lines += &format!("  _Static_assert(sizeof({name}) == {size}, \"{name}\");\n");
    }
    std::fs::write(&source, lines + "  return 0;\n}\n").unwrap();
    library::compile("cc", &[source], &["-std=c11"], "layout");
}
