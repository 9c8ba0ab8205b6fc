//! SVG charts. The report's style sheet replaces their colours, so that they are readable in light and dark
//! mode.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

use crate::{Error, Result};

/// Text, axes and grid.
const INK: RGBColor = RGBColor(0x22, 0x22, 0x23);
const AXIS: RGBColor = RGBColor(0x88, 0x88, 0x89);
const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe5);

/// Ten colours that are distinguishable on white and on black (Okabe & Ito, extended).
pub(crate) const COLORS: [RGBColor; 10] = [
    RGBColor(0x1f, 0x83, 0xc4),
    RGBColor(0xe0, 0x7b, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xd2, 0x4d, 0x8f),
    RGBColor(0x8a, 0x63, 0xd2),
    RGBColor(0xb8, 0x98, 0x00),
    RGBColor(0xd5, 0x3a, 0x2f),
    RGBColor(0x4f, 0xa9, 0xe0),
    RGBColor(0x8c, 0x6d, 0x4f),
    RGBColor(0x7f, 0x8c, 0x8d),
];

/// A line of a chart.
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
    /// Whether to draw a marker at every point.
    pub marked: bool,
}

const SIZE: (u32, u32) = (480, 290);

/// A line chart. The `y` axis is logarithmic if all values are positive and span more than a factor of 20.
///
/// # Errors
/// If the chart cannot be drawn.
pub fn lines(x: &str, y: &str, lines: &[Line]) -> Result<String> {
    render(x, y, lines, false)
}

/// As [`lines`], with a logarithmic `x` axis, labelled at the points.
///
/// # Errors
/// If the chart cannot be drawn.
pub fn lines_over_log(x: &str, y: &str, lines: &[Line]) -> Result<String> {
    render(x, y, lines, true)
}

fn render(x: &str, y: &str, lines: &[Line], is_log: bool) -> Result<String> {
    let points = || lines.iter().flat_map(|line| line.points.iter().copied());
    let (low_x, high_x) = span(points().map(|(x, _)| x));
    let (low, high) = span(points().map(|(_, y)| y));
    let room = ((high - low) * 0.06).max(high.abs() * 1e-6).max(1e-9);
    let floor = if low >= 0.0 { (low - room).max(0.0) } else { low - room };
    let (xs, ys) = (low_x..high_x, floor..high + room);
    let log_xs = || {
        let mut labels: Vec<f64> = points().map(|(x, _)| x).collect();
        labels.sort_by(f64::total_cmp);
        // Labels that are too close would overlap.
        labels.dedup_by(|next, last| *next < *last * (high_x / low_x).powf(0.07));
        (low_x..high_x).log_scale().with_key_points(labels)
    };
    let log_ys = || (low * 0.9..high * 1.1).log_scale();
    let is_wide = low > 0.0 && high / low > 20.0;
    let height = |y: f64| match is_wide {
        true => (y / low).ln() / (high / low).ln(),
        false => (y - floor) / (high + room - floor),
    };
    let along = |x: f64| match is_log && low_x > 0.0 {
        true => (x / low_x).ln() / (high_x / low_x).ln(),
        false => (x - low_x) / (high_x - low_x),
    };
    let places = |line: &Line| line.points.iter().map(|(x, y)| (along(*x), height(*y))).collect();
    let legend = legend_corner(&lines.iter().map(places).collect::<Vec<Vec<_>>>());
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        match (is_log && low_x > 0.0, is_wide) {
            (false, false) => render_lines(&area, x, y, xs, ys, lines, legend),
            (false, true) => render_lines(&area, x, y, xs, log_ys(), lines, legend),
            (true, false) => render_lines(&area, x, y, log_xs(), ys, lines, legend),
            (true, true) => render_lines(&area, x, y, log_xs(), log_ys(), lines, legend),
        }
        .map_err(failed)?;
        area.present().map_err(|error| failed(error.into()))?;
    }
    Ok(svg)
}

type Failure = Box<dyn std::error::Error>;

fn failed(error: Failure) -> Error {
    Error::usage(format!("cannot draw a chart: {error}"))
}

fn mesh<'a, X, Y>(
    chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>,
    x: &str,
    y: &str,
) -> Result<(), Failure>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(AXIS)
        .x_desc(x)
        .y_desc(y)
        .x_labels(8)
        .y_labels(6)
        .x_label_formatter(&|value| short(*value))
        .y_label_formatter(&|value| short(*value))
        .label_style(("sans-serif", 13, &INK))
        .axis_desc_style(("sans-serif", 13, &INK))
        .draw()?;
    Ok(())
}

/// Points along a line, also between its own: a vertical line has only its ends.
fn along(line: &[(f64, f64)]) -> Vec<(f64, f64)> {
    const BETWEEN: usize = 12;
    let segments = line.windows(2).flat_map(|ends| {
        let [(x, y), (to_x, to_y)] = [ends[0], ends[1]];
        (0..BETWEEN).map(move |at| {
            let share = at as f64 / BETWEEN as f64;
            (x + share * (to_x - x), y + share * (to_y - y))
        })
    });
    segments.chain(line.last().copied()).collect()
}

