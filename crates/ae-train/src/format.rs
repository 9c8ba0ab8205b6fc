//! Numbers and times as text.

/// A number in four significant digits.
pub fn number(value: f64) -> String {
    let magnitude = value.abs().log10().floor();
    match value {
        _ if !value.is_finite() || value == 0.0 => value.to_string(),
        _ if (-3.0..4.0).contains(&magnitude) => {
            format!("{value:.*}", (3.0 - magnitude).clamp(0.0, 6.0) as usize)
        }
        _ => format!("{value:.3e}"),
    }
}

/// A whole number, with commas between thousands.
pub fn count(value: f64) -> String {
    let text = format!("{value:.0}");
    let groups: Vec<&str> = text
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|digits| std::str::from_utf8(digits).unwrap_or_default())
        .collect();
    groups.join(",")
}

/// A duration in seconds, minutes or hours.
pub fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds < 10.0 => format!("{seconds:.1} s"),
        _ if seconds < 120.0 => format!("{seconds:.0} s"),
        _ if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_counts_and_durations() {
        let all: Vec<String> = [0.0, 74.123, 5.0, 12345.0, 0.00123, 1e-9].map(number).into();
        assert_eq!(all, ["0", "74.12", "5.000", "1.234e4", "0.001230", "1.000e-9"]);
        assert_eq!(count(1234567.0), "1,234,567");
        assert_eq!([3.21, 60.0, 600.0, 9000.0].map(duration), ["3.2 s", "60 s", "10 min", "2.5 h"]);
    }
}
