//! `minima completions`: what a shell needs to complete the command line.

use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::{Shell, generate};

use super::args::Cli;
use super::exit;
use super::output::Output;

/// Bash would offer the options of a verb where a file is meant.
const FILES_IN_BASH: &str = r#"
# Options are offered where a word begins with `-`; what is left without an offer is a file.
_minima_words() {
    _minima "$@"
    local word words=()
    [[ "$2" == -* ]] && return 0
    for word in ${COMPREPLY[@]+"${COMPREPLY[@]}"}; do
        [[ "$word" == -* ]] || words+=("$word")
    done
    COMPREPLY=(${words[@]+"${words[@]}"})
}
complete -F _minima_words -o bashdefault -o default minima
"#;

/// Prints the script of a shell.
pub fn completions(shell: Shell, output: Output) -> u8 {
    let mut script = Vec::new();
    generate(shell, &mut shown(&Cli::command()), "minima", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Bash {
        script.push_str(FILES_IN_BASH);
    }
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
        // `help` is a verb of ours.
        .disable_help_subcommand(true)
        .args(command.get_arguments().filter(|argument| !argument.is_hide_set()).cloned().map(hinted))
        .subcommands(command.get_subcommands().map(shown))
}

/// An option whose value is a path, said so that every shell offers files.
fn hinted(argument: Arg) -> Arg {
    let any_path = matches!(argument.get_value_hint(), ValueHint::AnyPath);
    if any_path { argument.value_hint(ValueHint::FilePath) } else { argument }
}
