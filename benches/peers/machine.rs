//! What the measurement runs on.

use std::process::Command;
use std::sync::OnceLock;

/// The processors that this process could use when it began.
fn all() -> &'static [String] {
    static ALL: OnceLock<Vec<String>> = OnceLock::new();
    ALL.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let mut found = Vec::new();
        for part in list.unwrap_or_default().trim().split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
                found.extend((first..=last).map(|processor| processor.to_string()));
            }
        }
        found
    })
}

/// How many processors this process could use when it began.
pub fn processors() -> usize {
    all().len()
}

/// Keeps this process, and those it starts from now on, on so many processors, the last ones. Where the system cannot, it
/// says so.
pub fn pin(threads: usize) {
    let some = &all()[all().len().saturating_sub(threads)..];
    let process = std::process::id().to_string();
    let done = Command::new("taskset").args(["-cp", &some.join(","), &process]).output();
    if !done.is_ok_and(|output| output.status.success()) {
        println!("the processes are not kept on {threads} processors: `taskset` failed");
    }
}

/// The first line of what a command says.
fn said(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_string()
}

/// How many processes wait for a processor, on average over a minute.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_string()
}

/// The processor, how many there are, and the compiler.
pub fn name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let rustc = said("rustc", &["--version"]);
    let rustc: Vec<&str> = rustc.split(' ').take(2).collect();
    format!("{}, {} processors, {}", model.unwrap_or("unknown"), processors(), rustc.join(" "))
}
