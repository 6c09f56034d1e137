//! `minima completions`: what a shell needs to complete the command line.

use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate};

use super::args::Cli;
use super::exit;
use super::output::Output;

/// Prints the script of a shell.
pub fn completions(shell: Shell, output: Output) -> u8 {
    let mut script = Vec::new();
    generate(shell, &mut shown(&Cli::command()), "minima", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if output.json {
        output.report(&super::json::completions(&shell.to_string(), &script));
    }
    output.text(&script);
    exit::OK
}

/// A command without what is hidden.
fn shown(command: &Command) -> Command {
    // Names live as long as the process, which ends when the script is written.
    let name: &'static str = command.get_name().to_string().leak();
    let about = command.get_about().cloned().unwrap_or_default();
    Command::new(name)
        .about(about)
        .args(command.get_arguments().filter(|argument| !argument.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().map(shown))
}
