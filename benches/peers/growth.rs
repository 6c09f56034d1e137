//! How cost grows with the size: rows 3, 4 and 9 from 10 to 10^7, as a picture, `docs/growth.svg`.

use std::fmt::Write as _;
use std::path::Path;

use super::columns;
use super::measure::measure;
use super::rows::{Row, growing, sigmoid, valley};

/// A curve: seconds of a step by size.
type Curve = Vec<(f64, f64)>;

/// A panel of the picture.
struct Panel {
    title: &'static str,
    sizes: &'static str,
    ours: Curve,
    jax: Curve,
}

/// Steps that take about a twentieth of a second, if an element takes some nanoseconds, and enough of them that what
/// the first ones cost beside does not show.
fn steps(elements: usize) -> usize {
    (10_000_000 / elements).clamp(50, 20_000)
}

/// A row of so many elements, and its steps.
type Make = fn(usize) -> (Row, usize);

/// The title, what is counted, the greatest power of ten, and the row.
const PANELS: &[(&str, &str, u32, Make)] = &[
    ("Rosenbrock, Adam (row 3)", "time of a step, by unknowns", 7, |n| {
        (valley("3", n, steps(n), (0.0, 0.0)), steps(n))
    }),
    // 10^7 rows are 2.4 GB on each side.
    ("logistic regression, Adam (row 4)", "time of a step, by rows of 30 measurements", 6, |n| {
        (growing(n, steps(30 * n)), steps(30 * n))
    }),
    ("sigmoid(affine) (row 9)", "time of a turn, by elements", 7, |n| (sigmoid(n, steps(n)), steps(n))),
];

/// Measures all sizes, prints them, and draws the picture.
pub fn draw(made: &Path, rounds: usize) {
    let mut peers = columns::start(|name| name == "JAX", 1, made);
    let mut panels = Vec::new();
    for (title, sizes, most, make) in PANELS {
        let mut panel = Panel { title, sizes, ours: Vec::new(), jax: Vec::new() };
        for n in (1..=*most).map(|power| 10_usize.pow(power)) {
            let (row, steps) = make(n);
            let found = measure(&row, &mut peers, rounds, 1);
            #[expect(clippy::cast_precision_loss, reason = "at most 10^7")]
            let (n, steps) = (n as f64, steps as f64);
            panel.ours.push((n, found.ours / steps));
            panel.jax.extend(found.peer().map(|peer| (n, peer.seconds / steps)));
            let jax = panel.jax.last().map_or(f64::NAN, |(_, seconds)| *seconds);
            println!(
                "{title}, {n:e}: {:.3e} s, JAX {jax:.3e} s, ratio {:.3}",
                found.ours / steps,
                found.ours / steps / jax
            );
        }
        panels.push(panel);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/growth.svg");
    std::fs::write(&path, svg(&panels)).unwrap();
    println!("written to {}", path.display());
}

/// The size of a panel, and where it stands.
const WIDTH: f64 = 250.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 62.0;
const TOP: f64 = 46.0;
const APART: f64 = 320.0;

/// The least and greatest powers of ten of the seconds.
fn powers(panels: &[Panel]) -> (f64, f64) {
    let all = panels
        .iter()
        .flat_map(|panel| panel.ours.iter().chain(&panel.jax))
        .map(|(_, seconds)| seconds.log10());
    all.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| (lo.min(x.floor()), hi.max(x.ceil())))
}

/// A power of ten of seconds for people.
fn tick(power: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a small integer")]
    let power = power as i32;
    let (unit, least) = [("s", 0), ("ms", -3), ("us", -6), ("ns", -9)]
        .into_iter()
        .find(|(_, least)| power >= *least)
        .unwrap_or(("ns", -9));
    format!("{} {unit}", 10_f64.powi(power - least))
}

/// The picture.
fn svg(panels: &[Panel]) -> String {
    let (lo, hi) = powers(panels);
    let mut text = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 980 380\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"980\" height=\"380\" fill=\"white\"/>\n",
    );
    for (panel, at) in panels.iter().zip([0.0, 1.0, 2.0]) {
        let left = LEFT + at * APART;
        let x = |n: f64| left + (n.log10() - 1.0) / 6.0 * WIDTH;
        let y = |seconds: f64| TOP + HEIGHT - (seconds.log10() - lo) / (hi - lo) * HEIGHT;
        let middle = left + WIDTH / 2.0;
        let _ = writeln!(
            text,
            "<text x=\"{middle}\" y=\"28\" text-anchor=\"middle\" font-size=\"14\">{}</text>",
            panel.title
        );
        for power in 1..=7 {
            let x = x(10_f64.powi(power));
            let (bottom, under) = (TOP + HEIGHT, TOP + HEIGHT + 18.0);
            let _ = writeln!(text, "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/>");
            let _ = writeln!(
                text,
                "<text x=\"{x:.1}\" y=\"{under}\" text-anchor=\"middle\">10<tspan dx=\"2\" dy=\"-5\" font-size=\"9\">{power}</tspan></text>"
            );
        }
        let mut power = lo;
        while power <= hi {
            let (y, right, before) = (y(10_f64.powf(power)), left + WIDTH, left - 6.0);
            let _ = writeln!(text, "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#ddd\"/>");
            let _ = writeln!(
                text,
                "<text x=\"{before}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                y + 4.0,
                tick(power)
            );
            power += 1.0;
        }
        for (curve, color) in [(&panel.jax, "#d55e00"), (&panel.ours, "#0072b2")] {
            let points: Vec<String> =
                curve.iter().map(|(n, s)| format!("{:.1},{:.1}", x(*n), y(*s))).collect();
            let _ = writeln!(
                text,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>",
                points.join(" ")
            );
            for (n, s) in curve {
                let _ = writeln!(
                    text,
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{color}\"/>",
                    x(*n),
                    y(*s)
                );
            }
        }
        let under = TOP + HEIGHT + 38.0;
        let _ = writeln!(
            text,
            "<text x=\"{middle}\" y=\"{under}\" text-anchor=\"middle\">{}</text>",
            panel.sizes
        );
    }
    for (x, color, name) in [(380.0, "#0072b2", "Minima"), (500.0, "#d55e00", "JAX, one jit")] {
        let _ = writeln!(
            text,
            "<path d=\"M{x} 364h24\" stroke=\"{color}\" stroke-width=\"2\"/><text x=\"{}\" y=\"368\">{name}</text>",
            x + 30.0
        );
    }
    text + "</svg>\n"
}
