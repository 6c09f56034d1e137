//! `minima completions`: what a shell needs to complete the command line.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::args::Cli;
use super::exit;
use super::output::Output;

/// Prints the script of a shell.
pub fn completions(shell: Shell, output: Output) -> u8 {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "minima", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if output.json {
        output.report(&super::json::completions(&shell.to_string(), &script));
    }
    output.text(&script);
    exit::OK
}
