//! What the measurement runs on.

use std::process::Command;

/// The processors that this process may use.
fn processors() -> Vec<String> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    let mut found = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
            found.extend((first..=last).map(|processor| processor.to_string()));
        }
    }
    found
}

/// Keeps this process, and those it starts from now on, on so many processors, the last ones. Where the system cannot, it
/// says so.
pub fn pin(threads: usize) {
    use std::sync::OnceLock;
    static ALL: OnceLock<Vec<String>> = OnceLock::new();
    let all = ALL.get_or_init(processors);
    let some = &all[all.len().saturating_sub(threads)..];
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

/// The processor, how many there are, the load, and the compiler.
pub fn name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let count = info.lines().filter(|line| line.starts_with("processor")).count();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let rustc = said("rustc", &["--version"]);
    let rustc: Vec<&str> = rustc.split(' ').take(2).collect();
    format!("{}, {count} processors, load {load}; {}", model.unwrap_or("unknown"), rustc.join(" "))
}
