//! The libraries as a C program gets them, and the compiler that links them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A folder with `libsensock_ffi.a`, `libsensock_ffi.so`, and the door to the byte vectors.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sensock-ffi-host");
        std::fs::create_dir_all(&folder).unwrap();
        // Beside this program lies what cargo builds; its own name ends in `target/PROFILE/deps/host-…`.
        let program = std::env::current_exe().unwrap();
        let target = program.ancestors().nth(3).unwrap();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let build = |arguments: &[&str]| {
            let mut build = Command::new(&cargo);
            build.args(arguments).arg("--target-dir").arg(target.join("ffi"));
            assert!(build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success(), "{build:?}");
        };
        build(&["rustc", "--quiet", "--lib", "--package", "sensock-ffi", "--crate-type", "staticlib,cdylib"]);
        build(&["build", "--quiet", "--package", "sensock-ffi-vectors"]);
        for name in ["libsensock_ffi.a", "libsensock_ffi.so", "libsensock_ffi_vectors.so"] {
            std::fs::copy(target.join("ffi/debug").join(name), folder.join(name)).unwrap();
        }
        folder
    });
    &FOLDER
}

/// Compiles a program in C or C++ with warnings as errors and the sanitizers on, and links it with the library.
pub(crate) fn compile(compiler: &str, sources: &[PathBuf], flags: &[&str], name: &str) -> PathBuf {
    try_compile(compiler, sources, flags, name).unwrap_or_else(|said| panic!("{said}"))
}

/// As [`compile`]; what the compiler said if it refuses.
pub(crate) fn try_compile(
    compiler: &str,
    sources: &[PathBuf],
    flags: &[&str],
    name: &str,
) -> Result<PathBuf, String> {
    let program = folder().join(name);
    let mut command = Command::new(compiler);
    command.args(["-g", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined,address"]);
    command.arg("-fno-sanitize-recover=all").args(flags).arg("-I").arg(header_folder()).args(sources);
    command.arg(folder().join("libsensock_ffi.a")).args(["-lpthread", "-ldl", "-lm", "-o"]).arg(&program);
    let output = command.output().unwrap_or_else(|e| {
        panic!("{compiler} is needed to test the C ABI (Debian package gcc or g++): {e}")
    });
    match output.status.success() {
        true => Ok(program),
        false => Err(format!("{command:?}\n{}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// Where `sensock.h` lies.
pub(crate) fn header_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

/// A folder of the examples for the ESP8266.
pub(crate) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/esp8266").join(name)
}