/// The place where a legend covers the smallest part of lines through these points, whose coordinates are from 0 to 1;
/// prefers the right, then the left.
fn legend_corner(lines: &[Vec<(f64, f64)>]) -> SeriesLabelPosition {
    use SeriesLabelPosition::{
        LowerLeft, LowerMiddle, LowerRight, MiddleLeft, MiddleMiddle, MiddleRight, UpperLeft,
        UpperMiddle, UpperRight,
    };
    let corners = [
        (UpperRight, 0.85, 0.9),
        (MiddleRight, 0.85, 0.5),
        (LowerRight, 0.85, 0.1),
        (UpperLeft, 0.15, 0.9),
        (MiddleLeft, 0.15, 0.5),
        (LowerLeft, 0.15, 0.1),
        (UpperMiddle, 0.5, 0.9),
        (MiddleMiddle, 0.5, 0.5),
        (LowerMiddle, 0.5, 0.1),
    ];
    let lines: Vec<Vec<(f64, f64)>> = lines.iter().map(|line| along(line)).collect();
    let covered = |corner: &(SeriesLabelPosition, f64, f64)| -> f64 {
        let is_covered = |point: &&(f64, f64)| {
            (point.0 - corner.1).abs() < 0.2 && (point.1 - corner.2).abs() < 0.17
        };
        let share = |line: &Vec<(f64, f64)>| {
            line.iter().filter(is_covered).count() as f64 / line.len().max(1) as f64
        };
        lines.iter().map(share).sum()
    };
    let free = corners.into_iter().min_by(|a, b| covered(a).total_cmp(&covered(b)));
    free.map_or(UpperRight, |(corner, _, _)| corner)
}

fn render_lines<'a, X, Y>(
    area: &DrawingArea<SVGBackend<'a>, Shift>,
    x: &str,
    y: &str,
    xs: X,
    ys: Y,
    lines: &[Line],
    legend: SeriesLabelPosition,
) -> Result<(), Failure>
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .x_label_area_size(40)
        .y_label_area_size(58)
        .build_cartesian_2d(xs, ys)?;
    mesh(&mut chart, x, y)?;
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| !line.points.is_empty()) {
        let color = COLORS[index % COLORS.len()];
        let style = color.stroke_width(2);
        // The chart would draw a NaN in a corner.
        let is_finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        let points = || line.points.iter().copied().filter(is_finite);
        chart
            .draw_series(LineSeries::new(points(), style))?
            .label(line.name.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        if line.marked {
            let marks = points().map(|point| Circle::new(point, 3, color.filled()));
            chart.draw_series(marks)?;
        }
    }
    chart.configure_series_labels().position(legend).label_font(("sans-serif", 13, &INK)).draw()?;
    Ok(())
}

/// A scatter plot, coloured by class; after ten classes the colours repeat.
///
/// # Errors
/// If the chart cannot be drawn.
pub fn scatter(x: &str, y: &str, points: &[(f64, f64, usize)]) -> Result<String> {
    let (low_x, high_x) = padded(span(points.iter().map(|point| point.0)));
    let (low_y, high_y) = padded(span(points.iter().map(|point| point.1)));
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (480, 400)).into_drawing_area();
        let result = (|| -> Result<(), Failure> {
            let mut chart = ChartBuilder::on(&area)
                .margin(8)
                .x_label_area_size(40)
                .y_label_area_size(48)
                .build_cartesian_2d(low_x..high_x, low_y..high_y)?;
            chart
                .configure_mesh()
                .bold_line_style(GRID)
                .light_line_style(TRANSPARENT)
                .axis_style(AXIS)
                .x_desc(x)
                .y_desc(y)
                .x_labels(6)
                .y_labels(6)
                .x_label_formatter(&|value| short(*value))
                .y_label_formatter(&|value| short(*value))
                .label_style(("sans-serif", 13, &INK))
                .axis_desc_style(("sans-serif", 13, &INK))
                .draw()?;
            chart.draw_series(points.iter().map(|(x, y, class)| {
                Circle::new((*x, *y), 2, COLORS[class % COLORS.len()].mix(0.75).filled())
            }))?;
            area.present()?;
            Ok(())
        })();
        result.map_err(failed)?;
    }
    Ok(svg)
}

