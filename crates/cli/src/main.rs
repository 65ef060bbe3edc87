//! The `assize` command: everything is in the library, so that tests can call it.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(assize::main(std::env::args_os()).code())
}
