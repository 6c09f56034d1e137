//! The `minima` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    minima::cli::main(std::env::args_os())
}