/// A histogram with bins of equal width between `low` and `high`.
///
/// # Errors
/// If the chart cannot be drawn.
pub fn histogram(x: &str, y: &str, [low, high]: [f64; 2], counts: &[usize]) -> Result<String> {
    let max = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let width = (high - low) / counts.len().max(1) as f64;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let result = (|| -> Result<(), Failure> {
            let mut chart = ChartBuilder::on(&area)
                .margin(8)
                .x_label_area_size(40)
                .y_label_area_size(58)
                .build_cartesian_2d(low..high, 0.0..max * 1.05)?;
            mesh(&mut chart, x, y)?;
            let bars = counts.iter().enumerate().map(|(bin, count)| {
                let left = low + width * (bin as f64 + 0.08);
                let corners = [(left, 0.0), (left + 0.84 * width, *count as f64)];
                Rectangle::new(corners, COLORS[0].filled())
            });
            chart.draw_series(bars)?;
            area.present()?;
            Ok(())
        })();
        result.map_err(failed)?;
    }
    Ok(svg)
}

/// `#1f83c4`
pub(crate) fn hex(color: RGBColor) -> String {
    format!("#{:02x}{:02x}{:02x}", color.0, color.1, color.2)
}

fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    match low <= high {
        true if low == high => (low, high + low.abs().max(1.0) * 1e-3),
        true => (low, high),
        false => (0.0, 1.0),
    }
}

fn padded((low, high): (f64, f64)) -> (f64, f64) {
    let room = (high - low) * 0.04;
    (low - room, high + room)
}

/// A number on an axis, without trailing zeros.
fn short(value: f64) -> String {
    // Axis labels are computed by addition, so that 0 may be 1e-17.
    if (1e-12..1e-4).contains(&value.abs()) {
        return format!("{value:.0e}");
    }
    let rounded = format!("{value:.4}");
    let rounded = rounded.trim_end_matches('0').trim_end_matches('.');
    match rounded {
        "-0" | "" => "0".to_owned(),
        _ => rounded.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legend_covers_as_few_points_as_possible() {
        let flat = |height: f64| (0..9).map(|x| (f64::from(x) / 8.0, height)).collect::<Vec<_>>();
        let position = |lines: &[Vec<(f64, f64)>]| match legend_corner(lines) {
            SeriesLabelPosition::UpperRight => "upper right",
            SeriesLabelPosition::MiddleRight => "middle right",
            SeriesLabelPosition::LowerRight => "lower right",
            SeriesLabelPosition::LowerLeft => "lower left",
            SeriesLabelPosition::UpperMiddle => "upper middle",
            _ => "elsewhere",
        };
        assert_eq!(position(&[flat(0.3)]), "upper right");
        assert_eq!(position(&[flat(0.9)]), "middle right");
        // One line is flat at the top; the others cover the rest of the right side.
        let falling: Vec<_> =
            (0..900).map(|x| f64::from(x) / 899.0).map(|x| (x, 1.0 - x)).collect();
        let right: Vec<_> = (0..900).map(|y| (0.85, f64::from(y) / 899.0)).collect();
        assert_eq!(position(&[flat(0.95), falling, right]), "lower left");
        // A vertical line on the right, and one on the left.
        let vertical = |x: f64| vec![(x, 0.0), (x, 1.0)];
        assert_eq!(position(&[vertical(0.8), vertical(0.2)]), "upper middle");
    }

    #[test]
    fn degenerate_charts_render() {
        let line = |points: &[(f64, f64)]| Line {
            name: "a <line>".into(),
            points: points.to_vec(),
            marked: true,
        };
        for points in [
            &[][..],
            &[(1.0, 5.0)],
            &[(0.0, 1.0), (1.0, 1000.0)],
            &[(0.0, -1.0), (2.0, 1.0)],
            &[(0.0, 0.0), (1.0, 0.0)],
            &[(0.0, f64::NAN), (1.0, 2.0)],
        ] {
            let svg = lines("epoch", "loss", &[line(points)]).unwrap();
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
            let finite = points.iter().filter(|(x, y)| x.is_finite() && y.is_finite()).count();
            assert_eq!(svg.matches("<circle").count(), finite, "{points:?}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{points:?}");
            assert!(!svg.contains("<line>"), "names are escaped");
            let is_named = svg.contains("a &lt;line&gt;");
            assert_eq!(is_named, !points.is_empty(), "the legend has only lines with points");
        }
        for counts in [&[][..], &[0, 0], &[3, 0, 7]] {
            assert!(histogram("x", "y", [0.0, 1.0], counts).unwrap().starts_with("<svg"));
        }
        let svg = lines_over_log("x", "y", &[line(&[(2.0, 1.0), (64.0, 2.0)])]).unwrap();
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains("\n64\n"), "ticks are at the points");
        assert!(!scatter("x", "y", &[]).unwrap().contains("<circle"));
        assert!(scatter("x", "y", &[(0.0, 1.0, 12)]).unwrap().contains("<circle"));
        assert_eq!([0.0, 2.50, -5.6e-17, 1e-5].map(short), ["0", "2.5", "0", "1e-5"]);
        assert_eq!([-1e-6, 1234.0].map(short), ["-1e-6", "1234"]);
    }
}
