//! The parser from outside.
use minima::diag::{Sources, render};
use minima::syntax::parse_file;

#[test]
fn design_blocks_parse() {
    let mut bad = 0;
    let mut files: Vec<_> = std::fs::read_dir("tests/cases/syntax")
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut sources = Sources::default();
        let id = sources.add(file.display().to_string(), text.clone());
        let (_, reports) = parse_file(id, &text);
        for report in &reports {
            println!("{}", render(report, &sources, false));
        }
        bad += reports.len();
    }
    assert_eq!(bad, 0);
}
