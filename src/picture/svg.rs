//! A figure as SVG. Its colors are classes of a style sheet, which has them for light and for dark pages.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::figure::Figure;
use super::layout;
use super::palette::{hex, rgb};
use super::scene::{Anchor, Color, Point, Shape};

/// The letters of the text.
const FONT: &str = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif";

/// The figure as an SVG document. Inside a page it is `inline`: without a background of its own.
pub fn svg(figure: &Figure, inline: bool) -> String {
    let scene = layout::scene(figure);
    let mut colors: BTreeMap<String, Color> = BTreeMap::new();
    let mut body = String::new();
    for shape in &scene.shapes {
        draw(&mut body, shape, &mut colors);
    }
    colors.insert(name(Color::Back), Color::Back);
    let rules = |dark: bool| {
        let rule = |(name, color): (&String, &Color)| format!(".{name}{{color:{}}}", hex(rgb(*color, dark)));
        colors.iter().map(rule).collect::<String>()
    };
    let (width, height) = (number(scene.width), number(scene.height));
    let title = escaped(figure.title.as_deref().unwrap_or(figure.kind));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"mp\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{title}\" font-family=\"{}\">\n",
        FONT.replace('"', "'")
    );
    // `currentColor` is the color of the class: one rule serves lines and areas.
    let _ = writeln!(
        out,
        "<style>.mp .s{{fill:none;stroke:currentColor;stroke-linecap:round;stroke-linejoin:round}}\
         .mp .f{{fill:currentColor;fill-rule:evenodd}}\n{}\n@media (prefers-color-scheme:dark){{{}}}</style>",
        rules(false),
        rules(true)
    );
    if !inline {
        let _ =
            writeln!(out, "<rect class=\"f {}\" width=\"{width}\" height=\"{height}\"/>", name(Color::Back));
    }
    out + &body + "</svg>\n"
}

/// The class of a color.
fn name(color: Color) -> String {
    match color {
        Color::Back => "mb".into(),
        Color::Ink => "mi".into(),
        Color::Soft => "mt".into(),
        Color::Faint => "mf".into(),
        Color::Series(k) => format!("m{}", k % super::palette::KINDS),
        Color::Way(k) => format!("mw{k}"),
        Color::Band(k, of) => format!("mk{k}-{of}"),
        Color::Level => "ml".into(),
        Color::Fixed(_) => String::new(),
    }
}

/// The attributes that give a shape its color, as a line or an area.
fn paint(kind: &str, color: Color, colors: &mut BTreeMap<String, Color>) -> String {
    if let Color::Fixed(rgb) = color {
        return format!("class=\"{kind}\" color=\"{}\"", hex(rgb));
    }
    colors.insert(name(color), color);
    format!("class=\"{kind} {}\"", name(color))
}

fn draw(out: &mut String, shape: &Shape, colors: &mut BTreeMap<String, Color>) {
    // Writing to a string cannot fail.
    let _ = match shape {
        Shape::Strokes { lines, color, width, dash } => {
            let paint = paint("s", *color, colors);
            let dash = if *dash { " stroke-dasharray=\"6 4\"" } else { "" };
            writeln!(
                out,
                "<path {paint} stroke-width=\"{}\"{dash} d=\"{}\"/>",
                number(*width),
                path(lines, false)
            )
        }
        Shape::Fill { outlines, color } => {
            writeln!(out, "<path {} d=\"{}\"/>", paint("f", *color, colors), path(outlines, true))
        }
        Shape::Cells { outlines, color } => {
            let (paint, path) = (paint("f", *color, colors), path(outlines, true));
            writeln!(out, "<path {paint} shape-rendering=\"crispEdges\" d=\"{path}\"/>")
        }
        Shape::Box { at: (x, y), size: (width, height), color } => writeln!(
            out,
            "<rect {} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            paint("f", *color, colors),
            number(*x),
            number(*y),
            number(*width),
            number(*height)
        ),
        Shape::Discs { at, radius, color } => {
            // A line without length and round ends is a disc: shorter than a circle for each.
            let dots: Vec<Vec<Point>> = at.iter().map(|point| vec![*point, *point]).collect();
            let paint = paint("s", *color, colors);
            writeln!(
                out,
                "<path {paint} stroke-width=\"{}\" d=\"{}\"/>",
                number(2.0 * radius),
                path(&dots, false)
            )
        }
        Shape::Ring { at: (x, y), radius, color, width } => writeln!(
            out,
            "<circle {} stroke-width=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
            paint("s", *color, colors),
            number(*width),
            number(*x),
            number(*y),
            number(*radius)
        ),
        Shape::Text { at: (x, y), text, size, anchor, upright, bold, color } => {
            let anchor = match anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            };
            let (x, y) = (number(*x), number(*y));
            let turn = if *upright { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
            let weight = if *bold { " font-weight=\"600\"" } else { "" };
            let (paint, size) = (paint("f", *color, colors), number(*size));
            let text = escaped(text);
            writeln!(
                out,
                "<text {paint} x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{anchor}{weight}{turn}>{text}</text>"
            )
        }
    };
}

/// The data of a path: absolute where a line begins, then steps.
fn path(lines: &[Vec<Point>], closed: bool) -> String {
    let mut out = String::new();
    for line in lines {
        let mut last = (0, 0);
        for (k, (x, y)) in line.iter().enumerate() {
            let at = (tenths(*x), tenths(*y));
            let (dx, dy) = (at.0 - last.0, at.1 - last.1);
            // Writing to a string cannot fail.
            let _ = match k {
                0 => write!(out, "M{} {}", tenth(at.0), tenth(at.1)),
                1 => write!(out, "l{} {}", tenth(dx), tenth(dy)),
                _ => write!(out, " {} {}", tenth(dx), tenth(dy)),
            };
            last = at;
        }
        if closed {
            out.push('z');
        }
    }
    out
}

/// Tenths of a pixel, whole.
fn tenths(x: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
    let whole = (x * 10.0).round() as i64;
    whole.clamp(-1_000_000, 1_000_000)
}

fn tenth(tenths: i64) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    let (whole, part) = (tenths.abs() / 10, tenths.abs() % 10);
    if part == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

fn number(x: f64) -> String {
    tenth(tenths(x))
}

/// Text without anything that XML could take as its own.
pub fn escaped(text: &str) -> String {
    let spelled = |letter: char| match letter {
        '&' => "&amp;".to_string(),
        '<' => "&lt;".to_string(),
        '>' => "&gt;".to_string(),
        '"' => "&quot;".to_string(),
        '\'' => "&#39;".to_string(),
        letter if letter.is_control() && letter != '\n' || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
            " ".to_string()
        }
        letter => letter.to_string(),
    };
    text.chars().map(spelled).collect()
}
