//! Help that fits a screen: the verbs by what they are for, a page for each verb, and pages about
//! what all verbs have in common.
//!
//! The options of every verb are told on a page of their own, not again on the page of each verb.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Command, CommandFactory};

use super::args::{Cli, EVERY_VERB};
use super::exit;
use super::source::Failure;
use crate::diag::nearest;

/// The verbs by what they are for. A verb that is not built is left out.
const GROUPS: &[(&str, &[&str])] = &[
    ("Run and explore", &["run", "repl", "eval", "watch", "compare", "bench"]),
    ("Write and check", &["new", "fmt", "check", "test", "gradcheck"]),
    ("Look inside", &["optimizers", "doc", "grad", "ir", "explain"]),
    ("Tools", &["lsp", "completions", "help", "version"]),
];

/// What stands below the verbs.
const AFTER: &str = "\
Example: minima run examples/rosenbrock.opt
More: `minima VERB --help`, `minima help options`, `minima help exit-codes`";

/// What stands below the page of each verb.
const ALSO: &str = "Options of every verb, such as --json, --quiet, --seed, --threads: minima help options";

/// The pages that are not about one verb.
const TOPICS: [(&str, &str); 2] =
    [("options", "the options of every verb"), ("exit-codes", "the exit codes")];

/// The command line, with the help that the user sees.
pub fn command() -> Command {
    let hidden =
        |command: Command| command.mut_args(|arg| if is_shared(&arg) { arg.hide(true) } else { arg });
    let command = hidden(Cli::command());
    let names: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_string()).collect();
    let overview = overview(&command);
    let pages = names.into_iter().fold(command, |command, name| command.mut_subcommand(name, page));
    pages.help_template(overview).after_help(AFTER)
}

/// Whether an argument is an option of every verb.
fn is_shared(arg: &clap::Arg) -> bool {
    arg.get_help_heading() == Some(EVERY_VERB)
}

/// The page of a verb: what it has to say, and where the shared options are told.
fn page(verb: Command) -> Command {
    let own = verb.get_after_help().map(|text| format!("{text}\n")).unwrap_or_default();
    verb.after_help(format!("{own}{ALSO}"))
}

/// The page of `minima --help`.
fn overview(command: &Command) -> StyledStr {
    let header = command.get_styles().get_header();
    let mut text = "{about}\n{usage-heading} minima VERB [ARGUMENTS]\n".to_string();
    for (title, names) in GROUPS {
        let verbs = names.iter().filter_map(|name| command.find_subcommand(name));
        let lines = verbs.map(|verb| format!("  {:<12} {}", verb.get_name(), about(verb)));
        write!(text, "\n{header}{title}:{header:#}\n{}", lines.collect::<Vec<_>>().join("\n"))
            .expect("a string takes all");
    }
    StyledStr::from(text + "{after-help}")
}

fn about(verb: &Command) -> String {
    verb.get_about().map(ToString::to_string).unwrap_or_default()
}

/// The page of a topic: a verb, the options of every verb, or the exit codes.
///
/// # Errors
/// When there is no such page.
pub fn help(topic: Option<&str>) -> Result<String, Failure> {
    let mut command = command();
    command.build();
    match topic {
        None => Ok(command.render_help().to_string()),
        Some("options") => Ok(options()),
        Some("exit-codes") => Ok(exit::HELP.to_string()),
        Some(name) => match command.find_subcommand_mut(name) {
            Some(verb) => Ok(verb.render_help().to_string()),
            None => Err(unknown(name, &command)),
        },
    }
}

/// The page about the options of every verb.
fn options() -> String {
    let verbs =
        |arg: clap::Arg| if is_shared(&arg) { arg.help_heading(None::<&str>) } else { arg.hide(true) };
    let command = Cli::command().mut_args(verbs).disable_help_flag(true).disable_version_flag(true);
    let listed = command.help_template("{options}").render_help().to_string();
    format!(
        "{EVERY_VERB}, before or after its arguments:\n\n{}\n\nExample: minima run fit.opt --json --seed 7",
        listed.trim_end()
    )
}

/// There is no such page: what was probably meant, or what there is.
fn unknown(name: &str, command: &Command) -> Failure {
    let verbs = command.get_subcommands().map(Command::get_name);
    let known: Vec<&str> = verbs.chain(TOPICS.iter().map(|(topic, _)| *topic)).collect();
    let message = format!("there is no help about `{name}`");
    Failure::usage(match nearest(name, known.iter().copied()) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => format!("{message}; `minima help` lists the verbs"),
    })
}

#[cfg(test)]
mod tests {
    use super::{AFTER, GROUPS, command, help};

    /// The most lines of a page, and the most columns of the overview.
    const SCREEN: (usize, usize) = (30, 80);

    #[test]
    fn every_verb_is_in_one_group() {
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        for verb in command().get_subcommands() {
            let count = grouped.iter().filter(|name| **name == verb.get_name()).count();
            assert_eq!(count, 1, "{} stands once in GROUPS", verb.get_name());
        }
        let all = GROUPS.len() + grouped.len() + AFTER.lines().count();
        assert!(all + 4 <= SCREEN.0, "the overview fits a screen when every verb is built");
    }

    #[test]
    fn every_page_fits_a_screen_and_has_an_example() {
        let command = command();
        let verbs: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert!(verbs.len() > 10);
        for topic in verbs.into_iter().map(Some).chain([None, Some("options"), Some("exit-codes")]) {
            let text = help(topic).unwrap_or_else(|failure| panic!("{}", failure.message));
            let lines = text.trim_end().lines().count();
            assert!(lines <= SCREEN.0, "the page of {topic:?} has {lines} lines, {} fit a screen", SCREEN.0);
            let example = text.lines().find(|line| line.starts_with("Example: "));
            assert!(
                example.is_some_and(|line| line.contains("minima")),
                "the page of {topic:?} has an example"
            );
        }
        let overview = help(None).unwrap_or_else(|failure| panic!("{}", failure.message));
        let wide: Vec<&str> = overview.lines().filter(|line| line.chars().count() > SCREEN.1).collect();
        assert!(wide.is_empty(), "{wide:?}");
    }
}
