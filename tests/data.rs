//! The data room against files on disk: the bad ones say what their programs expect, the examples load.

use std::path::Path;

use minima::data::{Loaded, Pick, Reading, Table, Values, load, load_as, matrix, standardize};

const LIMIT: u64 = 1 << 26;

/// What a program under `bad_data` loads, and the report it expects: `let data = csv("f")` and
/// `error E0601: message` below it.
fn expectation(program: &str) -> Option<(&str, &str, &str, &str)> {
    let load = program.lines().find(|line| line.starts_with("let data = "))?;
    let (kind, rest) = load.strip_prefix("let data = ")?.split_once("(\"")?;
    let (file, _) = rest.split_once('"')?;
    let (_, expected) = program.split_once("error ")?;
    let (code, message) = expected.trim_end().split_once(": ")?;
    Some((kind, file, code, message))
}

#[test]
fn bad_files_say_what_their_programs_expect() {
    let folder = Path::new("tests/cases/errors/bad_data");
    let mut seen = 0;
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "opt") {
            continue;
        }
        let program = std::fs::read_to_string(&path).unwrap();
        let Some((kind, file, code, message)) = expectation(&program) else {
            continue;
        };
        if let Err(error) =
            load_as(folder, Reading { function: kind, path: file, drop_missing: false }, LIMIT)
        {
            assert_eq!(error.code, code, "{}", path.display());
            assert!(error.message.starts_with(message), "{error:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 18);
}

fn table(name: &str) -> Table {
    match load(Path::new("examples/data"), name, LIMIT) {
        Ok(Loaded::Table(table)) => table,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn example_data_load_with_their_shapes() {
    let shapes = [
        ("breast_cancer.csv", 569, 31),
        ("diabetes.csv", 442, 11),
        ("digits.csv", 1797, 65),
        ("iris.csv", 150, 5),
        ("misra1a.csv", 14, 2),
        ("randhie.csv", 20190, 10),
        ("stackloss.csv", 21, 4),
    ];
    for (name, rows, columns) in shapes {
        let table = table(name);
        assert_eq!((table.rows, table.columns.len()), (rows, columns), "{name}");
    }
}

/// Least squares on the standardized columns, with figures from NumPy: the slope of one column is
/// the mean of its product with the target.
#[test]
fn standardized_columns_agree_with_numpy() {
    let data = table("diabetes.csv");
    let except = ["target".to_string()];
    let (x, names) = matrix(&data, Pick::Except(&except)).unwrap();
    let x = standardize(&x, None, Some(&names)).unwrap();
    let bmi = names.iter().position(|name| name == "bmi").unwrap();
    let Values::Tensor(target) = &data.column("target").unwrap().values else {
        panic!("numbers were expected")
    };
    let products = target.to_reals().into_iter().enumerate();
    let slope = products.map(|(row, y)| y * x.reals()[row * names.len() + bmi]);
    let slope = slope.sum::<f64>() / 442.0;
    assert!((slope - SLOPE).abs() < 1e-12 * SLOPE, "{slope}");
}

const SLOPE: f64 = 45.160_030_020_462_17;
