//! Charts of measurements as SVG.

use std::path::Path;

use plotters::prelude::*;

/// Measured points, and a line through them.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    pub fit: Vec<(f64, f64)>,
}

const COLORS: [RGBColor; 3] =
    [RGBColor(0x1f, 0x83, 0xc4), RGBColor(0xe0, 0x7b, 0x00), RGBColor(0x00, 0x9e, 0x73)];
const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe5);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Writes lines over two logarithmic axes that are marked where there are points; or, with `is_log`
/// false, over two linear ones from 0.
pub fn write(path: &Path, [x, y]: [&str; 2], lines: &[Line], is_log: bool) -> Result<()> {
    let points = || lines.iter().flat_map(|line| line.points.iter().copied());
    let span = |values: Vec<f64>| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        [low, values.into_iter().fold(0.0, f64::max)]
    };
    let [left, right] = span(points().map(|(x, _)| x).collect());
    let [low, high] = span(points().map(|(_, y)| y).collect());
    let area = SVGBackend::new(path, (520, 320)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut builder = ChartBuilder::on(&area);
    builder.margin(10).margin_right(24).x_label_area_size(42).y_label_area_size(62);
    // Both kinds of axes are types of their own, so what is drawn on them cannot be shared as a function.
    macro_rules! draw {
        ($chart:expr) => {{
            let mut chart = $chart;
            chart
                .configure_mesh()
                .bold_line_style(GRID)
                .light_line_style(TRANSPARENT)
                .x_desc(x)
                .y_desc(y)
                .y_labels(6)
                .x_label_formatter(&|value| format!("{value}"))
                .y_label_formatter(&|value| short(*value))
                .label_style(("sans-serif", 13))
                .draw()?;
            for (line, color) in lines.iter().zip(COLORS) {
                chart
                    .draw_series(LineSeries::new(line.fit.iter().copied(), color.stroke_width(2)))?
                    .label(line.name.clone())
                    .legend(move |(x, y)| Circle::new((x + 9, y), 4, color.filled()));
                let marks = line.points.iter().map(|point| Circle::new(*point, 4, color.filled()));
                chart.draw_series(marks)?;
            }
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperLeft)
                .label_font(("sans-serif", 13))
                .draw()?;
        }};
    }
    if is_log {
        let mut marks: Vec<f64> = points().map(|(x, _)| x).collect();
        marks.sort_by(f64::total_cmp);
        marks.dedup();
        let xs = (left..right).log_scale().with_key_points(marks);
        draw!(builder.build_cartesian_2d(xs, (low * 0.8..high * 1.6).log_scale())?);
    } else {
        draw!(builder.build_cartesian_2d(0.0..right * 1.05, 0.0..high * 1.2)?);
    }
    area.present()?;
    Ok(())
}

fn short(value: f64) -> String {
    if value >= 1.0 || value == 0.0 { format!("{value:.0}") } else { format!("{value:.1e}") }
}
